"""Text to tokens. One scanner; a dialect brings its table of strings, comments and operators."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from engine.expressions import numbers
from engine.expressions.errors import ExpressionError
from engine.expressions.limits import TEXT


class Kind(StrEnum):
    """Kinds of token."""

    NUMBER = "number"
    STRING = "string"
    TEMPORAL = "date or duration"
    NAME = "name"
    OPERATOR = "operator"
    END = "end of the expression"


@dataclass(frozen=True, slots=True)
class Token:
    """A token with its place; ``value`` is the number, the unescaped string, the name or the operator."""

    kind: Kind
    value: Any
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Lexicon:
    """How a dialect spells its tokens."""

    operators: tuple[str, ...]
    quotes: str
    escapes: Mapping[str, str]
    comment: re.Pattern[str] | None = None
    hints: Mapping[str, str] = field(default_factory=dict)
    """Character or operator of other languages → how to write it here."""
    unicode_escapes: bool = True
    long_escapes: bool = False
    lax_escapes: bool = False
    """A backslash before any other character is a backslash (FEEL)."""
    temporal: bool = False
    """FEEL's ``@"…"``."""


NAME = re.compile(r"[^\W\d]\w*")
_SPACE = re.compile(r"\s+")
_HEX = re.compile(r"[0-9a-fA-F]+")


class Scanner:
    """Reads one text."""

    def __init__(self, text: str, lexicon: Lexicon, start: int = 0, stop: int | None = None) -> None:
        """Prepare to read ``text[start:stop]``; positions count from the text's begin."""
        if len(text) > TEXT:
            raise ExpressionError(f"an expression of {len(text)} characters; {TEXT} are allowed")
        self.text = text
        self.lexicon = lexicon
        self.at = start
        self.stop = len(text) if stop is None else stop
        self._operators = sorted(lexicon.operators, key=len, reverse=True)

    def tokens(self) -> list[Token]:
        """Return all tokens, the last of kind END."""
        found = []
        while True:
            self._skip()
            if self.at >= self.stop:
                found.append(Token(Kind.END, "", self.stop, self.stop))
                return found
            token = self._next()
            found.append(token)
            self.at = token.end

    def _skip(self) -> None:
        while self.at < self.stop:
            match = _SPACE.match(self.text, self.at, self.stop)
            if match is None and self.lexicon.comment is not None:
                match = self.lexicon.comment.match(self.text, self.at, self.stop)
            if match is None:
                return
            self.at = match.end()

    def _next(self) -> Token:
        text, at = self.text, self.at
        character = text[at]
        if character in self.lexicon.quotes:
            return self._string(at, Kind.STRING)
        if self.lexicon.temporal and character == "@":
            if text[at + 1 : at + 2] != '"':
                raise self.fault('"@" needs a date, time or duration in quotes', at, '@"2026-11-23"')
            return self._string(at + 1, Kind.TEMPORAL, at)
        match = numbers.LITERAL.match(text, at, self.stop)
        if match is not None:
            return self._number(match)
        match = NAME.match(text, at, self.stop)
        if match is not None:
            if character == "_":
                raise self.fault(
                    f'"{match.group()}": names that begin with an underscore are refused',
                    at,
                    "rename the variable",
                )
            return Token(Kind.NAME, match.group(), at, match.end())
        for operator in self._operators:
            if text.startswith(operator, at) and at + len(operator) <= self.stop:
                return Token(Kind.OPERATOR, operator, at, at + len(operator))
        raise self.unexpected(at)

    def unexpected(self, at: int) -> ExpressionError:
        """Return the error for text that begins no token of the dialect."""
        for foreign, hint in self.lexicon.hints.items():
            if self.text.startswith(foreign, at):
                return self.fault(f'"{foreign}" is no operator here', at, hint)
        return self.fault(f'unexpected character "{self.text[at]}"', at)

    def fault(self, message: str, at: int, hint: str | None = None) -> ExpressionError:
        """Return an error that points at offset ``at``."""
        return ExpressionError(message, text=self.text, offset=at, hint=hint)

    def _number(self, match: re.Match[str]) -> Token:
        end = match.end()
        if NAME.match(self.text, end, self.stop):
            raise self.fault("a number runs into a name", end, "put a blank or an operator between them")
        try:
            value = numbers.parse(match.group())
        except ValueError:
            raise self.fault(
                f'"{match.group()[:40]}" is beyond the range of numbers', match.start()
            ) from None
        return Token(Kind.NUMBER, value, match.start(), end)

    def _string(self, at: int, kind: Kind, start: int | None = None) -> Token:
        quote = self.text[at]
        pieces: list[str] = []
        here = at + 1
        while here < self.stop:
            character = self.text[here]
            if character == quote:
                return Token(kind, "".join(pieces), at if start is None else start, here + 1)
            if character == "\\":
                piece, here = self._escape(here)
                pieces.append(piece)
            else:
                pieces.append(character)
                here += 1
        raise self.fault("the string is not closed", at, f"end it with {quote}")

    def _escape(self, at: int) -> tuple[str, int]:
        letter = self.text[at + 1 : at + 2]
        if letter in self.lexicon.escapes and letter:
            return self.lexicon.escapes[letter], at + 2
        size = (
            {"u": 4, "U": 6 if self.lexicon.long_escapes else 8}.get(letter)
            if self.lexicon.unicode_escapes
            else None
        )
        if size is None and self.lexicon.lax_escapes:
            return "\\", at + 1
        if size is None:
            raise self.fault(f'unknown escape "\\{letter}"', at, 'write a backslash as "\\\\"')
        digits = self.text[at + 2 : at + 2 + size]
        if len(digits) != size or not _HEX.fullmatch(digits) or int(digits, 16) > 0x10FFFF:
            raise self.fault(f'"\\{letter}" needs {size} hexadecimal digits', at)
        code, end = int(digits, 16), at + 2 + size
        if 0xD800 <= code < 0xDC00 and self.text.startswith("\\u", end):
            low = self.text[end + 2 : end + 6]
            if _HEX.fullmatch(low) and 0xDC00 <= int(low, 16) < 0xE000:
                return chr(0x10000 + ((code - 0xD800) << 10) + int(low, 16) - 0xDC00), end + 6
        if 0xD800 <= code < 0xE000:
            raise self.fault("half of a surrogate pair is no character", at)
        return chr(code), end

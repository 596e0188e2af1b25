"""Tokens of FEEL: names may have several words, which only the names in scope can tell."""

import re
from collections.abc import Collection

from engine.expressions.tokens import Kind, Lexicon, Scanner, Token

KEYWORDS = frozenset(
    {
        "if",
        "then",
        "else",
        "for",
        "in",
        "return",
        "some",
        "every",
        "satisfies",
        "between",
        "and",
        "or",
        "external",
    }
)
LEXICON = Lexicon(
    operators=(
        "+", "-", "*", "**", "/", "=", "!=", "<", "<=", ">", ">=", "..", ".", ",", ":", "?", "->",
        "(", ")", "[", "]", "{", "}",
    ),
    quotes='"',
    escapes={"\\": "\\", "'": "'", '"': '"', "n": "\n", "t": "\t", "r": "\r"},
    comment=re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL),
    hints={
        "'": 'strings stand in double quotes: "open"',
        "&&": 'write "and"',
        "||": 'write "or"',
        "!": "write not(…)",
        "%": "write modulo(a, b)",
        ";": "one expression has one value",
        "$": "mixes FEEL and JUEL",
    },
    long_escapes=True,
    lax_escapes=True,
    temporal=True,
)  # fmt: skip
SPACED_WORDS = (
    "date and time",
    "days and time duration",
    "years and months duration",
)
"""Names of the language that hold a key word."""
_PLAIN = re.compile(r"[^\W\d_]\w*(?: \w+)*")


class FeelScanner(Scanner):
    """Reads FEEL; ``names`` with key words or symbols in them are taken as one token."""

    def __init__(self, text: str, names: Collection[str] = (), start: int = 0) -> None:
        """Prepare to read ``text[start:]``."""
        super().__init__(text, LEXICON, start)
        special = [
            name for name in names if name != "?" and (not _PLAIN.fullmatch(name) or _has_keyword(name))
        ]
        words = sorted({*special, *SPACED_WORDS}, key=len, reverse=True)
        spaced = "|".join(r"\s+".join(re.escape(word) for word in name.split()) for name in words)
        self._special = re.compile(rf"(?:{spaced})(?!\w)")

    def _next(self) -> Token:
        match = self._special.match(self.text, self.at, self.stop)
        if match is not None:
            return Token(Kind.NAME, " ".join(match.group().split()), match.start(), match.end())
        if self.text.startswith("==", self.at):
            raise self.fault('"==" is no operator here', self.at, 'equality is "=" in FEEL')
        return super()._next()


def _has_keyword(name: str) -> bool:
    return any(word in KEYWORDS or word in ("true", "false", "null") for word in name.split())

"""Regular expressions that cannot explode: RE2 runs in time linear to the text, whatever the pattern."""

import re
from typing import Any

import re2

from engine.expressions.errors import EvaluationError, LimitError, UnsupportedError
from engine.expressions.limits import CHARACTERS, PATTERN, Budget, check_text

_FLAGS = frozenset("smix")
_GROUP = re.compile(r"\$(\d)|\\(.)|(\$)", re.DOTALL)
_DOT = re.compile(r"(\\.|\[(?:\\.|[^\]\\])*\])|\.", re.DOTALL)
_UNSUPPORTED = re.compile(r"\\[0-9iIcC]|-\[|\\p\{Is|\(\?(?!:)")


def compile_pattern(pattern: str, flags: str, budget: Budget) -> Any:
    """Return the compiled pattern; raise EvaluationError for what RE2 or XPath do not know.

    Back-references, look-around, character class subtraction, Unicode blocks and XML name classes are not
    supported.
    """
    if len(pattern) > PATTERN:
        raise LimitError(f"a pattern has at most {PATTERN} characters")
    if not set(flags) <= _FLAGS:
        raise EvaluationError(f'unknown flags "{flags[:20]}"', hint="flags are s, m, i and x")
    budget.spend(100 + len(pattern))
    if "x" in flags:
        pattern = _without_blanks(pattern)
    if _UNSUPPORTED.search(pattern.replace("\\\\", "")):
        raise UnsupportedError(
            "back-references, look-around, class subtraction and XML classes are not supported in patterns"
        )
    if "s" not in flags:
        pattern = _DOT.sub(lambda found: found[1] or r"[^\n\r]", pattern)
    letters = "".join(sorted(set(flags) & set("smi")))
    options = re2.Options()
    options.max_mem = 4 << 20
    options.log_errors = False
    try:
        return re2.compile(f"(?{letters}){pattern}" if letters else pattern, options)
    except re2.error as error:
        raise EvaluationError("the pattern is no regular expression we know") from error


def matches(text: str, pattern: str, flags: str, budget: Budget) -> bool:
    """Tell whether some part of ``text`` matches ``pattern``."""
    compiled = compile_pattern(pattern, flags, budget)
    budget.spend(len(text) >> 3)
    return compiled.search(text) is not None


def replace(text: str, pattern: str, replacement: str, flags: str, budget: Budget) -> str:
    """Return ``text`` with each match replaced; ``$1`` is the first group, ``\\$`` a dollar sign."""
    compiled = compile_pattern(pattern, flags, budget)
    budget.spend(len(text) >> 3)
    if compiled.search("") is not None:
        raise EvaluationError("the pattern matches the empty string")
    pieces = _pieces(replacement)
    found: list[str] = []
    size = at = 0
    for match in compiled.finditer(text):
        groups = [piece if isinstance(piece, str) else _group(match, piece) for piece in pieces]
        found += [text[at : match.start()], *groups]
        size += sum(map(len, groups)) + match.start() - at
        if size > len(text):
            check_text_size(size)
        budget.spend(1 + len(groups))
        at = match.end()
    found.append(text[at:])
    return check_text("".join(found))


def check_text_size(size: int) -> None:
    """Refuse to build a string of ``size`` characters beyond the limit."""
    if size > CHARACTERS:
        raise LimitError(f"a string grows beyond {CHARACTERS} characters")


def split(text: str, pattern: str, budget: Budget) -> list[str]:
    """Return the pieces of ``text`` between matches of ``pattern``."""
    compiled = compile_pattern(pattern, "", budget)
    budget.spend(len(text) >> 3)
    if compiled.search("") is not None:
        raise EvaluationError("the pattern matches the empty string")
    pieces, at = [], 0
    for match in compiled.finditer(text):
        pieces.append(text[at : match.start()])
        at = match.end()
        budget.spend(2)
    return [*pieces, text[at:]]


def _without_blanks(pattern: str) -> str:
    """Drop blanks outside character classes, as the flag x asks for."""
    kept, inside = [], False
    for character in pattern:
        inside = character == "[" or (inside and character != "]")
        if inside or not character.isspace():
            kept.append(character)
    return "".join(kept)


def _pieces(replacement: str) -> list[str | int]:
    pieces: list[str | int] = []
    at = 0
    for match in _GROUP.finditer(replacement):
        pieces.append(replacement[at : match.start()])
        if match[1] is not None:
            pieces.append(int(match[1]))
        elif match[2] in ("$", "\\"):
            pieces.append(match[2])
        else:
            raise EvaluationError('in a replacement "$" and "\\" need a group number or "\\" before them')
        at = match.end()
    pieces.append(replacement[at:])
    return pieces


def _group(match: Any, number: int) -> str:
    return (match.group(number) or "") if number <= match.re.groups else ""

"""The code printed on letters: which installation's which exchange, which page, and a keyed seal.

A code reads ``SB-7K3M-9QXA-ZT41-B0203-F6PD8``: installation, exchange (12 symbols), kind of sheet with page
and number of pages, seal with check digit. The symbols are Crockford's base 32. Where a person types it,
case, blanks and hyphens do not matter, O is read as 0, I and L as 1, U as V: the check digit and the seal are
computed over the folded symbols, so such a slip changes nothing. ``docs/reference/letters.md`` writes the
format down for other makers.
"""

import contextlib
import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from engine.errors import RefusedError

SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
MAX_PAGES = 32 * 32 - 1
"""Two symbols hold the page, two the number of pages."""

_KEY, _SEAL = 12, 4
_TAIL = _KEY + 1 + 2 + 2 + _SEAL + 1
_FOLD = str.maketrans("OILU", "011V")
_NOISE = re.compile(r"[\s\-‐-―−_./]+")
_INSTALLATION = re.compile(r"[A-Z0-9]{2,8}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LOOKALIKES = {
    "5": "S",
    "S": "5",
    "8": "B",
    "B": "8",
    "2": "Z",
    "Z": "2",
    "6": "G",
    "G": "6",
    "Y": "V",
    "V": "Y",
}


class Kind(StrEnum):
    """What a sheet of paper is."""

    LETTER = "B"
    ANSWER = "A"


class Standing(StrEnum):
    """Whose code it is, as far as the reader can tell."""

    OWN = "own"
    FORGED = "forged"
    """It names this installation, but the seal is not this installation's."""
    FOREIGN = "foreign"
    """Another installation's; only that one can verify its seal."""
    UNREADABLE = "unreadable"


class CodeUnreadableError(RefusedError):
    """The text is no printed code."""


class TooManyPagesError(RefusedError):
    """A letter has more pages than a code can number."""


@dataclass(frozen=True, slots=True)
class Code:
    """A printed code. Page 0 of 0 stands for the letter as a whole."""

    installation: str
    key: str
    kind: Kind
    page: int
    pages: int
    seal: str

    @property
    def compact(self) -> str:
        """The code without hyphens, as it stands in the DataMatrix."""
        body = f"{self.installation}{self.key}{self.kind}{_number(self.page)}{_number(self.pages)}{self.seal}"
        return body + check_symbol(body)

    @property
    def text(self) -> str:
        """The code as printed for people."""
        tail = self.compact[-_TAIL:]
        groups = (tail[0:4], tail[4:8], tail[8:12], tail[12:17], tail[17:])
        return "-".join((self.installation, *groups))

    def on(self, page: int, pages: int) -> "Code":
        """Return the code of one sheet; raise TooManyPagesError above 1023 pages."""
        if pages > MAX_PAGES:
            raise TooManyPagesError(
                f"a letter of {pages} pages cannot be numbered", hint=f"at most {MAX_PAGES}; send it in parts"
            )
        return replace(self, page=page, pages=pages)

    def whole(self) -> "Code":
        """Return the code of the letter as a whole: the same from whichever sheet it is made."""
        return replace(self, page=0, pages=0)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class CodeReading:
    """What came of reading a code."""

    standing: Standing
    code: Code | None
    explanation: str
    """One sentence for the clerk."""
    suggestion: str | None = None
    """The code that was probably meant; certain up to the seal, yet for a person to confirm."""


def exchange_key(value: str) -> str:
    """Return the 12 symbols that stand for an exchange.

    The exchange's id and every printed code of the exchange give the same key. Any other text gives a key of
    its own, so that references of all kinds can be compared. 60 bits of SHA-256: among ten million exchanges
    two share a key with a probability below 1 in 20,000.
    """
    if _UUID.fullmatch(value):
        value = value.lower()
    else:
        with contextlib.suppress(CodeUnreadableError):
            return parse_code(value).key
    number = int.from_bytes(hashlib.sha256(value.encode()).digest()[:8], "big") >> 4
    return _symbols(number, _KEY)


def make_code(installation: str, exchange_id: str, secret: bytes, kind: Kind = Kind.LETTER) -> Code:
    """Make the code of an exchange's letter as a whole; ``Code.on`` gives those of its pages.

    Raises ValueError where ``installation`` is not 2 to 8 capital letters and digits.
    """
    if not _INSTALLATION.fullmatch(installation):
        raise ValueError(f"{installation!r} is no installation code")
    key = exchange_key(exchange_id)
    return Code(installation, key, kind, 0, 0, _seal(installation, key, kind, secret))


def parse_code(text: str) -> Code:
    """Read a code as scanned or typed, whoever made it; the seal is not looked at.

    Raises CodeUnreadableError with what is wrong and what to look at.
    """
    if _UUID.fullmatch(text):
        raise CodeUnreadableError(f"{text} is an exchange's id, not its printed code")
    compact = _NOISE.sub("", text).upper()
    installation, tail = compact[:-_TAIL], compact[-_TAIL:].translate(_FOLD)
    if not _INSTALLATION.fullmatch(installation):
        raise CodeUnreadableError(
            f"{_shown(text)} is no code: it has {len(compact)} characters without hyphens",
            hint=f"a code has {_TAIL + 2} to {_TAIL + 8}, like SB-7K3M-9QXA-ZT41-B0203-F6PD8",
        )
    strange = [symbol for symbol in tail if symbol not in SYMBOLS]
    if strange:
        raise CodeUnreadableError(
            f"{_shown(text)} is no code: {strange[0]!r} does not occur in codes",
            hint="letters and digits only",
        )
    expected = check_symbol(installation + tail[:-1])
    if tail[-1] != expected:
        raise CodeUnreadableError(
            f"{_shown(text)} is mistyped: its check digit is {tail[-1]}, "
            f"the other characters give {expected}",
            hint="compare with the print; 5 and S, 8 and B, 2 and Z, 6 and G are easily taken for each other",
        )
    return _from_tail(text, installation, tail)


def _from_tail(text: str, installation: str, tail: str) -> Code:
    key, kind, numbers = tail[:_KEY], tail[_KEY], tail[_KEY + 1 : _KEY + 5]
    page, pages = _value(numbers[:2]), _value(numbers[2:])
    if kind not in Kind._value2member_map_ or page > pages or (page == 0) != (pages == 0):
        raise CodeUnreadableError(
            f"{_shown(text)} is no code: no sheet is numbered {kind}{numbers}",
            hint="type the code that begins with the installation's letters",
        )
    return Code(installation, key, Kind(kind), page, pages, tail[_KEY + 5 : -1])


def is_sealed(code: Code, secret: bytes) -> bool:
    """Tell whether ``code`` was sealed with ``secret``."""
    return hmac.compare_digest(code.seal, _seal(code.installation, code.key, code.kind, secret))


def same_installation(one: str, other: str) -> bool:
    """Tell whether two installation codes are the same once O/0, I/L/1 and U/V are taken as equal."""
    return one.upper().translate(_FOLD) == other.upper().translate(_FOLD)


def read_code(text: str, installation: str, secret: bytes) -> CodeReading:
    """Read a code and judge it from the point of view of ``installation``; never raises."""
    try:
        code = parse_code(text)
    except CodeUnreadableError as error:
        meant = _meant(text, installation, secret)
        explanation = str(error) if meant is None else f"{error.message}; probably {meant} is meant"
        return CodeReading(Standing.UNREADABLE, None, explanation, meant)
    if not same_installation(code.installation, installation):
        return CodeReading(Standing.FOREIGN, code, f"a code of installation {code.installation}")
    code = replace(code, installation=installation)
    if is_sealed(code, secret):
        return CodeReading(Standing.OWN, code, "a code of this installation")
    return CodeReading(
        Standing.FORGED, code, "it names this installation, but was not made here: its seal is wrong"
    )


def check_symbol(body: str) -> str:
    """Return the check symbol of ``body``: the hybrid recursion of ISO 7064 over 32 symbols.

    Every single wrong symbol is found, and nearly every exchange of neighbours.
    """
    size = len(SYMBOLS)
    remainder = size
    for symbol in body.upper().translate(_FOLD):
        remainder = (remainder + SYMBOLS.index(symbol)) % size or size
        remainder = 2 * remainder % (size + 1)
    return SYMBOLS[(1 - remainder) % size]


def _meant(text: str, installation: str, secret: bytes) -> str | None:
    """Return the own code that one look-alike or one exchange of neighbours away is surely meant."""
    compact = _NOISE.sub("", text).upper()
    found = set()
    for candidate in _slips(compact):
        try:
            code = parse_code(candidate)
        except CodeUnreadableError:
            continue
        if same_installation(code.installation, installation):
            code = replace(code, installation=installation)
            if is_sealed(code, secret):
                found.add(code.text)
    return found.pop() if len(found) == 1 else None


def _slips(text: str) -> Iterator[str]:
    for index, symbol in enumerate(text[:40]):
        if symbol in _LOOKALIKES:
            yield text[:index] + _LOOKALIKES[symbol] + text[index + 1 :]
        following = text[index + 1 : index + 2]
        if following and following != symbol:
            yield text[:index] + following + symbol + text[index + 2 :]


def _seal(installation: str, key: str, kind: Kind, secret: bytes) -> str:
    """Return 20 bits of HMAC-SHA-256: enough against slips and guesses beside the 60 bits of the key."""
    message = f"dienstweg-code-1:{installation.translate(_FOLD)}:{key}:{kind}".encode()
    digest = hmac.new(secret, message, hashlib.sha256).digest()
    return _symbols(int.from_bytes(digest[:4], "big") >> 12, _SEAL)


def _symbols(number: int, length: int) -> str:
    text = ""
    for _ in range(length):
        number, rest = divmod(number, len(SYMBOLS))
        text = SYMBOLS[rest] + text
    return text


def _number(value: int) -> str:
    return _symbols(value, 2)


def _value(symbols: str) -> int:
    value = 0
    for symbol in symbols:
        value = value * len(SYMBOLS) + SYMBOLS.index(symbol)
    return value


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:60] + "…")

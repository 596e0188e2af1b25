"""Which characters a version can carry, and what is written where it cannot.

XML 1.0 has no control characters. 2.x allows the letters of *String.Latin* 1.1 only, which lacks typographic
quotes, dashes and part of DIN 91379; readable metadata is then written with plain letters. The data of a
message are not touched: ``carriage`` escapes them.
"""

import re
import unicodedata

from adapters.xdomea.versions import Family

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# String.Latin 1.1 as the schemas of 2.x fix it.
_LATIN_CHARACTERS = (
    "\t\n\r -~¡-¬®-ćĊ-ěĞ-ģĦ-ıĴ-śŞ-ūŮ-žƏƠ-ơƯ-ưƷǍ-ǔǞ-ǟǤ-ǰǴ-ǵǺ-ǿȘ-țȞ-ȟȪ-ȫȮ-ȳəʒ"
    "Ḃ-ḃḊ-ḋḐ-ḑḞ-ḡḤ-ḧḰ-ḱṀ-ṁṄ-ṅṖ-ṗṠ-ṣṪ-ṫẀ-ẅẌ-ẓẞẠ-ầẪ-ẬẮ-ềỄ-ồỖ-ờỤ-ỹ€"
)
_LATIN_PAIRS = "M̂|N̂|m̂|n̂|D̂|d̂|J̌|L̂|l̂"
_LATIN = re.compile(f"(?:[{_LATIN_CHARACTERS}]|{_LATIN_PAIRS})*")
_LATIN_STEP = re.compile(f"{_LATIN_PAIRS}|[{_LATIN_CHARACTERS}]")
_PLAIN = {
    "\u00a0": " ",
    "\u00ad": "",
    "‐": "-",
    "‑": "-",
    "–": "-",
    "—": "-",
    "‘": "'",
    "’": "'",
    "‚": "'",
    "“": '"',
    "”": '"',
    "„": '"',
    "‹": "'",
    "›": "'",
    "…": "...",
    "•": "*",
    "ʼ": "'",
    "ʾ": "'",
    "ʿ": "'",
    "ʹ": "'",
    "ʺ": '"',
    "‰": "o/oo",
    "™": "(TM)",
}
UNKNOWN = "?"
"""Stands for a letter that has no plain form."""


def fits(text: str, family: Family) -> bool:
    """Tell whether a version of ``family`` carries ``text`` unchanged."""
    if _CONTROL.search(text) or "\r" in text:
        return False
    return family is not Family.V2 or _LATIN.fullmatch(text) is not None


def fitted(text: str, family: Family) -> str:
    """Return ``text`` as a version of ``family`` can carry it; unchanged where it fits."""
    clean = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    if family is not Family.V2 or _LATIN.fullmatch(clean):
        return clean
    written = []
    position = 0
    composed = unicodedata.normalize("NFC", clean)
    while position < len(composed):
        match = _LATIN_STEP.match(composed, position)
        written.append(match[0] if match else _plain(composed[position]))
        position = match.end() if match else position + 1
    return "".join(written)


def _plain(character: str) -> str:
    if character in _PLAIN:
        return _PLAIN[character]
    if unicodedata.combining(character):
        return ""
    base = unicodedata.normalize("NFKD", character)
    kept = "".join(each for each in base if _LATIN_STEP.fullmatch(each))
    return kept or UNKNOWN

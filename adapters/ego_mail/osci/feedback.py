"""Feedback codes as typed results: 0xxx done, 3xxx done with a warning, 9xxx not done.

The texts are ours; what the other side wrote is kept beside them.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from adapters.ego_mail.osci import xml
from adapters.ego_mail.osci.errors import MalformedMessageError

DONE_CLOSED = "0800"
DONE_OPEN = "0801"
MORE_DELIVERIES = "3800"
MORE_CARDS = "3801"
NO_DELIVERY = "9803"
NO_CARD = "9804"


@cache
def _texts() -> dict[str, tuple[str, str]]:
    source = files("adapters.ego_mail.osci").joinpath("feedback.csv").read_text(encoding="utf-8")
    return {row["code"]: (row["english"], row["german"]) for row in csv.DictReader(source.splitlines())}


def text_for(code: str, language: str = "en") -> str:
    """Return our text for a code, in German for ``de`` and in English otherwise."""
    english, german = _texts().get(code, ("unknown code", "unbekannter Code"))
    return german if language.lower().startswith("de") else english


@dataclass(frozen=True, slots=True)
class Feedback:
    """One entry of an answer's feedback."""

    code: str
    text: str = ""
    """What the other side wrote."""
    language: str = "de"

    @classmethod
    def of(cls, code: str, language: str = "de") -> "Feedback":
        """Make an entry with our own text."""
        return cls(code, text_for(code, language), language)

    @property
    def is_error(self) -> bool:
        """9xxx: the order was not carried out."""
        return self.code.startswith("9")

    @property
    def is_warning(self) -> bool:
        """3xxx: the order was carried out, with a remark."""
        return self.code.startswith("3")

    def __str__(self) -> str:
        return f"{self.code} {self.text or text_for(self.code, self.language)}"


def write_feedback(parent: xml.Element, entries: tuple[Feedback, ...]) -> None:
    """Append a Feedback element."""
    holder = xml.child(parent, xml.OSCI, "Feedback")
    for entry in entries:
        node = xml.child(holder, xml.OSCI, "Entry")
        node.set(xml.q(xml.XML, "lang"), entry.language)
        xml.child(node, xml.OSCI, "Code", entry.code)
        xml.child(node, xml.OSCI, "Text", entry.text)


def read_feedback(parent: xml.Element) -> tuple[Feedback, ...]:
    """Read the Feedback below ``parent``; raise MalformedMessageError."""
    entries = []
    for node in xml.children(xml.one(parent, xml.OSCI, "Feedback")):
        code = xml.text_of(xml.one(node, xml.OSCI, "Code"))
        if len(code) != 4 or not code.isascii() or not code.isdigit():
            raise MalformedMessageError(f"not a feedback code: {code!r}")
        text = xml.text_of(xml.one(node, xml.OSCI, "Text"))
        entries.append(Feedback(code, text, node.get(xml.q(xml.XML, "lang")) or "de"))
    if not entries:
        raise MalformedMessageError("the feedback is empty")
    return tuple(entries)

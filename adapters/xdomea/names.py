"""The names that containers, messages and primary files bear.

Up to 3.1: ``<ProzessID>_<Gruppe.Name.NNNN>.zip`` with an XML file of the same name; from 4.0 on
``<ProzessID>_<NNNN>_<number>.zip``. Primary files: ``<UUID>[_<subject>].<extension>``.
"""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePath

UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
IS_UUID = re.compile(UUID)
_UNTIL_3 = re.compile(rf"(?P<process>{UUID})_(?P<element>[A-Za-z]+\.[A-Za-z]+\.(?P<code>\d{{4}}))")
_SINCE_4 = re.compile(rf"(?P<process>{UUID})_(?P<code>\d{{4}})_(?P<number>\d+)")
_PRIMARY = re.compile(rf"{UUID}(?:_.*)?(?:\..*)?", re.DOTALL)
_MESSAGE = re.compile(r"(?:_[A-Za-z]+\.[A-Za-z]+\.\d{4}|_\d{4}_\d+)\.xml$")
_UNSAFE = re.compile(r"[^A-Za-z0-9ÄÖÜäöüß]+")
_SUBJECT_LENGTH = 40


@dataclass(frozen=True, slots=True)
class MessageName:
    """What the name of a container or message says."""

    process_id: str
    code: str
    element: str | None
    """Root element, up to 3.1."""
    number: str | None
    """Number of the message among those of its type in the process, from 4.0 on."""


def message_stem(process_id: str, element: str) -> str:
    """Return the name of a container without ``.zip``, up to 3.1."""
    return f"{process_id}_{element}"


def parse(name: str) -> MessageName | None:
    """Read the name of a container or message; None where it is not what the standard fixes."""
    stem = PurePath(name).stem
    if match := _UNTIL_3.fullmatch(stem):
        return MessageName(match["process"], match["code"], match["element"], None)
    if match := _SINCE_4.fullmatch(stem):
        return MessageName(match["process"], match["code"], None, match["number"])
    return None


def is_message(name: str) -> bool:
    """Tell whether a file inside a container bears the name of a message."""
    return _MESSAGE.search(name) is not None


def is_primary(name: str) -> bool:
    """Tell whether ``name`` is fit for a primary file."""
    return _PRIMARY.fullmatch(name) is not None


def primary(uuid: str, shown: str) -> str:
    """Name a primary file after its UUID and the name that people know it by."""
    path = PurePath(shown)
    subject = (
        _UNSAFE.sub("-", unicodedata.normalize("NFC", path.stem)).strip("-")[:_SUBJECT_LENGTH].strip("-")
    )
    extension = _UNSAFE.sub("", path.suffix)[:10].lower()
    # 2.x wants both a subject and an extension.
    return f"{uuid}_{subject or 'Dokument'}.{extension or 'bin'}"

"""File formats: extension, IANA media type, code of the list ``dateiformat`` 1.0, packed already or not."""

from dataclasses import dataclass
from pathlib import PurePath

from adapters.xdomea.nodes import Code
from adapters.xdomea.versions import Family

LIST_URI = "urn:xoev-de:xdomea:codeliste:dateiformat"
LIST_VERSION = "1.0"
OTHER = "100"
UNKNOWN_MEDIA_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class FileFormat:
    """One format."""

    extension: str
    media_type: str
    code: str
    packed: bool = False
    """Compressing it again is not worth the time."""


_OFFICE = "application/vnd.openxmlformats-officedocument"
_FORMATS = (
    FileFormat("bmp", "image/bmp", "001"),
    FileFormat("csv", "text/csv", "002"),
    FileFormat("doc", "application/msword", "003"),
    FileFormat("docx", f"{_OFFICE}.wordprocessingml.document", "035", packed=True),
    FileFormat("eml", "message/rfc822", "006"),
    FileFormat("html", "text/html", "008"),
    FileFormat("jpeg", "image/jpeg", "010", packed=True),
    FileFormat("jpg", "image/jpeg", "011", packed=True),
    FileFormat("json", "application/json", OTHER),
    FileFormat("mp4", "video/mp4", OTHER, packed=True),
    FileFormat("msg", "application/vnd.ms-outlook", "012"),
    FileFormat("odp", "application/vnd.oasis.opendocument.presentation", "013", packed=True),
    FileFormat("ods", "application/vnd.oasis.opendocument.spreadsheet", "014", packed=True),
    FileFormat("odt", "application/vnd.oasis.opendocument.text", "015", packed=True),
    FileFormat("pdf", "application/pdf", "018", packed=True),
    FileFormat("png", "image/png", "019", packed=True),
    FileFormat("ppt", "application/vnd.ms-powerpoint", "020"),
    FileFormat("pptx", f"{_OFFICE}.presentationml.presentation", "037", packed=True),
    FileFormat("rtf", "application/rtf", "022"),
    FileFormat("tif", "image/tiff", "023"),
    FileFormat("tiff", "image/tiff", "024"),
    FileFormat("txt", "text/plain", "045"),
    FileFormat("xls", "application/vnd.ms-excel", "028"),
    FileFormat("xlsx", f"{_OFFICE}.spreadsheetml.sheet", "036", packed=True),
    FileFormat("xml", "application/xml", "030"),
    FileFormat("zip", "application/zip", OTHER, packed=True),
)
_BY_EXTENSION = {each.extension: each for each in _FORMATS}


def by_name(name: str) -> FileFormat | None:
    """Return the format that the extension of ``name`` stands for."""
    return _BY_EXTENSION.get(PurePath(name).suffix.lstrip(".").lower())


def media_type(name: str) -> str:
    """Return the media type that the extension of ``name`` stands for."""
    found = by_name(name)
    return found.media_type if found else UNKNOWN_MEDIA_TYPE


def code_of(name: str, family: Family) -> tuple[Code, str | None]:
    """Return the format's code, and its name in words where the list has none."""
    found = by_name(name)
    number = found.code if found else OTHER
    other = None
    if number == OTHER:
        other = PurePath(name).suffix.lstrip(".").lower() or "unbekannt"
    # 2.x fixes the list's version in the schema, 3.x wants it in the message.
    code = Code(number) if family is Family.V2 else Code(number, None, LIST_URI, LIST_VERSION)
    return code, other

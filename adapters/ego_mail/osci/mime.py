"""The multipart/related envelope of an OSCI message; its headers travel inside the HTTP body.

Source: OSCI-Transport 1.2 part "Nachrichtenformat" (SOAP with Attachments) and RFC 2387.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from adapters.ego_mail.osci.errors import (
    LimitExceededError,
    MalformedMessageError,
    TruncatedAttachmentError,
)
from adapters.ego_mail.osci.streams import CHUNK, Blob, Spool, chunks

XML_PART = "osci@message"
ENCRYPTED_PART = "osci_enc"

_MAX_HEADER_BYTES = 64 * 1024
_MAX_PARTS = 2_000
_CRLF = b"\r\n"
_SAFE_ID = re.compile(r"[^\s<>\"\x00-\x1f\x7f]{1,512}")
_SAFE_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(;\s*[\w.-]+=(\"[^\"\r\n]*\"|[\w.:+-]+))*")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a message that came in."""

    content_id: str
    media_type: str
    headers: Mapping[str, str]
    """All headers, names in lower case."""
    blob: Blob
    """The content, transfer encoding removed."""


@dataclass(frozen=True, slots=True)
class OutPart:
    """One attachment of a message that goes out, always in binary."""

    content_id: str
    media_type: str
    blob: Blob


def check_content_id(content_id: str) -> str:
    """Return ``content_id`` where it can stand in a header and a ``cid:`` reference, else refuse it."""
    if not _SAFE_ID.fullmatch(content_id) or content_id in {XML_PART, ENCRYPTED_PART}:
        raise MalformedMessageError(
            f"the attachment name {content_id!r} cannot travel", hint="use a name without blanks and quotes"
        )
    return content_id


# --- writing -------------------------------------------------------------------------------------


def _head(boundary: str) -> bytes:
    return (
        f"MIME-Version: 1.0\r\nContent-Type: Multipart/Related; boundary={boundary}; type=text/xml\r\n"
        f"\r\n--{boundary}\r\nContent-Type: text/xml; charset=UTF-8\r\n"
        f"Content-Transfer-Encoding: 8bit\r\nContent-ID: <{XML_PART}>\r\n\r\n"
    ).encode("ascii")


def _part_head(part: OutPart, boundary: str) -> bytes:
    if not _SAFE_TYPE.fullmatch(part.media_type):
        raise MalformedMessageError(f"not a media type: {part.media_type!r}", where=part.content_id)
    # "binary" is the right word for what follows; readers take everything but base64 as it comes.
    return (
        f"\r\n--{boundary}\r\nContent-Type: {part.media_type}\r\nContent-Transfer-Encoding: binary\r\n"
        f"Content-ID: <{part.content_id}>\r\nContent-Length: {part.blob.size}\r\n\r\n"
    ).encode()


def _tail(boundary: str) -> bytes:
    return f"\r\n--{boundary}--\r\n".encode("ascii")


def multipart_size(xml: bytes, parts: list[OutPart], boundary: str) -> int:
    """Return the length in bytes that ``write_multipart`` will produce."""
    attachments = sum(len(_part_head(part, boundary)) + part.blob.size for part in parts)
    return len(_head(boundary)) + len(xml) + attachments + len(_tail(boundary))


def write_multipart(xml: bytes, parts: list[OutPart], boundary: str) -> Iterator[bytes]:
    """Yield the message; attachments are read piece by piece."""
    yield _head(boundary)
    yield xml
    for part in parts:
        yield _part_head(part, boundary)
        yield from chunks(part.blob.open())
    yield _tail(boundary)


def encrypted_size(xml: bytes, cipher_bytes: int, boundary: str) -> int:
    """Return the length in bytes that ``write_encrypted`` will produce."""
    head = _encrypted_head(boundary)
    return len(_head(boundary)) + len(xml) + len(head) + cipher_bytes + len(_tail(boundary))


def _encrypted_head(boundary: str) -> bytes:
    return (
        f"\r\n--{boundary}\r\nContent-Type: application/octet-stream\r\n"
        f"Content-Transfer-Encoding: binary\r\nContent-ID: <{ENCRYPTED_PART}>\r\n\r\n"
    ).encode("ascii")


def write_encrypted(xml: bytes, cipher_text: Iterator[bytes], boundary: str) -> Iterator[bytes]:
    """Yield the outer message around a transport-encrypted one."""
    return chain([_head(boundary), xml, _encrypted_head(boundary)], cipher_text, [_tail(boundary)])


# --- reading -------------------------------------------------------------------------------------


class MultipartReader:
    """Finds the parts of a message in a spool without copying binary ones."""

    def __init__(self, spool: Spool, *, folder: Path | None = None) -> None:
        """Read the outer headers; raise MalformedMessageError where they name no boundary."""
        self._spool = spool
        self._folder = folder
        self._spools: list[Spool] = []
        headers, self._at = self._read_headers(0)
        if headers.get("mime-version", "1.0").strip() != "1.0":
            raise MalformedMessageError("MIME version is not 1.0")
        parameters = _parameters(headers.get("content-type", ""))
        boundary = parameters.get("boundary", "")
        if not boundary or len(boundary) > 200:
            raise MalformedMessageError("the message names no MIME boundary")
        self._delimiter = f"--{boundary}".encode("utf-8", "surrogateescape")

    def parts(self) -> list[Part]:
        """Return all parts; raise MalformedMessageError or TruncatedAttachmentError."""
        found: list[Part] = []
        seen: set[str] = set()
        while (part := self._next()) is not None:
            if part.content_id in seen:
                raise MalformedMessageError(f"two parts are called {part.content_id!r}")
            seen.add(part.content_id)
            found.append(part)
            if len(found) > _MAX_PARTS:
                raise LimitExceededError(f"more than {_MAX_PARTS} parts")
        if not found:
            raise MalformedMessageError("the message has no part")
        return found

    def close(self) -> None:
        """Give back what decoding base64 parts needed."""
        for spool in self._spools:
            spool.close()

    def _next(self) -> Part | None:
        self._skip_blank()
        line, after = self._read_line(self._at)
        if line == self._delimiter + b"--":
            return None
        if line != self._delimiter:
            raise MalformedMessageError("the MIME boundary is not where it should be")
        headers, start = self._read_headers(after)
        end = self._find_end(start)
        self._at = end + len(_CRLF)
        content_id = _content_id(headers)
        _check_length(headers, end - start, content_id)
        media_type = headers.get("content-type", "").split(";")[0].strip()
        encoding = headers.get("content-transfer-encoding", "binary").strip().lower()
        blob: Blob = self._spool.slice(start, end - start)
        if encoding == "base64" or media_type.lower() == "text/base64":
            blob = self._decode(blob)
        return Part(content_id, headers.get("content-type", "").strip(), headers, blob)

    def _decode(self, blob: Blob) -> Blob:
        target = Spool(folder=self._folder)
        self._spools.append(target)
        rest = b""
        for piece in chunks(blob.open()):
            compact = rest + b"".join(piece.split())
            whole = len(compact) - len(compact) % 4
            rest = compact[whole:]
            target.write(_decode64(compact[:whole]))
        if rest:
            raise TruncatedAttachmentError("base64 content ends in the middle")
        return target.slice(0, target.size)

    def _skip_blank(self) -> None:
        while True:
            line, after = self._read_line(self._at)
            if line.strip():
                return
            self._at = after

    def _read_line(self, offset: int) -> tuple[bytes, int]:
        data = self._spool.read_at(offset, 4096)
        end = data.find(_CRLF)
        if end < 0:
            raise TruncatedAttachmentError("the message ends before its last boundary")
        return data[:end], offset + end + 2

    def _read_headers(self, offset: int) -> tuple[dict[str, str], int]:
        data = self._spool.read_at(offset, _MAX_HEADER_BYTES)
        lead = len(data) - len(data.lstrip(b"\r\n"))
        end = data.find(_CRLF + _CRLF, lead)
        if end < 0:
            raise MalformedMessageError("MIME headers do not end")
        lines = re.sub(rb"\r\n[ \t]+", b" ", data[lead:end]).split(_CRLF)
        headers: dict[str, str] = {}
        for line in lines:
            name, colon, value = line.partition(b":")
            if not colon:
                raise MalformedMessageError("a MIME header has no colon")
            key = name.decode("utf-8", "surrogateescape").strip().lower()
            if key in headers:
                raise MalformedMessageError(f"the MIME header {key!r} occurs twice")
            headers[key] = value.decode("utf-8", "surrogateescape").strip()
        return headers, offset + end + 4

    def _find_end(self, start: int) -> int:
        marker = _CRLF + self._delimiter
        # An empty part's end marker begins with the line end of its own headers.
        at = start - len(_CRLF)
        overlap = len(marker) - 1
        tail = b""
        while piece := self._spool.read_at(at, CHUNK * 4):
            window = tail + piece
            found = window.find(marker)
            if found >= 0:
                return max(start, at - len(tail) + found)
            at += len(piece)
            tail = window[-overlap:]
        raise TruncatedAttachmentError("an attachment ends before its boundary")


def _content_id(headers: Mapping[str, str]) -> str:
    value = headers.get("content-id", "")
    if value.startswith("<") and value.endswith(">"):
        value = value[1:-1]
    if not value:
        raise MalformedMessageError("a MIME part has no Content-ID")
    return value


def _check_length(headers: Mapping[str, str], actual: int, content_id: str) -> None:
    announced = headers.get("content-length")
    if announced is None:
        return
    if not announced.isascii() or not announced.isdigit():
        raise MalformedMessageError("Content-Length is no number", where=content_id)
    if int(announced) > actual:
        raise TruncatedAttachmentError(f"{announced} bytes announced, {actual} arrived", where=content_id)
    # The reference library miscounts its own XML part, and base64 parts may count line ends or not.
    exact = content_id not in {XML_PART, ENCRYPTED_PART} and "base64" not in (
        headers.get("content-transfer-encoding", "") + headers.get("content-type", "")
    )
    if exact and int(announced) < actual:
        raise MalformedMessageError(f"{announced} bytes announced, {actual} arrived", where=content_id)


def _parameters(content_type: str) -> dict[str, str]:
    pairs = (piece.partition("=") for piece in content_type.split(";")[1:])
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}


def _decode64(data: bytes) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise MalformedMessageError("a base64 part is damaged") from error

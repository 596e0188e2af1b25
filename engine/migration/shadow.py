"""Shadow sends: what is compared, and how they stand. Pure."""

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from hashlib import sha256
from typing import Any

from engine.exchange.ports import Document, FormClass, MessageType


class State(StrEnum):
    """Where a shadow send stands."""

    QUEUED = "queued"
    PREPARED = "prepared"
    SENT = "sent"
    UNKNOWN = "unknown"
    """It is not known whether it went."""
    EQUAL = "equal"
    """The receiver read exactly what was sent."""
    DIFFERENT = "different"
    RECEIVED = "received"
    """The receiver's system confirmed the receipt, but reports no digests."""
    NO_RECEIPT = "no-receipt"
    FAILED = "failed"


OPEN = (State.QUEUED, State.PREPARED, State.SENT, State.UNKNOWN)
"""States that a receipt, a refusal or the end of waiting still changes."""

RECEIPT = MessageType(
    key="testquittung",
    version="1",
    title="Testquittung",
    schema={"type": "object"},
    mappings={"xdomea": {"receipt": False}},
    subject="Testquittung",
    form=FormClass.NONE,
)
"""The receiver's answer to a test: digests of what was read, no content."""
PROBE = "probe"
"""Field of a receipt that names the test it answers."""


def digest_of(value: Any) -> str:
    """Return the digest of a JSON value, whatever the order of its fields."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def digests(
    message: str | None, version: str | None, data: Mapping[str, Any], documents: Iterable[Document]
) -> dict[str, Any]:
    """Return what sender and receiver compare of a message: digests and names, no content."""
    return {
        "message": f"{message} {version}",
        "fields": {key: digest_of(value) for key, value in sorted(data.items())},
        "documents": [
            {"name": document.name, "sha256": document.sha256, "size": document.size}
            for document in documents
        ],
    }


def compare(sent: Mapping[str, Any], reported: Mapping[str, Any]) -> list[str]:
    """Return how what was read differs from what was sent; an empty list: it does not."""
    found = []
    if sent.get("message") != reported.get("message"):
        found.append(f"message type: sent {sent.get('message')}, read {reported.get('message')}")
    mine, theirs = _fields(sent), _fields(reported)
    for key in sorted({*mine, *theirs}):
        if key not in theirs:
            found.append(f"field {key}: not read")
        elif key not in mine:
            found.append(f"field {key}: read, but not sent")
        elif mine[key] != theirs[key]:
            found.append(f"field {key}: read with another value")
    return found + _documents(sent, reported)


def _fields(side: Mapping[str, Any]) -> Mapping[str, Any]:
    fields = side.get("fields")
    return fields if isinstance(fields, Mapping) else {}


def _documents(sent: Mapping[str, Any], reported: Mapping[str, Any]) -> list[str]:
    mine, theirs = _listed(sent), _listed(reported)
    left = list(theirs)
    found = []
    for name, digest in mine:
        same = next((pair for pair in left if pair == (name, digest)), None)
        alike = same or next((pair for pair in left if pair[1] == digest), None)
        named = alike or next((pair for pair in left if pair[0] == name), None)
        if named is None:
            found.append(f"document {name}: not read")
            continue
        left.remove(named)
        if alike is None:
            found.append(f"document {name}: read with other content")
        elif same is None:
            found.append(f"document {name}: read as {alike[0]}")
    return found + [f"document {name}: read, but not sent" for name, _ in left]


def _listed(side: Mapping[str, Any]) -> list[tuple[str, str]]:
    documents = side.get("documents")
    listed = documents if isinstance(documents, list) else []
    return [(str(each.get("name")), str(each.get("sha256"))) for each in listed if isinstance(each, Mapping)]

"""The chain of a case: tamper evidence without personal data.

Every entry commits to its subject with a salt (``commitment``) and to everything before it (``hash``).
The subject and the salt are kept apart and may be deleted; the entry then proves only that something of
this kind stood here. ``docs/reference/evidence.md`` writes the format down for an independent verifier.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

GENESIS = "0" * 64
_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of a chain."""

    sequence: int
    kind: str
    commitment: str
    previous: str
    hash: str


def canonical(subject: Mapping[str, Any]) -> bytes:
    """Return the bytes a commitment is made over: JSON, sorted keys, no blanks, UTF-8."""
    return _ENCODER.encode(subject).encode()


def commit_to(salt: str, subject: Mapping[str, Any]) -> str:
    """Return the salted commitment to ``subject`` (hex SHA-256)."""
    return hashlib.sha256(bytes.fromhex(salt) + canonical(subject)).hexdigest()


def next_link(previous: str, sequence: int, kind: str, commitment: str) -> Link:
    """Return the entry that follows the one with hash ``previous``."""
    text = f"{previous}\n{sequence}\n{kind}\n{commitment}"
    return Link(sequence, kind, commitment, previous, hashlib.sha256(text.encode()).hexdigest())

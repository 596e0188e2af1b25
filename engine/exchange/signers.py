"""The port that signers implement (entry-point group ``dienstweg.signers``).

A signer brings signatures over the frozen files of a dispatch. Whoever signs is a person: a signer is asked
inside a *sign* task only, never by a job.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from engine.errors import RefusedError
from engine.exchange.parcels import Blocker, Mailbox, Part
from engine.exchange.ports import AdapterContext

ROLE = "signature"
"""Role of a part that is a detached signature over another part; its name is that part's with ``.p7s``."""
SUFFIX = ".p7s"
MEDIA_TYPE = "application/pkcs7-signature"


class SignatureRefusedError(RefusedError):
    """A signature cannot be taken: it is missing, broken, over other bytes, or not believed."""


@dataclass(frozen=True, slots=True)
class SignerDescription:
    """What a signer is, for people."""

    name: str
    title: str
    """German, for screens."""
    takes_files: bool
    """Whether the signatures are made elsewhere and are brought as files."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a signer can make for one authority now."""

    substitutes: tuple[str, ...]
    """Keys of the table of substitutes; empty where its signatures are worth less."""
    blockers: tuple[Blocker, ...] = ()
    """Why it makes nothing, or nothing of worth."""


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """What is to be signed, and what a person brings to it."""

    authority_id: str
    parts: Sequence[Part]
    files: Sequence[Path] = ()
    """Signatures that were made elsewhere."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A verified signature over one part."""

    signed: str
    """Name of the part."""
    path: Path
    signer: str
    """Who signed, as the certificate says."""
    issuer: str
    serial: str
    at: datetime | None
    """When it was signed, as the signature claims."""
    substitute: str | None
    """Which substitute of the written form it is; None where its issuer is not known as qualified."""
    remark: str | None = None
    """Why it is no substitute."""


class Signer(Protocol):
    """Makes or takes signatures over files."""

    def describe(self) -> SignerDescription:
        """Say what this signer is."""
        ...

    def offer(self, authority_id: str) -> Offer:
        """Say what it can make for an authority; asks nobody outside and raises nothing."""
        ...

    def sign(self, request: SigningRequest, folder: Path) -> Sequence[Signature]:
        """Return verified signatures, their files in ``folder``. Raises SignatureRefusedError."""
        ...


class SignerFactory(Protocol):
    """Entry point of group ``dienstweg.signers``."""

    def __call__(self, context: AdapterContext) -> Signer:
        """Make the signer for one installation."""
        ...


@runtime_checkable
class MakesSubstitutes(Protocol):
    """A carrier that can itself satisfy the written form, without a person's act, e.g. by a seal."""

    def substitutes(self, sender: Mailbox) -> Sequence[str]:
        """Return the keys of the substitutes (``engine.exchange.substitutes``) it adds for ``sender``."""
        ...

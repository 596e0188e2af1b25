"""Reads answers of the DVDV (Deutsches Verwaltungsdiensteverzeichnis, interface 2): who is reached where.

The answers are JSON: descriptions of organizations (keys, client certificates) and of services (address and
certificates of intermediary and addressee), alone or in lists. A service names its organization by name only.
The XML that a service description can carry (``serviceSpecificationDocument``) is not read.
"""

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509

from adapters.ego_mail.osci.errors import KeyFileError
from adapters.ego_mail.osci.keys import fingerprint, load_certificates
from engine.errors import RefusedError

LARGEST = 20_000_000
"""Bytes of one file."""
LONGEST_ADDRESS = 500
PREFIX = "ags:"
INTERMEDIARY, ADDRESSEE = "OSCI_INTERMEDIARY", "OSCI_ADDRESSEE"
ROLES = {"cipherCertificate": "CIPHER_CERTIFICATE", "signatureCertificate": "SIGNATURE_CERTIFICATE"}
"""Field of a service element → type of an element that carries nothing but this."""


class DvdvRefusedError(RefusedError):
    """This is no answer of the DVDV that can be used."""


@dataclass(frozen=True, slots=True)
class Access:
    """How one service of an organization is reached."""

    organization: str
    """Its name; services have no key of it."""
    address: str | None
    intermediary_cipher: tuple[x509.Certificate, ...]
    intermediary_signature: tuple[x509.Certificate, ...]
    cipher: tuple[x509.Certificate, ...]
    """All that are named and not revoked; the caller takes the one that is good."""
    signature: tuple[x509.Certificate, ...]
    valid_from: datetime | None
    valid_until: datetime | None


@dataclass(slots=True)
class Directory:
    """What the files say, by the organizations' keys (eight digits, without ``ags:``)."""

    names: dict[str, str] = field(default_factory=dict)
    clients: dict[str, tuple[x509.Certificate, ...]] = field(default_factory=dict)
    accesses: list[Access] = field(default_factory=list)

    def key_of(self, access: Access) -> str | None:
        """Return the key of the organization that a service names, where just one has this name."""
        found = [key for key, name in self.names.items() if name == access.organization]
        return found[0] if len(found) == 1 else None


def read(files: Iterable[Path]) -> Directory:
    """Read answers of the DVDV; raise DvdvRefusedError naming file and place."""
    found = Directory()
    for path in files:
        for where, item in _items(path):
            if "serviceElements" in item:
                found.accesses.append(_access(item, where))
            elif "organization" in item:
                _organization(found, _object(item["organization"], f"{where}.organization"), where)
            elif "organizationKeys" in item:
                _organization(found, item, where)
            else:
                raise DvdvRefusedError("neither an organization nor a service", where=where)
    if not found.accesses and not found.clients:
        raise DvdvRefusedError("the files describe no service and no certificate")
    return found


def _items(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the objects of a file; an answer to a batch is a list in which what was not found is null."""
    try:
        if path.stat().st_size > LARGEST:
            raise DvdvRefusedError(f"larger than {LARGEST} bytes", where=str(path))
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DvdvRefusedError(error.strerror or "cannot be read", where=str(path)) from error
    except (ValueError, RecursionError) as error:
        raise DvdvRefusedError(f"not JSON: {error}", where=str(path)) from error
    for number, item in enumerate(data if isinstance(data, list) else [data]):
        if item is not None:
            where = f"{path}[{number}]" if isinstance(data, list) else str(path)
            yield where, _object(item, where)


def _organization(found: Directory, item: Mapping[str, Any], where: str) -> None:
    keys = _list(item.get("organizationKeys"), f"{where}.organizationKeys")
    certificates = tuple(_certificates(_list(item.get("clientCertificates"), where), where))
    for key in keys:
        if isinstance(key, str) and key.startswith(PREFIX):
            short = key.removeprefix(PREFIX)
            if not (len(short) == 8 and short.isascii() and short.isdigit()):
                raise DvdvRefusedError(f"{key!r} is no key of eight digits", where=where)
            found.names[short] = _text(item, "nameDe", where)
            if certificates:
                found.clients[short] = certificates


def _access(item: Mapping[str, Any], where: str) -> Access:
    elements = [
        _object(each, f"{where}.serviceElements[{number}]")
        for number, each in enumerate(_list(item["serviceElements"], f"{where}.serviceElements"))
    ]
    carriers = [each for each in elements if each.get("serviceElementType") == INTERMEDIARY]
    readers = [each for each in elements if each.get("serviceElementType") == ADDRESSEE]
    addresses = [_text(each, "serviceElementUri", where) for each in carriers]
    return Access(
        _text(item, "organizationNameDe", where),
        _address(addresses, where),
        _role(carriers, "cipherCertificate", where),
        _role(carriers, "signatureCertificate", where),
        _role([*readers, *_only(elements, "cipherCertificate")], "cipherCertificate", where),
        _role([*readers, *_only(elements, "signatureCertificate")], "signatureCertificate", where),
        _instant(item, "validFrom", where),
        _instant(item, "validTo", where),
    )


def _address(addresses: Sequence[str], where: str) -> str | None:
    for each in addresses:
        if not _is_address(each):
            raise DvdvRefusedError(f"{each[:200]!r} is no address of an intermediary", where=where)
    if len(set(addresses)) > 1:
        raise DvdvRefusedError(f"several intermediaries: {', '.join(addresses)}", where=where)
    return addresses[0] if addresses else None


def _is_address(text: str) -> bool:
    if len(text) > LONGEST_ADDRESS or " " in text or not text.startswith(("https://", "http://")):
        return False
    try:
        return bool(urlsplit(text).hostname)
    except ValueError:
        return False


def _only(elements: Sequence[Mapping[str, Any]], role: str) -> list[Mapping[str, Any]]:
    return [each for each in elements if each.get("serviceElementType") == ROLES[role]]


def _role(elements: Sequence[Mapping[str, Any]], role: str, where: str) -> tuple[x509.Certificate, ...]:
    return tuple(_certificates([each.get(role) for each in elements], where))


def _certificates(items: Iterable[Any], where: str) -> Iterator[x509.Certificate]:
    """Yield the certificates that are not revoked, each once."""
    seen = set()
    for item in items:
        if item is None:
            continue
        entry = _object(item, where)
        if entry.get("revocationDate"):
            continue
        try:
            content = base64.b64decode("".join(_text(entry, "content", where).split()), validate=True)
            certificate = load_certificates(content)[0]
        except (binascii.Error, KeyFileError) as error:
            raise DvdvRefusedError(f"a certificate cannot be read: {error}", where=where) from error
        if fingerprint(certificate) not in seen:
            seen.add(fingerprint(certificate))
            yield certificate


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise DvdvRefusedError("an object is expected", where=where)
    return value


def _list(value: Any, where: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise DvdvRefusedError("a list is expected", where=where)
    return value


def _text(item: Mapping[str, Any], name: str, where: str) -> str:
    value = item.get(name)
    if not isinstance(value, str) or not value.strip():
        raise DvdvRefusedError(f"{name} is {value!r}", where=where, hint="a text is expected")
    found = " ".join(value.split())
    if not found.isprintable():
        raise DvdvRefusedError(f"{name} is {found[:200]!r}", where=where, hint="it holds control characters")
    return found


def _instant(item: Mapping[str, Any], name: str, where: str) -> datetime | None:
    if item.get(name) is None:
        return None
    try:
        instant = datetime.fromisoformat(_text(item, name, where))
        if instant.tzinfo is None:
            raise ValueError("no time zone")
    except ValueError as error:
        raise DvdvRefusedError(f"{name} is no instant: {error}", where=where) from error
    return instant

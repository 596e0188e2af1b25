"""What ``dienstweg.toml`` and mailboxes say about eGo-MAIL, read into certificates, keys and terms."""

import os
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509

from adapters.ego_mail.errors import EgoMailSettingsError
from adapters.ego_mail.osci.client import Identity, Intermediary
from adapters.ego_mail.osci.errors import KeyFileError
from adapters.ego_mail.osci.keys import KeyPair, Signer, fingerprint, load_certificates, load_pem, load_pkcs12
from adapters.ego_mail.osci.trust import TrustStore
from engine.exchange.ports import Mailbox

TABLE = "[adapters.ego_mail]"
DEFAULT_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """An own authority's keys."""

    identity: Identity
    seal: Signer | None = None
    """A qualified seal, which may sign without a person (§ 3a(3) sentence 3 no. 3 lit. a VwVfG)."""

    def certificates(self) -> Iterator[tuple[str, x509.Certificate]]:
        """Yield the own certificates with a label for people."""
        if self.identity.signer is not None:
            yield "signature", self.identity.signer.certificate
        if self.identity.decrypter is not None:
            yield "cipher", self.identity.decrypter.certificate
        if self.seal is not None:
            yield "seal", self.seal.certificate


@dataclass(frozen=True, slots=True)
class Office:
    """All that is needed to act for one own mailbox."""

    keys: OwnKeys
    trust: TrustStore
    senders: Mapping[str, str]
    """Fingerprint of a signature certificate → authority."""
    intermediary: Intermediary | None = None
    """Where mailboxes name no other one."""
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    timeout: float = DEFAULT_TIMEOUT
    """Seconds for each read or write."""


class Configuration:
    """The carrier's table of ``dienstweg.toml``; files are named relative to the installation's folder."""

    def __init__(self, home: Path, table: Mapping[str, Any]) -> None:
        """Look at nothing yet, so that an installation without eGo-MAIL needs no settings."""
        self._home = home
        self._table = table

    def authorities(self) -> list[str]:
        """Return the own authorities that have keys."""
        return sorted(self._table.get("keys", {}))

    def senders_folder(self) -> Path | None:
        """Return the folder with partners' signature certificates, where one is named and there."""
        path = self._path(self._table["senders"]) if "senders" in self._table else None
        return path if path is not None and path.is_dir() else None

    def office(self, authority_id: str) -> Office:
        """Return what ``authority_id`` acts with; raise EgoMailSettingsError or KeyFileError."""
        senders = {
            fingerprint(certificate): path.stem
            for path in self._files("senders")
            for certificate in load_certificates(path)
        }
        return Office(
            self._keys(authority_id),
            TrustStore(self._certificates("trust"), pinned=self._certificates("pinned")),
            senders,
            self._intermediary(),
            self._tls(),
            float(self._table.get("timeout", DEFAULT_TIMEOUT)),
        )

    def _keys(self, authority_id: str) -> OwnKeys:
        table = self._table.get("keys", {}).get(authority_id)
        if table is None:
            raise EgoMailSettingsError(
                f"no keys for authority {authority_id}",
                where=TABLE,
                hint=f"name them in [adapters.ego_mail.keys.{authority_id}]",
            )
        signature, cipher = self._pair(table, "signature"), self._pair(table, "cipher")
        if signature is None or cipher is None:
            raise EgoMailSettingsError(
                "both a signature key and a cipher key are needed", where=f"{TABLE} keys.{authority_id}"
            )
        seal = self._pair(table, "seal")
        return OwnKeys(Identity(signature.signer(), cipher.decrypter()), seal.signer() if seal else None)

    def _pair(self, table: Mapping[str, Any], role: str) -> KeyPair | None:
        """Load ``role``: a PKCS#12 file, or a PEM key with ``<role>_certificate`` beside it."""
        if role not in table:
            return None
        password = _password(table, role)
        path, certificate = self._path(table[role]), table.get(f"{role}_certificate")
        if certificate is None:
            return load_pkcs12(path, password)
        return load_pem(path, self._path(certificate), password)

    def _intermediary(self) -> Intermediary | None:
        uri = self._table.get("intermediary")
        if uri is None:
            return None
        return Intermediary(uri, self._one("intermediary_cipher"), self._one("intermediary_signature"))

    def _one(self, name: str) -> x509.Certificate | None:
        return load_certificates(self._path(self._table[name]))[0] if name in self._table else None

    def _certificates(self, name: str) -> list[x509.Certificate]:
        return [certificate for path in self._files(name) for certificate in load_certificates(path)]

    def _files(self, name: str) -> list[Path]:
        """Return the certificate files of a folder, or the one file that is named."""
        if name not in self._table:
            return []
        path = self._path(self._table[name])
        if not path.exists():
            raise EgoMailSettingsError(f"{name}: no such file or folder", where=str(path))
        if path.is_file():
            return [path]
        return sorted(each for each in path.iterdir() if each.suffix in (".pem", ".cer", ".crt"))

    def _tls(self) -> ssl.SSLContext | None:
        if "tls_ca" not in self._table:
            return None
        path = self._path(self._table["tls_ca"])
        try:
            return ssl.create_default_context(cafile=str(path))
        except OSError as error:
            raise EgoMailSettingsError(f"tls_ca: {error}", where=str(path)) from error

    def _path(self, value: str) -> Path:
        return self._home / value


def _password(table: Mapping[str, Any], role: str) -> str | None:
    """Return the password from the environment variable that ``<role>_password_env`` names, if any."""
    variable = table.get(f"{role}_password_env", table.get("password_env"))
    if variable is None:
        return None
    if variable not in os.environ:
        raise EgoMailSettingsError(
            f"the environment variable {variable} is not set", where=TABLE, hint=f"it unlocks the {role} key"
        )
    return os.environ[variable]


@dataclass(frozen=True, slots=True)
class Terms:
    """What an addressee's mailbox asks of its senders, beside formats and form classes."""

    certificate: x509.Certificate
    """Its cipher certificate: names the mailbox at the intermediary."""
    intermediary: Intermediary
    per_file: bool
    """Whether ``max_bytes`` is meant for each file; else for the whole message."""


def terms_of(mailbox: Mailbox, default: Intermediary | None) -> Terms:
    """Read the settings of an addressee's mailbox; raise EgoMailSettingsError."""
    settings = mailbox.settings
    where = f"mailbox of {mailbox.authority_id}"
    certificate = _pem(settings, "certificate", where)
    if certificate is None:
        raise EgoMailSettingsError("the mailbox names no cipher certificate", where=where)
    limit = settings.get("limit", "message")
    if limit not in ("message", "file"):
        raise EgoMailSettingsError(f"limit = {limit!r}", where=where, hint="'message' or 'file'")
    return Terms(
        certificate,
        intermediary_of(mailbox, default),
        limit == "file",
    )


def intermediary_of(mailbox: Mailbox, default: Intermediary | None) -> Intermediary:
    """Return the intermediary that keeps a mailbox; raise EgoMailSettingsError where nobody names one."""
    where = f"mailbox of {mailbox.authority_id}"
    uri = mailbox.address or (default.uri if default else "")
    if not uri:
        raise EgoMailSettingsError("neither mailbox nor settings name an intermediary", where=where)
    known = default if default is not None and default.uri == uri else None
    cipher = _pem(mailbox.settings, "intermediary_cipher", where) or (known.cipher if known else None)
    signature = _pem(mailbox.settings, "intermediary_signature", where)
    if cipher is None:
        raise EgoMailSettingsError(
            f"the cipher certificate of the intermediary {uri} is not known",
            where=where,
            hint="put it into the mailbox's settings (intermediary_cipher) or into dienstweg.toml",
        )
    return Intermediary(uri, cipher, signature or (known.signature if known else None))


def _pem(settings: Mapping[str, Any], name: str, where: str) -> x509.Certificate | None:
    text = settings.get(name)
    if text is None:
        return None
    try:
        return load_certificates(str(text).encode())[0]
    except KeyFileError as error:
        raise EgoMailSettingsError(f"{name} is no certificate in PEM form", where=where) from error

"""What a receiver finds in a message: containers decrypted and verified, with who signed them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives import hashes

from adapters.ego_mail.osci import xml
from adapters.ego_mail.osci.algorithms import AlgorithmPolicy
from adapters.ego_mail.osci.encryption import (
    CipherMethod,
    cipher_value,
    encrypted_keys,
    read_cipher_method,
    unwrap_key,
)
from adapters.ego_mail.osci.errors import (
    LimitExceededError,
    MalformedMessageError,
    TruncatedAttachmentError,
    WrongRecipientError,
)
from adapters.ego_mail.osci.keys import Decrypter
from adapters.ego_mail.osci.mime import Part
from adapters.ego_mail.osci.roles import (
    ADDRESSEE_CIPHER,
    AUTHOR_CIPHER,
    AUTHOR_SIGNATURE,
    ORIGINATOR_CIPHER,
    ORIGINATOR_SIGNATURE,
    READER_CIPHER,
    Certificates,
)
from adapters.ego_mail.osci.signature import Covered, VerifiedSignature, read_signature, verify
from adapters.ego_mail.osci.streams import Blob, BytesBlob, Spool, closed_on_error
from adapters.ego_mail.osci.trust import TrustStore, Use

_READERS = (ADDRESSEE_CIPHER, READER_CIPHER, ORIGINATOR_CIPHER, AUTHOR_CIPHER)
_AUTHORS = (ORIGINATOR_SIGNATURE, AUTHOR_SIGNATURE)
_MAX_SEALS = 8
_MAX_SIGNATURES = 50


@dataclass(frozen=True, slots=True)
class ReceivedData:
    """Content that stood inside the message."""

    data: bytes
    identifier: str


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """An attached file, decrypted."""

    name: str
    media_type: str
    blob: Blob


@dataclass(frozen=True, slots=True)
class ReceivedContainer:
    """A container whose signatures, if any, were all found right."""

    identifier: str
    contents: tuple["ReceivedData | ReceivedFile | ReceivedContainer", ...]
    signatures: tuple[VerifiedSignature, ...]
    sealed: tuple["ReceivedContainer", ...]
    """Encrypted containers inside this one that were for us."""
    was_sealed: bool

    def files(self) -> list[ReceivedFile]:
        """All attached files, those of inner containers included."""
        return [content for content in self.walk() if isinstance(content, ReceivedFile)]

    def data(self) -> list[ReceivedData]:
        """All data contents, those of inner containers included."""
        return [content for content in self.walk() if isinstance(content, ReceivedData)]

    def walk(self) -> "list[ReceivedData | ReceivedFile]":
        """All contents that are not containers, in order."""
        found: list[ReceivedData | ReceivedFile] = []
        for content in (*self.contents, *self.sealed):
            if isinstance(content, ReceivedContainer):
                found += content.walk()
            else:
                found.append(content)
        return found


@dataclass(slots=True)
class OpenedPackage:
    """All that could be opened; a context manager, since attachments live in spools until it closes."""

    containers: tuple[ReceivedContainer, ...]
    unopened: int
    """Sealed containers that are for other readers."""
    _spools: list[Spool] = field(default_factory=list, repr=False)

    def files(self) -> list[ReceivedFile]:
        """All attached files."""
        return [file for container in self.containers for file in container.files()]

    def data(self) -> list[ReceivedData]:
        """All data contents."""
        return [data for container in self.containers for data in container.data()]

    def check_signers(self, trust: TrustStore, at: datetime) -> None:
        """Accept the certificates of all content signatures at an instant, e.g. the card's creation.

        Raises CertificateExpiredError, CertificateUsageError, CertificateUntrustedError. Whether there is a
        signature at all, and whose it is, stays the caller's question.
        """
        containers = list(self.containers)
        while containers:
            container = containers.pop()
            containers += [each for each in container.contents if isinstance(each, ReceivedContainer)]
            containers += container.sealed
            for signature in container.signatures:
                trust.check(signature.certificate, Use.SIGNATURE, at)

    def close(self) -> None:
        """Give decrypted attachments back."""
        for spool in self._spools:
            spool.close()

    def __enter__(self) -> "OpenedPackage":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class _FileKey:
    method: CipherMethod
    key: bytes


class PackageReader:
    """Opens one message's content package."""

    def __init__(
        self,
        certificates: Certificates,
        parts: Sequence[Part],
        decrypters: Sequence[Decrypter],
        policy: AlgorithmPolicy,
        *,
        folder: Path | None = None,
        max_bytes: int | None = None,
    ) -> None:
        """Open with ``decrypters``; each decrypted piece may have up to ``max_bytes``."""
        self._certificates = certificates
        self._parts = {part.content_id: part for part in parts}
        self._decrypters = decrypters
        self._policy = policy
        self._folder = folder
        self._max_bytes = max_bytes
        self._spools: list[Spool] = []
        self._unopened = 0
        self._files: dict[str, ReceivedFile] = {}

    def read(self, package: xml.Element | None) -> OpenedPackage:
        """Decrypt what is for us and verify all signatures.

        Raises WrongRecipientError where everything is sealed and nothing is for us, DecryptionError,
        SignatureError and MalformedMessageError with their subclasses.
        """
        containers: list[ReceivedContainer] = []
        with closed_on_error(self._close):
            for node in () if package is None else xml.children(package):
                containers += self._top(node)
            if self._unopened and not containers:
                raise WrongRecipientError(
                    "the message is encrypted for somebody else", hint="is this the right cipher key?"
                )
        return OpenedPackage(tuple(containers), self._unopened, self._spools)

    def _close(self) -> None:
        for spool in self._spools:
            spool.close()

    def _top(self, node: xml.Element) -> list[ReceivedContainer]:
        name = (xml.namespace_of(node), xml.local(node))
        if name == (xml.OSCI, "ContentContainer"):
            return [self._container(node, {}, seals=0)]
        if name == (xml.XENC, "EncryptedData"):
            opened = self._unseal(node, seals=1)
            return [] if opened is None else [opened]
        raise MalformedMessageError(f"{xml.local(node)} has no place in a content package")

    # --- sealed containers ---

    def _unseal(self, element: xml.Element, seals: int) -> ReceivedContainer | None:
        if seals > _MAX_SEALS:
            raise LimitExceededError(f"more than {_MAX_SEALS} seals inside each other")
        found = self._own_key(element)
        if found is None:
            self._unopened += 1
            return None
        encrypted_key, decrypter = found
        method = read_cipher_method(element, self._policy)
        key = unwrap_key(encrypted_key, decrypter, self._policy)
        cipher = BytesBlob(cipher_value(element))
        with method.decrypt(cipher, key, folder=self._folder) as plain:
            root = xml.parse(plain.read_at(0, plain.size))
        if (xml.namespace_of(root), xml.local(root)) != (xml.OSCI, "ContentContainer"):
            raise MalformedMessageError("a seal holds something that is no container")
        xml.check_unique_ids(root)
        return self._container(root, self._file_keys(root), seals, was_sealed=True)

    def _own_key(self, element: xml.Element) -> tuple[xml.Element, Decrypter] | None:
        for encrypted_key in encrypted_keys(element):
            info = xml.one(encrypted_key, xml.DS, "KeyInfo")
            method = xml.one(info, xml.DS, "RetrievalMethod")
            identifier = xml.attribute(method, "URI").removeprefix("#")
            reader = self._certificates.resolve(identifier, _READERS).certificate
            for decrypter in self._decrypters:
                if decrypter.certificate == reader:
                    return encrypted_key, decrypter
        return None

    def _file_keys(self, root: xml.Element) -> dict[str, _FileKey]:
        """Collect the keys of attachments: EncryptedData with a reference, anywhere outside inner seals."""
        keys: dict[str, _FileKey] = {}
        for element in root.iter(xml.q(xml.XENC, "EncryptedData")):
            reference = _cipher_reference(element)
            if reference is None:
                continue
            name = _cid(reference)
            management = xml.one(xml.one(element, xml.DS, "KeyInfo"), xml.DS, "MgmtData")
            method = read_cipher_method(element, self._policy)
            keys[name] = _FileKey(method, xml.decode64(xml.text_of(management)))
        return keys

    # --- containers ---

    def _container(
        self,
        element: xml.Element,
        keys: Mapping[str, _FileKey],
        seals: int,
        *,
        was_sealed: bool = False,
    ) -> ReceivedContainer:
        signatures: list[xml.Element] = []
        contents: list[ReceivedData | ReceivedFile | ReceivedContainer] = []
        covered: list[Covered] = []
        sealed: list[ReceivedContainer] = []
        for node in xml.children(element):
            name = (xml.namespace_of(node), xml.local(node))
            if name == (xml.DS, "Signature"):
                signatures.append(node)
            elif name == (xml.OSCI, "Content"):
                content, cover = self._content(node, keys, seals)
                contents.append(content)
                covered.append(cover)
            elif name == (xml.XENC, "EncryptedData"):
                if _cipher_reference(node) is not None:
                    continue
                covered.append(Covered.sealed(node))
                opened = self._unseal(node, seals + 1)
                sealed += [] if opened is None else [opened]
            else:
                raise MalformedMessageError(f"{xml.local(node)} has no place in a container")
        if len(signatures) > _MAX_SIGNATURES:
            raise LimitExceededError(f"more than {_MAX_SIGNATURES} signatures over one container")
        identifier = element.get("Id") or ""
        files = {file.name: file for content in contents for file in _files_of(content)}
        covered += [Covered.attachment(file.name, file.blob) for file in files.values()]
        verified = tuple(self._verify(node, covered, identifier) for node in signatures)
        return ReceivedContainer(identifier, tuple(contents), verified, tuple(sealed), was_sealed)

    def _verify(self, element: xml.Element, covered: list[Covered], identifier: str) -> VerifiedSignature:
        signature = read_signature(element)
        entry = self._certificates.resolve(signature.certificate_id, _AUTHORS)
        where = f"content signature over {identifier or 'a container'}"
        return verify(signature, covered, entry.certificate, self._policy, where=where)

    def _content(
        self, node: xml.Element, keys: Mapping[str, _FileKey], seals: int
    ) -> tuple["ReceivedData | ReceivedFile | ReceivedContainer", Covered]:
        reference = node.get("href")
        inner = list(xml.children(node))
        if reference is not None and not inner:
            return self._file(_cid(reference), keys), _cover(node)
        if reference is None and len(inner) == 1 and xml.namespace_of(inner[0]) == xml.OSCI:
            if xml.local(inner[0]) == "Base64Content":
                identifier = xml.attribute(inner[0], "Id")
                data = xml.decode64(xml.text_of(inner[0]))
                return ReceivedData(data, identifier), Covered.decoded(identifier, data)
            if xml.local(inner[0]) == "ContentContainer":
                return self._container(inner[0], keys, seals), _cover(node)
        raise MalformedMessageError("a content is base64 data, an attachment or a container")

    def _file(self, name: str, keys: Mapping[str, _FileKey]) -> ReceivedFile:
        if name in self._files:
            return self._files[name]
        part = self._parts.get(name)
        if part is None:
            raise TruncatedAttachmentError(f"the attachment {name!r} did not come with the message")
        blob = part.blob
        if name in keys:
            file_key = keys[name]
            spool = file_key.method.decrypt(
                part.blob, file_key.key, folder=self._folder, limit=self._max_bytes
            )
            self._spools.append(spool)
            blob = spool.slice(0, spool.size)
        file = ReceivedFile(name, part.media_type.split(";")[0].strip(), blob)
        self._files[name] = file
        return file


def _cover(node: xml.Element) -> Covered:
    # Unsigned containers may leave identifiers out; what has none cannot be signed.
    return Covered.element(node) if node.get("Id") else Covered("#", None, _unsignable)


def _unsignable(_kind: hashes.HashAlgorithm) -> bytes:
    raise MalformedMessageError("a content of a signed container has no identifier")


def _cipher_reference(element: xml.Element) -> str | None:
    data = xml.one(element, xml.XENC, "CipherData")
    reference = xml.maybe(data, xml.XENC, "CipherReference")
    return None if reference is None else xml.attribute(reference, "URI")


def _cid(reference: str) -> str:
    if not reference.startswith("cid:") or len(reference) < 5:
        raise MalformedMessageError(f"{reference!r} does not point at an attachment")
    return reference.removeprefix("cid:")


def _files_of(content: ReceivedData | ReceivedFile | ReceivedContainer) -> list[ReceivedFile]:
    """Files a signature over ``content`` covers: not those inside inner seals."""
    if isinstance(content, ReceivedFile):
        return [content]
    if isinstance(content, ReceivedData):
        return []
    return [file for inner in content.contents for file in _files_of(inner)]

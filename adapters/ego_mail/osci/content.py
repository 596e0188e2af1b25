"""What a sender puts into a message: containers, signed and sealed (order.xsd, ContentPackageType).

A container groups contents that are signed together. Sealed, it is encrypted for one or several readers.
Contents are bytes, attached files or further containers; attached files are streamed, never held in memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509

from adapters.ego_mail.osci import xml
from adapters.ego_mail.osci.encryption import (
    add_cipher_reference,
    add_encrypted_key,
    encrypt_bytes,
    encrypt_stream,
    new_key,
    start_encrypted_data,
)
from adapters.ego_mail.osci.errors import MalformedMessageError
from adapters.ego_mail.osci.keys import Signer
from adapters.ego_mail.osci.mime import OutPart, check_content_id
from adapters.ego_mail.osci.roles import CertificateBook
from adapters.ego_mail.osci.signature import Covered, sign
from adapters.ego_mail.osci.streams import Blob, Spool, chunks, closed_on_error
from engine.identifiers import IdSource

X509_DATA_TYPE = f"{xml.DS}X509Data"


@dataclass(frozen=True, slots=True)
class Data:
    """Content inside the message; meant for small things such as an XML business message."""

    data: bytes


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """Content beside the message, under a name that is unique in it (no blanks: it becomes a ``cid:``)."""

    name: str
    blob: Blob
    media_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Container:
    """Contents that are signed together, by none, one or several signers."""

    contents: Sequence["Data | AttachedFile | Container"]
    signers: Sequence[Signer] = ()
    sealed: Sequence["Sealed"] = ()
    """Encrypted containers inside this one; its signatures cover their cipher text."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A container encrypted for the owners of these cipher certificates."""

    container: Container
    readers: Sequence[x509.Certificate]


Item = Container | Sealed


@dataclass(slots=True)
class WrittenPackage:
    """A content package ready for the body, and the attachments that go beside it."""

    element: xml.Element
    parts: list[OutPart]
    spools: list[Spool] = field(default_factory=list)

    def close(self) -> None:
        """Give encrypted copies of attachments back."""
        for spool in self.spools:
            spool.close()


class PackageWriter:
    """Writes items into a content package and their certificates into a book."""

    def __init__(self, book: CertificateBook, ids: IdSource, folder: Path | None = None) -> None:
        """Collect certificates in ``book``; encrypted attachments are spooled in ``folder``."""
        self._book = book
        self._ids = ids
        self._folder = folder
        self._parts: list[OutPart] = []
        self._spools: list[Spool] = []
        self._count = 0

    def write(self, items: Sequence[Item]) -> WrittenPackage:
        """Write all items. Raises MalformedMessageError where names collide or something is empty."""
        package = xml.block(xml.OSCI, "ContentPackage")
        with closed_on_error(self._close):
            # EncryptedData stands before ContentContainer (ContentPackageType).
            for item in sorted(items, key=lambda item: isinstance(item, Container)):
                if isinstance(item, Sealed):
                    self._seal(package, item)
                else:
                    self._container(package, item, keys=None)
        return WrittenPackage(package, self._parts, self._spools)

    def _close(self) -> None:
        for spool in self._spools:
            spool.close()

    def _name(self, stem: str) -> str:
        self._count += 1
        return f"{stem}{self._count}"

    def _container(
        self, parent: xml.Element | None, container: Container, keys: "list[_FileKey] | None"
    ) -> xml.Element:
        """Write a container; inside a seal, attachments are encrypted and their keys go to ``keys``."""
        if not container.contents and not container.sealed:
            raise MalformedMessageError("a container needs content")
        identifier = self._name("container")
        if parent is None:
            element = xml.block(xml.OSCI, "ContentContainer", {"Id": identifier})
        else:
            element = xml.child(parent, xml.OSCI, "ContentContainer", None, Id=identifier)
        covered = [self._content(element, content, keys) for content in container.contents]
        covered += [Covered.attachment(file.name, file.blob) for file in _files(container)]
        covered += [Covered.sealed(self._seal(element, sealed)) for sealed in container.sealed]
        for position, signer in enumerate(container.signers):
            signature = sign(element, covered, signer, self._book.signer(signer.certificate))
            element.insert(position, signature)
        return element

    def _content(
        self,
        parent: xml.Element,
        content: Data | AttachedFile | Container,
        keys: "list[_FileKey] | None",
    ) -> Covered:
        identifier = self._name("content")
        if isinstance(content, Data):
            holder = xml.child(parent, xml.OSCI, "Content")
            xml.child(holder, xml.OSCI, "Base64Content", xml.encode64(content.data), Id=identifier)
            return Covered.decoded(identifier, content.data)
        holder = xml.child(parent, xml.OSCI, "Content", None, Id=identifier)
        if isinstance(content, AttachedFile):
            holder.set("href", f"cid:{check_content_id(content.name)}")
            self._attach(content, keys)
        else:
            self._container(holder, content, keys)
        return Covered.element(holder)

    def _attach(self, file: AttachedFile, keys: "list[_FileKey] | None") -> None:
        if any(part.content_id == file.name for part in self._parts):
            raise MalformedMessageError(f"two attachments are called {file.name!r}")
        if keys is None:
            self._parts.append(OutPart(file.name, file.media_type, file.blob))
            return
        key, iv = new_key(self._ids)
        spool = Spool(folder=self._folder)
        self._spools.append(spool)
        for piece in encrypt_stream(chunks(file.blob.open()), key, iv):
            spool.write(piece)
        self._parts.append(OutPart(file.name, file.media_type, spool.slice(0, spool.size)))
        keys.append(_FileKey(file.name, key))

    def _seal(self, parent: xml.Element, sealed: Sealed) -> xml.Element:
        if not sealed.readers:
            raise MalformedMessageError("a sealed container needs a reader")
        keys: list[_FileKey] = []
        inner = self._container(None, sealed.container, keys)
        for number, file_key in enumerate(keys, start=1):
            # After signing: signatures cover the files, not how they were encrypted.
            file_key.write(inner, f"attachment{number}")
        key, iv = new_key(self._ids)
        element = start_encrypted_data(parent, "text/xml", self._name("encrypted"))
        for reader in sealed.readers:
            info = add_encrypted_key(element, key, reader)
            uri = f"#{self._book.reader(reader)}"
            xml.child(info, xml.DS, "RetrievalMethod", None, Type=X509_DATA_TYPE, URI=uri)
        data = xml.child(element, xml.XENC, "CipherData")
        cipher = encrypt_bytes(xml.canonical(inner), key, iv)
        xml.child(data, xml.XENC, "CipherValue", xml.encode64(cipher))
        return element


@dataclass(frozen=True, slots=True)
class _FileKey:
    """The key of an encrypted attachment, which travels inside its sealed container (ds:MgmtData)."""

    name: str
    key: bytes

    def write(self, container: xml.Element, identifier: str) -> None:
        element = start_encrypted_data(container, "text/xml", identifier)
        info = xml.one(element, xml.DS, "KeyInfo")
        xml.child(info, xml.DS, "MgmtData", xml.encode64(self.key))
        add_cipher_reference(element, f"cid:{self.name}")


def readers_of(items: Sequence[Item]) -> list[x509.Certificate]:
    """Return everybody some part of a package is encrypted for, inner seals included."""
    readers: list[x509.Certificate] = []
    for item in items:
        container = item
        if isinstance(item, Sealed):
            readers += item.readers
            container = item.container
        if isinstance(container, Container):
            inner = [content for content in container.contents if isinstance(content, Container)]
            readers += readers_of([*inner, *container.sealed])
    return readers


def _files(container: Container) -> list[AttachedFile]:
    """All attachments a container's signature covers: its own and those of containers inside it."""
    files: list[AttachedFile] = []
    for content in container.contents:
        if isinstance(content, AttachedFile):
            files.append(content)
        elif isinstance(content, Container):
            files += _files(content)
    return files

"""What a schema cannot say: names, references between message and files, digests."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from adapters.xdomea import carriage, names
from adapters.xdomea.codec import PREFIX
from adapters.xdomea.errors import ContainerNameError, FilesMismatchError, SchemaError
from adapters.xdomea.message import Message, kept_in
from adapters.xdomea.model import Document, Format, documents_of, formats_of
from adapters.xdomea.versions import header_code

OFFER = "0501"
SHA256 = {"SHA-256", "SHA256", "sha256"}
_SHOWN = 5


def check_name(message: Message, name: str) -> None:
    """Compare the name of a container with its message; raise ContainerNameError where it lies."""
    said = names.parse(name)
    if said is None:
        raise ContainerNameError(
            "the name is not what the standard fixes",
            where=name,
            hint="up to 3.1 <ProzessID>_<Gruppe.Name.NNNN>.zip, from 4.0 <ProzessID>_<NNNN>_<number>.zip",
        )
    if said.code != message.code or said.element not in (None, message.element):
        raise ContainerNameError(f"the message inside is a {message.element}", where=name)
    if (message.process_id or "").lower() != said.process_id.lower():
        raise ContainerNameError(f"the message inside has the ProzessID {message.process_id}", where=name)


def check_files(message: Message, present: Iterable[str], where: str) -> None:
    """Check that every file the message speaks of is there under a fit name; raise FilesMismatchError."""
    there = set(present)
    wanted = [name for each in _expected(message) for name in (each.file_name or "", *each.signature_files)]
    unfit = sorted({name for name in wanted if not names.is_primary(name)})
    if unfit:
        raise FilesMismatchError(f"no fit names of primary files: {_some(unfit)}", where=where)
    missing = sorted(set(wanted) - there)
    if missing:
        raise FilesMismatchError(
            f"the message speaks of files that are not in the container: {_some(missing)}",
            where=where,
            hint="the sender has to send the complete container again",
        )


def check_fields(message: Message) -> None:
    """Check what every schema asks of the header, and that our own custom fields can be read.

    Raises SchemaError where the header names no message type, DamagedFieldsError for damaged fields.
    """
    if message.type is None:
        raise SchemaError(
            "the header names no message type (Nachrichtentyp)",
            hint="the sender has to send it again, complete",
        )
    carriage.read_message(message.extensions)
    for document in message.documents():
        carriage.read_file(document)


def _expected(message: Message) -> Iterator[Format]:
    """Yield the files that must come along: an offer (0501) lists files that only the transfer brings."""
    if message.code != OFFER:
        yield from message.formats()
        return
    for letter in message.letters:
        for document in documents_of(letter):
            yield from formats_of(document)


def check_digests(message: Message, digests: Mapping[str, str], where: str) -> None:
    """Compare the digests that the message gives with those of the files; raise FilesMismatchError."""
    for document in message.documents():
        for file_name, digest in _promised(document):
            if digests.get(file_name, digest) != digest:
                raise FilesMismatchError(
                    f"{file_name} was changed: its SHA-256 is not the one in the message", where=where
                )


def remarks(message: Message, present: Iterable[str]) -> list[str]:
    """Say what is odd about a message, but no reason to refuse it."""
    said = message.type.code if message.type else None
    found = []
    if said != header_code(message.code):
        found.append(f"the header says type {said}, the message is a {message.code}")
    if message.kind is None:
        found.append(f"the message type {message.element} is not understood")
    wanted = [each.file_name for each in message.formats()]
    signatures = {name for each in message.formats() for name in each.signature_files}
    found += [
        f"the message does not speak of {name}" for name in sorted(set(present) - set(wanted) - signatures)
    ]
    found += [f"{name} belongs to several documents" for name, count in Counter(wanted).items() if count > 1]
    found += [f"not understood and kept: {part.name} in {path or '/'}" for path, part in kept_in(message)]
    return found


def prefix_remark(prefix: str | None) -> list[str]:
    """Say where a message does not use the prefix that the standard wants."""
    return [] if prefix == PREFIX else [f"the namespace prefix is {prefix!r} instead of {PREFIX!r}"]


def _promised(document: Document) -> list[tuple[str, str]]:
    formats = list(formats_of(document))
    promised = [
        (each.file_name or "", digest.value.lower())
        for each in formats
        for digest in each.hashes
        if digest.value and digest.algorithm and digest.algorithm.code in SHA256
    ]
    ours = carriage.read_file(document)
    if ours.sha256 and len(formats) == 1:
        promised.append((formats[0].file_name or "", ours.sha256))
    return promised


def _some(values: list[str]) -> str:
    more = f" … and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
    return ", ".join(values[:_SHOWN]) + more

"""The payload ``xdomea``: an exchange as an xdomea message in its container."""

import io
import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from adapters.xdomea import answers, codec, names
from adapters.xdomea.compose import compose
from adapters.xdomea.container import ContainerWriter, Limits
from adapters.xdomea.errors import (
    ContainerNameError,
    DocumentChangedError,
    MappingError,
    NotExpressibleError,
    SchemaError,
    SettingsError,
    XdomeaUnreadableError,
)
from adapters.xdomea.interpret import confirmation_wanted, data_for, reading_of
from adapters.xdomea.mapping import XdomeaMapping, mapping_of
from adapters.xdomea.message import Message
from adapters.xdomea.reading import ContainerReader
from adapters.xdomea.schemas import Schemas
from adapters.xdomea.versions import KINDS, WRITABLE, exists, negotiate
from engine.exchange.errors import UnreadableError
from engine.exchange.ports import (
    AdapterContext,
    Blocker,
    Envelope,
    EvidenceLevel,
    Mailbox,
    MessageType,
    Part,
    Party,
    Reading,
    Requirements,
)

MEDIA_TYPE = "application/zip"
ROLE = "container"
_MAPPINGS_KEPT = 1_000
SCHEMAS_VARIABLE = "DIENSTWEG_XDOMEA_SCHEMAS"


class XdomeaPayload:
    """Writes 2.4.0, 3.0.0 and 3.1.0; reads these, 2.3.0 and the disposal part of 4.0.0."""

    name = "xdomea"
    level = EvidenceLevel.C

    def __init__(self, context: AdapterContext) -> None:
        """Use the limits (table ``limits``) and the schemas' folder (``schemas``) of the settings."""
        self._context = context
        limits = _limits(context.settings.get("limits", {}))
        folder = context.settings.get("schemas") or os.environ.get(SCHEMAS_VARIABLE)
        self._schemas = Schemas(Path(folder)) if folder else None
        self._reader = ContainerReader(limits, self._schemas)
        # With the message type itself, so that its id stays its own.
        self._mappings: dict[int, tuple[MessageType, XdomeaMapping]] = {}

    def check(self, recipient: Mailbox, requirements: Requirements) -> list[Blocker]:
        """Say whether the recipient takes a version we write, and whether the mapping holds."""
        version = _version(recipient)
        if version is None:
            offered = ", ".join(_offered(recipient) or ()) or "in no version"
            return [
                Blocker(
                    "no-common-version",
                    "recipient",
                    f"the mailbox takes xdomea {offered}; {', '.join(WRITABLE)} can be written",
                )
            ]
        try:
            mapping = self._mapping(requirements.message_type)
        except MappingError as error:
            return [Blocker("bad-mapping", "sender", str(error))]
        if not exists(mapping.message, version):
            message = f"xdomea {version} has no message {mapping.message}"
            return [Blocker("no-such-message", "recipient", message)]
        return []

    def _mapping(self, message_type: MessageType) -> XdomeaMapping:
        """Return the mapping of a message type; reading one takes long, and readiness asks for thousands."""
        known = self._mappings.get(id(message_type))
        if known is None:
            if len(self._mappings) >= _MAPPINGS_KEPT:
                self._mappings.clear()
            known = self._mappings[id(message_type)] = (message_type, mapping_of(message_type))
        return known[1]

    def build(self, envelope: Envelope, recipient: Mailbox, folder: Path) -> tuple[Part, ...]:
        """Write the container into ``folder``; the same envelope gives the same bytes.

        Raises NotExpressibleError without a common version, MappingError where mapping and data do not fit,
        DocumentChangedError where a document is not what its digest says.
        """
        version = _version(recipient)
        if version is None:
            raise NotExpressibleError(
                f"no common version of xdomea with {recipient.authority_id}",
                where=f"mailbox {recipient.address}",
            )
        composed = compose(envelope, mapping_of(envelope.message_type), version)
        stem, path = self._place(composed.message, folder)
        content = self._written(composed.message, stem)
        with ContainerWriter(path, envelope.created) as writer:
            writer.add(f"{stem}.xml", io.BytesIO(content), len(content))
            for file_name, document in composed.files:
                with document.open() as source:
                    _, digest = writer.add(file_name, source, document.size)
                if digest != document.sha256:
                    raise DocumentChangedError(
                        f"the document {document.name!r} changed on disk", where=file_name
                    )
        return (Part(path.name, MEDIA_TYPE, path, ROLE),)

    def recognises(self, parts: Sequence[Part]) -> bool:
        """Tell whether one part bears the name of a container, or is an archive with a message in it."""
        return self._container(parts) is not None

    def read(self, parts: Sequence[Part], folder: Path) -> Reading:
        """Understand a container; its documents go to ``folder``, all of them or none."""
        part = self._container(parts)
        if part is None:
            raise ContainerNameError(
                "no part is an xdomea container", where=", ".join(each.name for each in parts) or "no parts"
            )
        opened = self._reader.read(part.path, part.name, folder)
        others = [f"{each.name} is no part of the container" for each in parts if each is not part]
        return reading_of(opened.message, opened.files, [*opened.remarks, *others])

    def read_as(self, message_type: MessageType, parts: Sequence[Part], folder: Path) -> Reading:
        """Read an arrival of a partner without Dienstweg as ``message_type``, which a clerk has chosen."""
        part = self._container(parts)
        if part is None:
            raise ContainerNameError("no part is an xdomea container", where=message_type.key)
        opened = self._reader.read(part.path, part.name, folder)
        reading = reading_of(opened.message, opened.files, opened.remarks)
        if reading.message_type is not None:
            return reading
        data = data_for(opened.message, mapping_of(message_type))
        return replace(reading, message_type=message_type.key, version=message_type.version, data=data)

    def confirm(self, reading: Reading, parts: Sequence[Part], own: Party, folder: Path) -> tuple[Part, ...]:
        """Build the receipt that the sender asked for, or nothing where it asked for none."""
        if not reading.confirmation_wanted:
            return ()
        message = self._again(parts)
        if message is None or not confirmation_wanted(message):
            return ()
        return self._answer(answers.receipt(message, own, self._context.installation, self._now), folder)

    def confirm_import(
        self, parts: Sequence[Part], own: Party, folder: Path, failures: Mapping[str, str] | None = None
    ) -> tuple[Part, ...]:
        """Build the confirmation of import that 0401 and 0503 ask for; ``failures``: object id → reason.

        A sender who wants no confirmation is told of failures only.
        """
        message = self._again(parts)
        if message is None or (message.import_wanted is False and not failures):
            return ()
        answer = answers.import_result(
            message, own, self._context.installation, self._now, failures or {}, None
        )
        return self._answer(answer, folder)

    def expects(self, message_type: MessageType, recipient: Mailbox) -> frozenset[str]:
        """Return which confirmations the recipient owes, by version and mapping."""
        version = _version(recipient)
        mapping = mapping_of(message_type)
        kind = KINDS[mapping.message]
        kinds = {"received": kind.receipt if mapping.receipt else None, "imported": kind.import_receipt}
        return frozenset(name for name, code in kinds.items() if version and code and exists(code, version))

    def check_mapping(self, message_type: MessageType) -> list[str]:
        """Return what is wrong with the xdomea mapping of ``message_type``."""
        try:
            mapping_of(message_type)
        except MappingError as error:
            return [str(error)]
        return []

    def complain(self, parts: Sequence[Part], reason: str, own: Party, folder: Path) -> tuple[Part, ...]:
        """Build the refusal of an import, where the message says at least who sent it and what."""
        message = self._again(parts)
        if message is None:
            return ()
        told = f"{self._german(parts)} ({reason})"
        answer = answers.import_result(message, own, self._context.installation, self._now, {}, told)
        return self._answer(answer, folder)

    def _german(self, parts: Sequence[Part]) -> str:
        """Say in the sender's language why the container was refused."""
        part = self._container(parts)
        if part is not None:
            with self._scratch() as scratch:
                try:
                    self._reader.check(part.path, part.name, scratch)
                except XdomeaUnreadableError as error:
                    return error.german
        return "Die Nachricht wurde nicht angenommen."

    @property
    def _now(self) -> datetime:
        return self._context.clock.now()

    def _again(self, parts: Sequence[Part]) -> Message | None:
        """Read the message of an arrival once more, as far as it can be read."""
        part = self._container(parts)
        if part is None:
            return None
        with self._scratch() as scratch:
            try:
                return self._reader.message(part.path, part.name, scratch)
            except UnreadableError:
                return None

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        with TemporaryDirectory(prefix="xdomea-") as folder:
            yield Path(folder)

    def _answer(self, message: Message | None, folder: Path) -> tuple[Part, ...]:
        if message is None:
            return ()
        stem, path = self._place(message, folder)
        content = self._written(message, stem)
        with ContainerWriter(path, self._now) as writer:
            writer.add(f"{stem}.xml", io.BytesIO(content), len(content))
        return (Part(path.name, MEDIA_TYPE, path, ROLE),)

    def _written(self, message: Message, where: str) -> bytes:
        tree = codec.write_tree(message)
        if self._schemas is not None:
            try:
                self._schemas.check(tree, message.version, message.code, where)
            except SchemaError as error:
                raise NotExpressibleError(
                    f"xdomea {message.version} cannot say this: {error.message}",
                    where=where,
                    hint="look at the values the mapping and the data give",
                ) from error
        return codec.serialised(tree)

    @staticmethod
    def _place(message: Message, folder: Path) -> tuple[str, Path]:
        stem = names.message_stem(message.process_id or "", message.element)
        path = folder / f"{stem}.zip"
        path.unlink(missing_ok=True)
        return stem, path

    @staticmethod
    def _container(parts: Sequence[Part]) -> Part | None:
        archives = [part for part in parts if part.name.lower().endswith(".zip")]
        for part in archives:
            if names.parse(part.name) is not None:
                return part
        return next((part for part in archives if _holds_message(part.path)), None)


def _version(recipient: Mailbox) -> str | None:
    return negotiate(_offered(recipient))


def _offered(recipient: Mailbox) -> list[str] | None:
    """Return the versions that the mailbox names; one may stand there as plain text."""
    versions = recipient.settings.get("versions")
    if versions is None:
        return None
    return [versions] if isinstance(versions, str) else [str(version) for version in versions]


def _limits(settings: Mapping[str, Any]) -> Limits:
    known = {each.name for each in fields(Limits)}
    for key, value in settings.items():
        if key not in known or not isinstance(value, int) or value < 0:
            raise SettingsError(f"limits.{key} = {value!r}", hint=f"numbers for {', '.join(sorted(known))}")
    return Limits(**settings)


def _holds_message(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(names.is_message(name) for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError):
        return False

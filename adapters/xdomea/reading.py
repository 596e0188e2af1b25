"""Reads a container as a whole: limits, message, schema, references, files."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from adapters.xdomea import checks, codec, names
from adapters.xdomea.container import Container, Limits, Unpacked, open_container
from adapters.xdomea.errors import ContainerNameError, HostileContainerError
from adapters.xdomea.message import Message
from adapters.xdomea.schemas import Schemas


@dataclass(frozen=True, slots=True)
class Opened:
    """A container that was read and found in order."""

    message: Message
    files: Mapping[str, Unpacked]
    """By name inside the container; empty where only the message was wanted."""
    validated: bool
    """Whether an official schema was at hand."""
    remarks: list[str]


@dataclass(frozen=True, slots=True)
class ContainerReader:
    """Reads containers with given limits and schemas."""

    limits: Limits
    schemas: Schemas | None

    def message(self, path: Path, name: str, folder: Path) -> Message:
        """Read the message only, without schema, references and other entries; for answers."""
        wanted = f"{name.removesuffix('.zip')}.xml"
        with (
            open_container(path, self.limits, name, only=wanted) as container,
            self._message(container, name, folder) as tree,
        ):
            return codec.read_tree(tree, name)

    def read(self, path: Path, name: str, folder: Path) -> Opened:
        """Read everything; the files are unpacked into ``folder``, all of them or none.

        Raises an UnreadableError that says what is wrong.
        """
        unpacked: dict[str, Unpacked] = {}
        with open_container(path, self.limits, name) as container:
            message, validated, remarks = self._checked(container, name, folder)
            with ExitStack() as undo:
                for each in self._primary(container, name):
                    unpacked[each] = container.unpack(each, folder / each)
                    undo.callback((folder / each).unlink)
                checks.check_digests(message, {key: each.sha256 for key, each in unpacked.items()}, name)
                undo.pop_all()
        return Opened(message, unpacked, validated, remarks)

    def check(self, path: Path, name: str, folder: Path) -> Opened:
        """Check everything, one file after the other; nothing stays in ``folder``."""
        with open_container(path, self.limits, name) as container:
            message, validated, remarks = self._checked(container, name, folder)
            digests = {}
            for each in self._primary(container, name):
                target = folder / each
                try:
                    digests[each] = container.unpack(each, target).sha256
                finally:
                    target.unlink(missing_ok=True)
            checks.check_digests(message, digests, name)
        return Opened(message, {}, validated, remarks)

    def check_message(self, path: Path) -> Opened:
        """Check a message that lies beside its files rather than in a container; its name is not checked."""
        tree = codec.parse_file(path)
        message = codec.read_tree(tree, path.name)
        validated = self._validated(tree, message, path.name)
        checks.check_files(message, (each.name for each in path.parent.iterdir()), path.name)
        present = [each.file_name or "" for each in message.formats()]
        return Opened(message, {}, validated, checks.remarks(message, present))

    def _checked(self, container: Container, name: str, folder: Path) -> tuple[Message, bool, list[str]]:
        with self._message(container, name, folder) as tree:
            message = codec.read_tree(tree, name)
            checks.check_name(message, name)
            validated = self._validated(tree, message, name)
            checks.check_fields(message)
            remarks = checks.prefix_remark(tree.getroot().prefix)
        primary = list(self._primary(container, name))
        checks.check_files(message, primary, name)
        return message, validated, remarks + checks.remarks(message, primary)

    def _validated(self, tree: etree._ElementTree, message: Message, where: str) -> bool:
        if self.schemas is None:
            return False
        return self.schemas.check(tree, message.version, message.code, where)

    @contextmanager
    def _message(self, container: Container, name: str, folder: Path) -> Iterator[etree._ElementTree]:
        inner = self._inner(container, name)
        if container.size(inner) > self.limits.message_bytes:
            raise HostileContainerError(
                f"the message has {container.size(inner)} bytes, allowed are {self.limits.message_bytes}",
                where=name,
            )
        target = folder / inner
        container.unpack(inner, target)
        try:
            yield codec.parse_file(target, name)
        finally:
            target.unlink(missing_ok=True)

    @staticmethod
    def _inner(container: Container, name: str) -> str:
        wanted = f"{name.removesuffix('.zip')}.xml"
        by_folded = {each.casefold(): each for each in container.names}
        if wanted.casefold() in by_folded:
            return by_folded[wanted.casefold()]
        messages = [each for each in container.names if names.is_message(each)]
        raise ContainerNameError(
            f"the message {wanted} is not in the container",
            where=name,
            hint=f"there is {', '.join(messages)}" if messages else "there is no xdomea message in it at all",
        )

    def _primary(self, container: Container, name: str) -> Iterator[str]:
        inner = self._inner(container, name)
        return (each for each in container.names if each != inner)

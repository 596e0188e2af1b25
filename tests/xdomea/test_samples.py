"""Messages of others are read without loss."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from adapters.xdomea import codec
from adapters.xdomea.errors import FilesMismatchError
from adapters.xdomea.message import kept_in
from adapters.xdomea.payload import XdomeaPayload
from adapters.xdomea.schemas import Schemas
from adapters.xdomea.versions import exists
from engine.exchange.ports import Part
from tests.contracts.samples import HOMBURG
from tests.xdomea.conftest import SAMPLES, meaning, needs_samples

MESSAGES = [path for path in SAMPLES if path.suffix == ".xml"]
CONTAINERS = [path for path in SAMPLES if path.suffix == ".zip"]


def message_of(path: Path, folder: Path) -> Path:
    if path.suffix == ".xml":
        return path
    with zipfile.ZipFile(path) as archive:
        return Path(archive.extract(f"{path.stem}.xml", folder))


@needs_samples
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}-{path.name[-12:]}")
class TestEverySample:
    def test_is_written_as_it_was_read(self, path: Path, tmp_path: Path) -> None:
        tree = codec.parse_file(message_of(path, tmp_path))
        message = codec.read_tree(tree)
        assert meaning(codec.write_tree(message).getroot()) == meaning(tree.getroot())

    def test_is_written_so_that_the_schema_still_holds(
        self, path: Path, tmp_path: Path, schemas: Schemas
    ) -> None:
        message = codec.read_tree(codec.parse_file(message_of(path, tmp_path)))
        again = etree.ElementTree(etree.fromstring(codec.write_bytes(message)))
        assert schemas.check(again, message.version, message.code, path.name)

    def test_is_understood_to_the_last_element(self, path: Path, tmp_path: Path) -> None:
        message = codec.read_tree(codec.parse_file(message_of(path, tmp_path)))
        assert message.kind is not None
        assert {part.name for _, part in kept_in(message)} <= {
            # Free XML of an application is nobody's to understand but its own.
            "xdomea:AnwendungsspezifischeErweiterungXML",
        }


@needs_samples
@pytest.mark.parametrize("path", CONTAINERS, ids=lambda path: path.name[-12:])
def test_containers_of_others_are_imported(
    path: Path, payload: XdomeaPayload, folder: Callable[[], Path]
) -> None:
    part = Part(path.name, "application/zip", path, "container")
    assert payload.recognises((part,))
    reading = payload.read((part,), folder())
    assert reading.message_type is None
    assert reading.data["xdomea"] == path.stem[-4:]
    with zipfile.ZipFile(path) as archive:
        inside = {info.filename: info.file_size for info in archive.infolist()} | {f"{path.stem}.xml": 0}
    assert sum(document.size for document in reading.documents) == sum(inside.values())
    assert len(reading.documents) == len(inside) - 1


def as_container(path: Path, folder: Path) -> Part:
    """Pack a sample that lies beside its files as its version wants it."""
    message = codec.read_file(path)
    of_4 = message.version.startswith("4.")
    stem = f"{message.process_id}_{message.code}_1" if of_4 else f"{message.process_id}_{message.element}"
    with zipfile.ZipFile(folder / f"{stem}.zip", "w") as archive:
        archive.write(path, f"{stem}.xml")
        for each in {each.file_name for each in message.formats()} if message.code != "0501" else ():
            there = path.parent / (each or "")
            # Some samples come without their files; what is in a file does not matter here.
            archive.writestr(each or "", there.read_bytes() if there.exists() else b"file")
    return Part(f"{stem}.zip", "application/zip", folder / f"{stem}.zip", "container")


@needs_samples
@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: f"{path.parent.name}-{path.name[-12:]}")
def test_samples_of_every_version_are_read_from_containers_and_confirmed(
    path: Path, payload: XdomeaPayload, folder: Callable[[], Path]
) -> None:
    part = as_container(path, folder())
    reading = payload.read((part,), folder())
    message = codec.read_file(path)
    assert reading.data["process"] == message.process_id
    answer = payload.confirm(reading, (part,), HOMBURG, folder())
    kind = message.kind
    assert kind is not None
    wanted = reading.confirmation_wanted and kind.receipt is not None
    # 4.0 is read only; a receipt for 0503 exists from 3.0 on.
    possible = (
        kind.receipt is not None and exists(kind.receipt, message.version) and message.version[0] != "4"
    )
    assert bool(answer) == (wanted and possible)
    if answer:
        told = payload.read(answer, folder())
        assert told.confirmation is not None
        assert told.data["xdomea_version"] == message.version


@needs_samples
def test_the_digest_of_a_4_0_message_is_compared(
    payload: XdomeaPayload, folder: Callable[[], Path], tmp_path: Path
) -> None:
    (path,) = (path for path in MESSAGES if "v4.0.0" in path.parts)
    sample = folder()
    for each in path.parent.iterdir():
        (sample / each.name).write_bytes(each.read_bytes())
    next(sample.glob("*.txt")).write_bytes(b"changed")
    part = as_container(sample / path.name, folder())
    with pytest.raises(FilesMismatchError, match="was changed"):
        payload.read((part,), folder())

"""Messages of others are read without loss."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from adapters.xdomea import codec
from adapters.xdomea.message import kept_in
from adapters.xdomea.payload import XdomeaPayload
from adapters.xdomea.schemas import Schemas
from engine.exchange.ports import Part
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

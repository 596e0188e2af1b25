"""``dienstweg xdomea`` as people use it."""

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from adapters.xdomea.commands import app
from adapters.xdomea.payload import XdomeaPayload
from engine.errors import DienstwegError
from tests.contracts.samples import Envelopes, MemoryDocument
from tests.xdomea.conftest import SAMPLES, SCHEMAS, box, message_type, needs_samples, needs_schemas

DOCUMENTS = (MemoryDocument("Bescheid [1].pdf", b"%PDF"), MemoryDocument("Bescheid [1].pdf", b"%PDF zwei"))


@pytest.fixture
def container(payload: XdomeaPayload, folder: Callable[[], Path]) -> Path:
    envelope = Envelopes().new(message_type({"object": "file"}), documents=DOCUMENTS)
    return payload.build(envelope, box("3.1.0"), folder())[0].path


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_check_says_that_all_is_well(container: Path) -> None:
    result = call("check", container)
    assert result.exit_code == 0
    assert "in order: Information.Information.0101, xdomea 3.1.0, no official schema" in result.output
    assert "2 documents, 2 files" in result.output


@needs_schemas
def test_check_uses_the_official_schemas(container: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert json.loads(call("check", container, "--json", "--schemas", SCHEMAS).output)["official_schema"]
    monkeypatch.setenv("DIENSTWEG_XDOMEA_SCHEMAS", str(SCHEMAS))
    assert json.loads(call("check", container, "--json").output)["official_schema"]


def test_check_says_what_is_wrong(container: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.zip"
    shutil.copy(container, other)
    result = call("check", other, "--json")
    assert result.exit_code == 1
    told = json.loads(result.output)
    assert (told["ok"], told["error"]) == (False, "ContainerNameError")
    assert "there is" in told["reason"]
    result = call("check", other)
    assert isinstance(result.exception, DienstwegError)
    assert "other.zip" in str(result.exception)


def test_check_of_a_message_beside_its_files(container: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(container) as archive:
        archive.extractall(tmp_path / "out")
    message = tmp_path / "out" / f"{container.stem}.xml"
    assert call("check", message).exit_code == 0
    next((tmp_path / "out").glob("*.pdf")).unlink()
    assert "not in the container" in str(call("check", message).exception)


def test_show_draws_a_tree_without_cutting(container: Path) -> None:
    result = call("show", container)
    assert result.exit_code == 0
    for said in (
        "Vollstreckung Müller",
        "Bescheid [1].pdf",
        "20.3-4711/26",
        "betrag 125.5",
        "application/pdf",
    ):
        assert said in result.output


def test_show_as_json(container: Path) -> None:
    told = json.loads(call("show", container, "--json").output)
    assert told["objects"][0]["kind"] == "file"
    assert told["kept"] == []


def test_show_shows_what_is_not_understood(container: Path, tmp_path: Path) -> None:
    name = f"{container.stem}.xml"
    changed = tmp_path / name
    with zipfile.ZipFile(container) as archive:
        content = archive.read(name).decode()
    changed.write_text(
        content.replace("<xdomea:Hinweis>", "<xdomea:Neues>etwas</xdomea:Neues><xdomea:Hinweis>"),
        encoding="utf-8",
    )
    assert "etwas" in call("show", changed).output
    assert json.loads(call("show", changed, "--json").output)["kept"][0]["name"] == "xdomea:Neues"


def test_unpack_gives_the_names_people_know(container: Path, tmp_path: Path) -> None:
    target = tmp_path / "unpacked"
    assert call("unpack", container, target).exit_code == 0
    assert sorted(path.name for path in target.iterdir()) == [
        f"{container.stem}.xml",
        "Bescheid [1] (2).pdf",
        "Bescheid [1].pdf",
    ]
    assert (target / "Bescheid [1] (2).pdf").read_bytes() == DOCUMENTS[1].content
    assert "not empty" in str(call("unpack", container, target).exception)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    for command in (["check"], ["show"], ["unpack"]):
        arguments = [*command, tmp_path / "none.zip", *([tmp_path / "x"] if command == ["unpack"] else [])]
        assert "no such file" in str(call(*arguments).exception)


def test_a_missing_schema_folder_is_said(container: Path, tmp_path: Path) -> None:
    error = call("check", container, "--schemas", tmp_path / "none").exception
    assert isinstance(error, DienstwegError)
    assert error.exit_status == 6


@needs_samples
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}-{path.name[-12:]}")
def test_every_sample_can_be_shown(path: Path) -> None:
    result = call("show", path)
    assert result.exit_code == 0, result.exception
    assert path.stem[-4:] in result.output or "0503" in result.output

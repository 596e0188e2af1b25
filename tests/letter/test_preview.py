"""Previews of shipped and own letters."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.letter.commands import app
from adapters.letter.errors import StepUnknownError
from adapters.letter.preview import TemplateRefusedError, find_message_type, sample
from engine.clock import TurnedClock
from tests.contracts.samples import NOON
from tests.letter.rig import texts


def run(tmp_path: Path, *arguments: str) -> Any:
    state = SimpleNamespace(folder=tmp_path / "none", clock=TurnedClock(NOON))
    return CliRunner().invoke(app, ["preview", *arguments], obj=state)


def test_a_shipped_step_is_previewed_with_made_up_data(tmp_path: Path) -> None:
    out = tmp_path / "letter.pdf"
    result = run(tmp_path, "vollstreckungshilfe", "vollstreckungsersuchen", "--out", str(out), "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.output) == {"files": [str(out)]}
    page = texts(out)[0]
    assert "Vollstreckungsersuchen gegen ‹Name oder Firma›" in page
    assert "VORSCHAU-" in page


def test_an_own_template_with_own_data_as_pictures(tmp_path: Path) -> None:
    template = tmp_path / "brief.jinja"
    template.write_text("Guten Tag {{ data.name }},\n\nEnde.", encoding="utf-8")
    data = tmp_path / "data.json"
    data.write_text('{"name": "Ähre"}', encoding="utf-8")
    result = run(
        tmp_path,
        str(template),
        "--data",
        f"@{data}",
        "--out",
        str(tmp_path / "a.png"),
        "--answer-by",
        "2026-04-01",
    )
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["a-1.png", "a-2.png"]


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    with pytest.raises(StepUnknownError, match="nix"):
        find_message_type("vollstreckungshilfe", "nix")
    template = tmp_path / "brief.jinja"
    template.write_text("\n{{ data.name.upper() }}", encoding="utf-8")
    with pytest.raises(TemplateRefusedError, match="line 2"):
        find_message_type(str(template), None)
    for arguments in (
        ["--out", "x.docx"],
        ["--data", "[1]"],
        ["--data", "{"],
        ["--from", '{"unit": "x"}'],
        ["--attach", "gone"],
    ):
        result = run(tmp_path, "vollstreckungshilfe", "vollstreckungsersuchen", *arguments)
        assert type(result.exception).__name__ == "PreviewRefusedError"


def test_data_is_made_up_by_the_schema() -> None:
    schema = {
        "type": "object",
        "$defs": {"x": {"type": "array", "items": {"type": "integer", "minimum": 3}}},
        "properties": {
            "a": {"type": "string", "title": "Name"},
            "b": {"enum": ["eins", "zwei"]},
            "c": {"$ref": "#/$defs/x"},
            "d": {"type": "string", "format": "date"},
            "e": {"type": "boolean"},
        },
    }
    assert sample(schema) == {"a": "‹Name›", "b": "eins", "c": [3], "d": "2026-01-31", "e": True}

"""``dienstweg decision``: what people and programs see."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from engine.errors import DienstwegError

FEES = str(Path(__file__).parent / "tables" / "fees.dmn")
DATA = {"Pages": 25, "Form class": "none", "Posted on": "2026-01-31"}


def call(*arguments: str):
    return CliRunner().invoke(app, ["decision", *arguments])


def test_json_prints_the_value_alone():
    result = call("evaluate", FEES, "Fee due", "--data", json.dumps(DATA), "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"due on": "2026-02-28", "amount": 5.5}
    assert json.loads(call("evaluate", FEES, "d_base", "--data", json.dumps(DATA), "--json").stdout) == 5


def test_for_people():
    result = call("evaluate", FEES, "Base fee", "--data", json.dumps(DATA))
    assert result.exit_code == 0
    assert "Pages" in result.stdout
    assert "result: 5" in result.stdout


def test_data_from_a_file(tmp_path):
    path = tmp_path / "data.json"
    path.write_text(json.dumps(DATA), encoding="utf-8")
    result = call("evaluate", FEES, "Base fee", "--data", f"@{path}", "--json")
    assert json.loads(result.stdout) == 5


def test_list():
    found = json.loads(call("list", FEES, "--json").stdout)
    assert [one["name"] for one in found] == ["Base fee", "Fee due"]
    assert found[1]["inputs"] == {"Posted on": "date", "Pages": "number", "Form class": "tForm"}
    assert "Base fee" in call("list", FEES).stdout


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("evaluate", FEES, "Nothing"), 3),
        (("evaluate", FEES, "Base fee"), 1),
        (("evaluate", FEES, "Base fee", "--data", "["), 2),
        (("evaluate", FEES, "Base fee", "--data", "[]"), 2),
        (("evaluate", FEES, "Base fee", "--data", '{"Pages": "x", "Form class": "none"}'), 1),
        (("list", FEES + "x"), 6),
        (("list", __file__), 1),
    ],
)
def test_errors(arguments, status):
    result = call(*arguments)
    assert isinstance(result.exception, DienstwegError)
    assert result.exception.exit_status == status


def test_now_is_the_instant_of_the_call(tmp_path):
    path = tmp_path / "now.dmn"
    path.write_text(
        '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" name="n" namespace="urn:n">'
        '<decision id="d" name="d"><literalExpression><text>[string(today()), now().hour]</text>'
        "</literalExpression></decision></definitions>",
        encoding="utf-8",
    )
    result = CliRunner().invoke(
        app, ["--at", "2026-11-23T23:30:00+00:00", "decision", "evaluate", str(path), "d", "--json"]
    )
    assert json.loads(result.stdout) == ["2026-11-24", 0]

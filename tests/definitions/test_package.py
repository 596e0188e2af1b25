import json
import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import pytest

from engine.definitions.package import PackageMissingError, PackageRefusedError, build_package, load_package
from engine.definitions.package_files import content_hash
from engine.definitions.scenarios import Turn, differences, read_scenario, read_scenarios
from engine.exchange.ports import FormClass

HEAD = """\
format: 1
key: probe
title: Probe
basis:
  - {law: VwVfG, paragraphs: "§ 5"}
roles:
  asking: {process: P, title: Fragende Stelle}
messages: [frage]
retention: {period: P1Y, basis: Probe}
"""
MESSAGE = """\
key: frage
version: "1.0"
title: Frage
subject: "Frage: {{ data.text }}"
form: written
schema:
  type: object
  additionalProperties: false
  required: [text]
  properties:
    text: {type: string, title: Fragetext}
"""
FORM = {
    "id": "ask",
    "type": "default",
    "components": [{"type": "textfield", "key": "text", "label": "Frage"}],
}
SCENARIO = """\
format: 1
title: Eine Frage
given: {clock: 2026-03-02, authorities: {asking: "10041100"}}
steps:
  - start: asking
  - turn: P3M
"""
PACKAGE: Mapping[str, bytes] = {
    "procedure.yaml": HEAD.encode(),
    "probe.bpmn": b"<definitions/>",
    "forms/ask.form": json.dumps(FORM).encode(),
    "messages/frage/message.yaml": MESSAGE.encode(),
    "messages/frage/letter.jinja": b"Guten Tag,\n\n{{ data.text }}\n",
    "messages/frage/registration.form": json.dumps({**FORM, "id": "register"}).encode(),
    "scenarios/eine.yaml": SCENARIO.encode(),
}


def changed(path: str, old: str, new: str) -> dict[str, bytes]:
    text = PACKAGE[path].decode()
    assert old in text
    return {**PACKAGE, path: text.replace(old, new).encode()}


def refusal(package: Mapping[str, bytes]) -> PackageRefusedError:
    with pytest.raises(PackageRefusedError) as caught:
        build_package(package, where="probe")
    return caught.value


def test_a_package_is_read_from_a_folder_and_from_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "probe"
    for path, content in PACKAGE.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    (folder / "README.md").write_text("for people")
    (folder / "__pycache__").mkdir()
    package = load_package(folder)
    assert package == build_package(PACKAGE)
    message = package.message_types["frage"]
    assert (message.key, message.version, message.form) == ("frage", "1.0", FormClass.WRITTEN)
    assert message.registration_form == {**FORM, "id": "register"}
    assert list(package.forms) == ["ask"]


def test_a_package_is_read_from_installed_package_data() -> None:
    package = load_package(files("processes") / "bpmn" / "vollstreckungshilfe")
    assert package.key == "vollstreckungshilfe"


@pytest.mark.parametrize("make", ["nothing", "a file", "an empty folder"])
def test_no_package_there(tmp_path: Path, make: str) -> None:
    place = tmp_path / "probe"
    if make == "a file":
        place.write_text("x")
    if make == "an empty folder":
        place.mkdir()
    with pytest.raises(PackageMissingError):
        load_package(place)


def test_the_present_folder_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "procedure.yaml").write_text(HEAD)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PackageRefusedError, match="is not the folder's name"):
        load_package(Path("."))


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "procedure.yaml").write_text(HEAD)
    os.mkfifo(tmp_path / "probe.bpmn")
    with pytest.raises(PackageRefusedError, match=r"probe\.bpmn: is no file"):
        load_package(tmp_path)


def test_unknown_files_are_refused_not_skipped(tmp_path: Path) -> None:
    (tmp_path / "forms").mkdir()
    (tmp_path / "procedure.yaml").write_text(HEAD)
    (tmp_path / "forms" / "ask.frm").write_text("{}")
    (tmp_path / "huge.bpmn").write_bytes(b" " * 5_000_001)
    with pytest.raises(PackageRefusedError) as caught:
        load_package(tmp_path)
    assert [problem.file for problem in caught.value.problems] == ["forms/ask.frm", "huge.bpmn"]


@pytest.mark.parametrize(
    ("path", "old", "new", "line", "field", "says"),
    [
        ("procedure.yaml", "title: Probe\n", "titel: Probe\n", 3, "titel", "did you mean 'title'?"),
        ("procedure.yaml", "key: probe", "key: Probe!", 2, "key", "does not have the form"),
        ("procedure.yaml", "P1Y", "1 year", 9, "retention.period", "for example 'P10Y'"),
        ("procedure.yaml", "[frage]", "[frage, antwort]", 8, "messages", "antwort is not among"),
        ("procedure.yaml", "messages: [frage]\n", "", 1, "messages", "does not name frage"),
        ("procedure.yaml", "key: probe", "key: other", 2, "key", "is not the folder's name 'probe'"),
        ("procedure.yaml", "title: Probe", "title: [Probe", 4, "", "is not YAML"),
        ("procedure.yaml", "title: Probe", "title: Probe\ntitle: Probe", 4, "title", "a second time"),
        ("procedure.yaml", "key: probe", "key: &a probe", 2, "", "anchor or alias"),
        ("messages/frage/message.yaml", '"1.0"', "1.0", 2, "version", "write it in quotes"),
        ("messages/frage/message.yaml", "key: frage", "key: fragen", 1, "key", "is not the folder's name"),
        ("messages/frage/message.yaml", "written", "schriftlich", 5, "form", "one of none, confidential"),
        ("messages/frage/message.yaml", "{{ data.text }}", "{{ date.text }", 4, "subject", "is no Jinja2"),
        ("messages/frage/message.yaml", "type: string", "type: strnig", 11, "properties.text.type", "strnig"),
        ("messages/frage/message.yaml", "title: Frage\ns", "title: Frage\nx: 1\ns", 4, "x", "is not known"),
        ("messages/frage/letter.jinja", "{{ data.text }}", "{{ text }}", None, "", "write data.NAME"),
        ("messages/frage/registration.form", '"key": "text"', '"key": "frage"', None, "frage", "not in the"),
        ("forms/ask.form", "textfield", "iframe", None, "text", "not carried out here"),
        ("forms/ask.form", '"id": "ask"', '"ids": "ask"', None, "", "no usable id"),
    ],
)  # fmt: skip
def test_faults_name_file_line_field_and_remedy(
    path: str, old: str, new: str, line: int | None, field: str, says: str
) -> None:
    error = refusal(changed(path, old, new))
    said = [p for p in error.problems if p.file == path and p.field == field and says in str(p)]
    assert said, str(error)
    if line is not None:
        assert said[0].line == line


def test_every_fault_is_told_at_once() -> None:
    package = changed("procedure.yaml", "title: Probe\n", "")
    package["forms/ask.form"] = b"{"
    package["messages/frage/letter.jinja"] = b"{% for"
    package["messages/frage/message.yaml"] = MESSAGE.replace("written", "wet ink").encode()
    assert {problem.file for problem in refusal(package).problems} == {
        "procedure.yaml",
        "forms/ask.form",
        "messages/frage/letter.jinja",
        "messages/frage/message.yaml",
    }


def test_a_message_folder_needs_its_message() -> None:
    package = dict(PACKAGE)
    del package["messages/frage/message.yaml"]
    assert [str(problem) for problem in refusal(package).problems] == [
        "messages/frage/message.yaml: is missing (every folder below messages/ needs one)"
    ]


def test_schema_stands_in_one_place() -> None:
    twice = {**PACKAGE, "messages/frage/schema.json": b'{"type": "object", "additionalProperties": false}'}
    assert "stands inline and in schema.json" in str(refusal(twice))
    nowhere = {**PACKAGE, "messages/frage/message.yaml": MESSAGE.split("schema:", maxsplit=1)[0].encode()}
    assert "schema: is missing" in str(refusal(nowhere))


def test_content_hash_is_about_what_a_package_does() -> None:
    before = content_hash(PACKAGE)
    same = {
        **PACKAGE,
        "procedure.yaml": b"# a comment\r\n" + HEAD.replace("\n", "\r\n").encode(),
        "forms/ask.form": json.dumps(dict(reversed(FORM.items())), indent=4).encode(),
        "probe.bpmn": PACKAGE["probe.bpmn"],
        "scenarios/new.yaml": b"anything",
    }
    assert content_hash(same) == before
    assert content_hash(changed("procedure.yaml", "title: Probe", "title: Proben")) != before
    assert content_hash(changed("probe.bpmn", "<definitions/>", "<definitions />")) != before
    assert content_hash({**PACKAGE, "decisions/new.dmn": b""}) != before


def test_text_stays_text() -> None:
    package = build_package(
        changed("procedure.yaml", "basis: Probe", "basis: 2026-01-31").copy()
        | {"messages/frage/message.yaml": MESSAGE.replace("title: Frage", "title: yes").encode()}
    )
    assert package.retention.basis == "2026-01-31"
    assert package.message_types["frage"].title == "yes"


def test_a_file_that_explodes_is_refused() -> None:
    deep = {**PACKAGE, "procedure.yaml": b"[" * 5_000}
    assert "nested deeper" in str(refusal(deep))
    assert "too deep" in str(refusal({**PACKAGE, "forms/ask.form": b"[" * 200_000}))
    assert "not UTF-8" in str(refusal({**PACKAGE, "procedure.yaml": b"\xff"}))


def scenario_refusal(old: str, new: str) -> str:
    package = build_package(changed("scenarios/eine.yaml", old, new))
    with pytest.raises(PackageRefusedError) as caught:
        read_scenarios(package)
    return str(caught.value)


def test_a_scenario_is_read() -> None:
    package = build_package(PACKAGE)
    (scenario,) = read_scenarios(package)
    assert scenario.begins.isoformat() == "2026-03-02T08:00:00+01:00"
    assert scenario.channels == ("letter+post", "xdomea+folder")
    assert scenario.steps[1] == Turn(6, by="P3M")
    longer = SCENARIO.replace("P3M", '"2026-06-02 09:30"').encode()
    turn = read_scenario(longer, "x.yaml", package).steps[1]
    assert isinstance(turn, Turn)
    assert str(turn.to) == "2026-06-02 09:30:00+02:00"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("- turn: P3M", "- trun: P3M", "eine.yaml:6: steps[1]: does not say what happens"),
        ("- turn: P3M", "- {turn: P3M, start: asking}", "exactly one of start, complete"),
        ("P3M", "3 months", "is no period and no instant"),
        ("P3M", "2026-02-30 08:00", "is no period and no instant"),
        ("- start: asking", "- start: enforcing", "'enforcing' takes no part"),
        ("- turn: P3M", "- {deliver: brief, from: asking}", "'brief' is no message type (one of frage)"),
        ("- turn: P3M", "- {then: asking, message: {}}", "message stands without sent"),
        ("- turn: P3M", "- {then: asking}", "steps[1]"),
        ("- turn: P3M", "- {start: asking, at: x, with: {}}", "steps[1].with: with stands beside at"),
        ("- turn: P3M", "- {start: asking, at: 3}", "steps[1].at"),
        ('{asking: "10041100"}', "{asking: 10041100}", "write it in quotes"),
        ("asking: \"", "other: \"", "is no role of the procedure"),
        ("2026-03-02", "2026-02-30", "is no day and time"),
    ],
)  # fmt: skip
def test_faults_of_scenarios(old: str, new: str, says: str) -> None:
    assert says in scenario_refusal(old, new)


def test_differences_look_at_what_is_expected_only() -> None:
    actual = {"a": {"b": 1, "c": [1, 2]}, "d": True}
    assert not list(differences({"a": {"b": 1.0}}, actual))
    assert list(differences({"a": {"c": [1]}}, actual)) == ["a.c has 2 entries, not 1"]
    assert list(differences({"d": 1, "e": None}, actual)) == ["d is True, not 1", "e is missing"]

"""Every group of commands, typed as in the README: output, JSON, exit statuses."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.timer import _written
from engine.service.numbers import number_of
from engine.service.timing import TimerLine

FIELDS = {
    "empfaenger": "Homburg",
    "vollstreckungsersuchen.schuldner.name": "Muster",
    "vollstreckungsersuchen.schuldner.strasse": "Talstraße 1",
    "vollstreckungsersuchen.schuldner.plz": "66424",
    "vollstreckungsersuchen.schuldner.ort": "Homburg",
    "vollstreckungsersuchen.forderung.grund": "Hundesteuer 2025",
    "vollstreckungsersuchen.forderung.aktenzeichen": "H 2025/9",
    "vollstreckungsersuchen.forderung.bescheid_vom": "15.01.2025",
    "vollstreckungsersuchen.forderung.faellig_seit": "15.02.2025",
    "vollstreckungsersuchen.forderung.hauptforderung": "96,50",
    "vollstreckungsersuchen.vollstreckbarkeit.erklaert": "ja",
    "vollstreckungsersuchen.vollstreckbarkeit.mahnung_vom": "20.03.2025",
    "vollstreckungsersuchen.zahlung.iban": "DE02120300000000202051",
    "vollstreckungsersuchen.zahlung.verwendungszweck": "H 2025/9",
}


def typed(fields):
    return [part for key, value in fields.items() for part in ("--set", f"{key}={value}")]


def test_a_case_from_start_to_letter(sb, home, tmp_path):
    (tmp_path / "homburg.csv").write_text("id,address\n10045114,Am Forum 5|66424 Homburg\n", encoding="utf-8")
    assert sb("authority", "import", tmp_path / "homburg.csv").status == 0
    reference = sb("case", "start", "vollstreckungshilfe", "--json").json["own_reference"]
    task = sb("task", "list", "--json").json[0]
    assert "Ersuchen erfassen" in sb("task", "list").out
    assert "Hauptforderung" in sb("task", "show", task["id"][:8]).out
    assert sb("task", "claim", task["id"]).out.strip() == "Ersuchen erfassen: admin"
    done = sb("task", "complete", task["id"], *typed(FIELDS))
    assert done.status == 0, done.err
    assert sb("work", "--until-idle").out.startswith("0 timers, 1 jobs")
    exchange = sb("exchange", "list", "--case", reference, "--json").json[0]
    assert exchange["subject"].startswith("Vollstreckungsersuchen gegen Muster")
    assert "no rule" in sb("exchange", "explain", exchange["id"]).out
    shown = sb("exchange", "show", exchange["id"], "--json").json
    assert shown["data"]["forderung"]["hauptforderung"] == 96.5
    assert shown["dispatches"][0]["state"] == "handed_over"
    assert len(list((home / "print").rglob("*.pdf"))) >= 1
    posting = next(t for t in sb("task", "list", "--json").json if t["kind"] == "confirm-posting")
    assert sb("task", "complete", posting["id"]).status == 0
    shown = sb("case", "show", reference)
    assert "Antwort" in shown.out
    assert "✓Task_Erfassen" in shown.out
    assert sb("case", "list", "--search", reference, "--json").json[0]["status"] == "open"
    line = sb("migration", "status", "--json").json["lines"][0]
    assert (line["step"], line["exchanges"], line["levels"]) == ("Send_Ersuchen", 1, {"A": 1})
    assert line["electronic"] == {"count": 0, "n": 1, "percent": 0.0}
    assert "Send_Ersuchen" in sb("migration", "status").out
    timer = sb("timer", "list", "--json").json[0]
    assert json.loads(sb("timer", "show", timer["id"]).out)["expression"] == "P3M7D"
    assert sb("db", "check").status == 0


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["case", "show", "nothing"], 3, "case list"),
        (["task", "complete", "nothing"], 3, "task list"),
        (["case", "start", "nothing"], 3, "model list"),
        (["model", "deploy", "nothing"], 3, "procedure.yaml"),
        (["arrival", "register", "nothing", "--from", "Homburg"], 1, "model show"),
        (["migration", "switch", "telegram"], 1, "payload+carrier"),
        (["mailbox", "add", "Entenhausen", "xdomea+folder", "x"], 3, "authority list"),
        (["--as", "nobody", "case", "list"], 3, "person list"),
        (["--at", "yesterday", "case", "list"], 2, "2026"),
        (["incident", "show", "nothing"], 3, "incident list"),
        (["case", "start", "vollstreckungshilfe", "--data", "{no json"], 2, "JSON"),
        (["case", "start", "vollstreckungshilfe", "--data", "[1]"], 2, "object"),
        (["case", "start", "vollstreckungshilfe", "--data", "@missing.json"], 2, "missing.json"),
        (["task", "complete", "nothing", "--set", "betrag"], 2, "KEY=VALUE"),
        (["case", "nonsense"], 2, "nonsense"),
    ],
)
def test_errors_say_how_to_mend_and_have_their_status(sb, arguments, status, said):
    result = sb(*arguments)
    assert (result.status, said in result.err) == (status, True), result
    assert "Traceback" not in result.err


def test_without_an_installation_the_way_out_is_named(dienstweg, tmp_path):
    result = dienstweg("--home", tmp_path / "none", "case", "list")
    assert result.status == 6
    assert "dienstweg init" in result.err


def test_every_listing_has_json(sb):
    for listing in (
        ["authority", "list"],
        ["mailbox", "list"],
        ["person", "list"],
        ["model", "list"],
        ["case", "list"],
        ["task", "list"],
        ["arrival", "list"],
        ["exchange", "list"],
        ["incident", "list"],
        ["timer", "list"],
        ["migration", "rules"],
        ["deadline", "rules"],
    ):
        result = sb(*listing, "--json")
        assert result.status == 0, result
        assert isinstance(result.json, list), listing


def test_the_turned_clock_lets_tomorrow_come(sb):
    case = sb("case", "start", "vollstreckungshilfe", "--json").json
    late = sb("--at", "2030-01-01T08:00+01:00", "case", "start", "vollstreckungshilfe", "--json").json
    assert late["started_at"].startswith("2030-01-01T07:00")
    assert case["started_at"] < late["started_at"]


def test_the_demo_tells_its_story_twice(dienstweg, tmp_path):
    first = dienstweg("demo", "--folder", tmp_path / "demo")
    assert first.status == 0, first.err
    assert "is ended at End_Beglichen" in first.out
    assert first.out.count("intact") == 2
    assert "at the intermediary https://127.0.0.1:" in first.out
    assert "received" in first.out
    assert "intermediary serve --home" in first.out
    second = dienstweg("demo", "--folder", tmp_path / "demo", "--electronic", "folder")
    assert second.status == 0
    assert "in the exchange folder: austausch" in second.out
    home = tmp_path / "demo" / "saarbruecken"
    status = dienstweg("--home", home, "--as", "admin", "migration", "status", "--json").json
    assert status["total"]["levels"] == {"A": 1, "C": 1}
    assert dienstweg("--home", home, "--as", "weber", "migration", "status").status == 5
    each_task_has_a_number_of_its_own(dienstweg, tmp_path / "demo" / "homburg")


def each_task_has_a_number_of_its_own(dienstweg, home):
    case = dienstweg("--home", home, "--as", "klein", "case", "list", "--json").json[0]
    shown = dienstweg("--home", home, "--as", "klein", "case", "show", case["id"], "--json").json
    items = {
        step["item"]
        for entry in shown["path"]
        for step in entry["steps"]
        if step.get("item") and step["kind"] == "completed"
    }
    numbers = {number_of(item) for item in items}
    assert len(numbers) == len(items) > 2
    for item in sorted(items):
        found = dienstweg("--home", home, "--as", "klein", "task", "show", number_of(item), "--json")
        assert found.status in (0, 3)
        if found.status == 0:
            assert found.json["task"]["id"] == item


def test_the_demo_deletes_nobodys_folder(dienstweg, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    result = dienstweg("demo", "--folder", tmp_path)
    assert result.status == 1
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_help_lists_every_group_without_loading_any(dienstweg):
    result = dienstweg("--help")
    assert result.status == 0
    for group in (
        "init",
        "demo",
        "work",
        "model",
        "case",
        "task",
        "arrival",
        "migration",
        "xdomea",
        "letter",
    ):
        assert f"\n  {group}" in result.out, group


def test_single_fields_are_put_into_the_data_of_a_file(sb, tmp_path):
    from cli.show import merged

    assert merged({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 9}}) == {"a": {"b": 9, "c": 2}, "d": 3}


def test_a_wrong_mailbox_is_ended_and_added_anew(sb, tmp_path):
    (tmp_path / "x").mkdir()
    assert sb("mailbox", "add", "Homburg", "xdomea+folder", tmp_path / "x").status == 0
    assert "1 on xdomea+folder ended" in sb("mailbox", "end", "Homburg", "xdomea+folder").out
    assert sb("mailbox", "end", "Homburg", "xdomea+ego_mail").status == 3
    assert sb("mailbox", "list", "--json").json[0]["valid_until"] is not None


def test_what_only_timers_begin_is_refused_by_hand_and_played_by_its_scenario(sb, dienstweg):
    folder = Path(__file__).parents[1] / "service" / "packages" / "monatsmeldung"
    assert sb("model", "deploy", folder).status == 0
    refused = sb("case", "start", "monatsmeldung")
    assert (refused.status, refused.out) == (1, "")
    assert "dienstweg schedule on monatsmeldung" in " ".join(refused.err.split())
    played = dienstweg("model", "test", folder)
    assert (played.status, played.out.splitlines()[-1]) == (0, "1 passed, 0 failed")


def test_a_timer_that_was_moved_says_so():
    due = datetime(2026, 11, 23, 23, tzinfo=UTC)
    timer = TimerLine("t", "c", "SB-1", "Timer_Frist", "", "2026-11-23T23:00:00+00:00", due, 1)
    assert _written(timer) == timer.expression
    assert _written(replace(timer, expression="P14D", revision=2)) == "P14D"
    moved = replace(timer, due_at=due + timedelta(days=3), revision=2)
    assert _written(moved) == "geändert, war 2026-11-23T23:00:00+00:00"
    assert "geändert" in (_written(replace(moved, due_at=None)) or "")

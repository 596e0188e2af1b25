"""Deadlines as clerks type them: list, show, extend, facts, calendar; and settings that cannot be used."""

import csv
from pathlib import Path

import pytest
from icalendar import Calendar

PACKAGE = Path(__file__).parents[1] / "service" / "packages" / "einvernehmen"
DATA = '{"gemeinde": "10045114", "einvernehmensersuchen": {"vorhaben": "Carport"}}'


def at(instant: str) -> list[str]:
    return ["--at", instant]


@pytest.fixture
def sb(home, dienstweg, tmp_path):
    """Saarbrücken has asked Homburg for its consent by letter on 2 March 2026."""
    (tmp_path / "x.csv").write_text("id,address\n10045114,Am Forum 5|66424 Homburg\n", encoding="utf-8")

    def call(*arguments):
        return dienstweg("--home", home, *arguments)

    start = ("case", "start", "einvernehmen", "--process", "Process_Bauaufsicht", "--data", DATA)
    for command in (
        ("authority", "import", tmp_path / "x.csv"),
        ("model", "deploy", PACKAGE),
        (*at("2026-03-02T10:00+01:00"), *start),
        (*at("2026-03-02T10:00+01:00"), "work", "--until-idle"),
    ):
        done = call(*command)
        assert done.status == 0, done.err
    return call


def test_from_a_letter_without_proof_to_deemed_consent(sb):
    unarmed = sb("deadline", "list", "--unarmed")
    assert "läuft noch nicht" in unarmed.out
    assert "16.03.2026" in unarmed.out
    exchange = sb("exchange", "list", "--json").json[0]
    assert exchange["deadline"]["rule"] == "baugb-36-2"
    noted = sb(
        *at("2026-03-20T09:00+01:00"),
        *("fact", "record", exchange["id"][:8], "received", "--at", "2026-03-04", "--reason", "Anruf"),
    )
    assert noted.status == 0, noted.err
    (line,) = sb("deadline", "list", "--json").json
    assert (line["end"], line["state"], line["source"]) == ("2026-05-04", "armed", "§ 36 Abs. 2 Satz 2 BauGB")
    shown = sb("deadline", "show", line["id"][:8]).out
    assert "Anruf" in shown
    assert "admin" in shown
    assert "Eingang" in sb("exchange", "show", exchange["id"]).out

    sb(*at("2026-04-20T09:00+02:00"), "work", "--until-idle")
    listed = sb(*at("2026-04-29T09:00+02:00"), "task", "list", "--due", "2026-05-05").out
    assert "Frist endet am 04.05.2026" in listed
    assert "● gelb" in listed
    assert "§ 36 Abs. 2" in listed
    assert sb("task", "list", "--due", "2026-05-04", "--json").json == []

    done = sb(*at("2026-05-05T00:00+02:00"), "work", "--until-idle")
    assert done.out.startswith("1 timers")
    case = sb("case", "show", line["own_reference"])
    assert "abgelaufen" in case.out
    assert "deadline baugb-36-2 fired 2026-05-04" in case.out
    assert "Fiktion vermerken" in case.out

    counted = sb("migration", "status", "--json").json["total"]["deadlines"]
    one, none = {"count": 1, "n": 1, "percent": 100.0}, {"count": 0, "n": 1, "percent": 0.0}
    others = {"running": 0, "unarmed": 0, "dropped": 0}
    assert counted == {"met": none, "passed": one, "deemed": one, **others}
    shown = " ".join(sb("migration", "status").out.split())
    assert "eingehalten 0 % (n = 1) · abgelaufen 100 % (n = 1), davon mit Fiktion 1" in shown
    (row,) = csv.DictReader(sb("migration", "status", "--csv").out.splitlines(), delimiter=";")
    assert (row["step"], row["deadlines_deemed"], row["deadlines_deemed_n"]) == ("Send_Ersuchen", "1", "1")


def test_a_wrong_fact_is_withdrawn_and_the_end_is_unknown_again(sb):
    exchange = sb("exchange", "list", "--json").json[0]["id"]
    record = ("fact", "record", exchange, "received", "--at", "2026-03-02T09:30", "--reason", "x", "--json")
    fact = sb(*at("2026-03-20T09:00+01:00"), *record).json
    assert fact["at"] == "2026-03-02T08:30:00+00:00"
    assert sb("fact", "withdraw", fact["id"][:8], "--reason", "Verwechslung").status == 0
    assert sb("deadline", "list", "--json").json[0]["state"] == "unarmed"
    assert "zurückgenommen" in sb("exchange", "show", exchange).out


def test_the_calendar_is_a_file(sb):
    exchange = sb("exchange", "list", "--json").json[0]["id"]
    sb("fact", "record", exchange, "received", "--at", "2026-03-02", "--reason", "x")
    printed = sb("deadline", "calendar", "--person", "admin")
    (event,) = Calendar.from_ical(printed.out).walk("VEVENT")
    assert event["dtstart"].dt.isoformat() == "2026-05-04"
    assert sb("deadline", "calendar", "--person", "nobody").status != 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["deadline", "show", "nothing"], "no deadline"),
        (["deadline", "list", "--due-before", "tomorrow"], "due-before"),
        (["fact", "record", "x", "received", "--at", "2026-03-02", "--reason", "x"], "no exchange"),
        (["fact", "withdraw", "nothing", "--reason", "x"], "no fact"),
    ],
)
def test_what_is_not_there_is_said(sb, arguments, said):
    result = sb(*arguments)
    assert result.status != 0
    assert said in result.err


def test_extending_says_why_not(sb):
    exchange = sb("exchange", "list", "--json").json[0]["id"]
    sb("fact", "record", exchange, "received", "--at", "2026-03-02", "--reason", "x")
    line = sb("deadline", "list", "--json").json[0]["id"]
    refused = sb("deadline", "extend", line, "--source", "addressee", "--reason", "Ferien", "--by", "P1M")
    assert refused.status == 1
    assert "gives no way of extending" in refused.err


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('[deadlines]\nwatch = "two weeks"', "watch"),
        ('[deadlines.answers]\nweekend-vwvfg = "perhaps"', "perhaps"),
        ('[deadlines.answers]\nno-question = "later"', "no-question"),
        ('[deadlines.regions]\n"x" = "XX"', "XX"),
        ('[deadlines.closing."10041100"]\n"someday" = "x"', "closing"),
        ("[deadlines]\nfoo = 1", "foo"),
    ],
)
def test_settings_that_cannot_be_used_are_named(home, dienstweg, written, said):
    file = home / "dienstweg.toml"
    file.write_text(f"{file.read_text('utf-8')}\n{written}\n", encoding="utf-8")
    result = dienstweg("--home", home, "deadline", "list")
    assert result.status != 0
    assert said in result.err


def test_closing_days_and_answers_of_the_settings_count(sb, home):
    file = home / "dienstweg.toml"
    text = '[deadlines]\nsoon = 1\n[deadlines.closing."10041100"]\n2026-05-04 = "Betriebsausflug"\n'
    file.write_text(f"{file.read_text('utf-8')}\n{text}", encoding="utf-8")
    exchange = sb("exchange", "list", "--json").json[0]["id"]
    sb("fact", "record", exchange, "received", "--at", "2026-03-02", "--reason", "x")
    (line,) = sb("deadline", "list", "--json").json
    assert line["end"] == "2026-05-04"  # an office's outing moves no legal deadline
    lights = [
        sb(*at(day), "deadline", "list", "--json").json[0]["light"]
        for day in ("2026-04-29T09:00+02:00", "2026-04-30T09:00+02:00")
    ]
    assert lights == ["green", "yellow"]  # after 30 April nobody works before the end

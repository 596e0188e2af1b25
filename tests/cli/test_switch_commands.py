"""Switching as an admin types it: dry runs, summaries, reverts, refusals and their exit statuses."""

import csv
import io
from collections import Counter

import pytest
import typer

from cli.migration import app

RELATION = ("--procedure", "vollstreckungshilfe", "--recipient", "Homburg")


@pytest.fixture
def opened(sb, tmp_path):
    """Homburg has an exchange folder that takes tests, and so has Saarbrücken."""
    for name in ("Homburg", "Saarbrücken"):
        (tmp_path / name).mkdir()
        terms = ("--accepts-test", "--settings", '{"versions": ["3.1.0"]}')
        made = sb("mailbox", "add", name, "xdomea+folder", tmp_path / name, *terms)
        assert made.status == 0, made.err
    (tmp_path / "post.csv").write_text("id,address\n10045114,Am Forum 5|66424 Homburg\n", encoding="utf-8")
    assert sb("authority", "import", tmp_path / "post.csv").status == 0
    return sb


def test_a_dry_run_changes_nothing_and_the_run_says_the_same_as_done(opened):
    wanted = ("migration", "switch", "xdomea+folder", *RELATION, "--pilot", "10")
    dry = opened(*wanted, "--dry-run")
    assert dry.status == 0, dry.err
    assert "dry run, nothing is changed" in dry.out
    assert opened("migration", "rules", "--json").json == []
    done = opened(*wanted, "--reason", "try")
    assert done.out.startswith("done: ")
    assert "pilot 10 %" in done.out
    assert dry.out.splitlines()[2:] == done.out.splitlines()[2:]
    assert dry.out.splitlines()[1].startswith("rule would be in force: from 10041100")
    assert " in force: from 10041100" in done.out.splitlines()[1]
    shown = opened(*wanted, "--dry-run", "--json").json
    assert (shown["act_id"], shown["effects"]["counts"]["relations"]["stays"]) == (
        None,
        {"it is so already": 3},
    )


def test_a_revert_and_the_history(opened):
    opened("migration", "switch", "xdomea+folder", *RELATION, "--reason", "go")
    assert opened("migration", "revert", "--last").status == 1  # no reason
    back = opened("migration", "revert", "--last", "--reason", "the share is rebuilt", "--list")
    assert back.status == 0, back.err
    assert "ends: from 10041100" in back.out
    newest, first = opened("migration", "history", "--json").json
    assert (newest["kind"], newest["reason"], first["kind"]) == ("revert", "the share is rebuilt", "switch")
    assert "rebuilt" in opened("migration", "history").out
    assert opened("migration", "revert", "--last", "--reason", "x").status == 3
    assert opened("migration", "rules", "--json").json == []
    assert len(opened("migration", "rules", "--all", "--json").json) == 1


@pytest.mark.parametrize(
    ("arguments", "status", "word"),
    [
        (["switch", "xdomea+folder", "--shadow", "--pilot", "5"], 2, "exclude each other"),
        (["switch", "xdomea+folder", "--from-file", "x.csv", "--recipient", "Homburg"], 2, "leave"),
        (["switch", "xdomea+folder", "--from-file", "nowhere.csv"], 2, "cannot read"),
        (["switch", "xdomea+folder", "--recipient", "Neunkirchen"], 1, "no open mailbox"),
        (["switch", "xdomea+folder", "--district", "Homburg"], 1, "no district"),
        (["switch", "xdomea+folder", "--sender", "Homburg"], 3, "no sender"),
        (["switch", "xdomea+folder", "--recipient", "Entenhausen"], 3, "no authority"),
        (["switch", "xdomea+folder", "--revert-if", "often"], 1, "no condition"),
        (["switch", "xdomea+folder", "--effective", "2020-01-01"], 1, "in the past"),
        (["switch", "letter+post", "--shadow"], 1, "print and post"),
        (["switch", "letter+post"], 1, "a reason is needed"),
        (["switch", "letter+post", "--reason", " "], 1, "a reason is needed"),
        (["switch", "xdomea+folder", "--effective", "2027-03-28T02:30"], 1, "does not exist"),
        (["switch", "xdomea+folder", "--effective", "2027-10-31T02:30"], 1, "02:30+01:00"),
        (
            ["steps", "set", "vollstreckungshilfe", "Send_Ersuchen", "--why", "no-form", "--reason", " "],
            1,
            "reason",
        ),
        (
            ["shadow", "consent", "Homburg", "--until", "2099-12-31", "--by", "x", "--reason", " "],
            1,
            "reason",
        ),
        (["revert"], 2, "give a rule's number"),
        (["revert", "abcdef12", "--reason", "x"], 3, "no rule or switch"),
        (["shadow", "show", "abcdef12"], 3, "no shadow send"),
        (["shadow", "withdraw", "abcdef12"], 3, "no consent"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(opened, arguments, status, word):
    result = opened("migration", *arguments)
    assert result.status == status, result.err
    assert word in result.err
    assert len(result.err.strip().splitlines()) == 1


def test_a_planned_rule_is_called_planned_and_an_offset_says_which_hour_is_meant(opened):
    wanted = ("migration", "switch", "xdomea+folder", *RELATION)
    late = ("--effective", "2099-10-25T02:30+01:00")
    assert "rule would be planned: " in opened(*wanted, *late, "--dry-run").out
    made = opened(*wanted, *late, "--reason", "go")
    assert " planned: from 10041100" in made.out
    assert opened("migration", "rules", "--json").json[0]["valid_from"] == "2099-10-25T01:30:00+00:00"
    back = ("migration", "revert", "--last")
    assert " would never begin: from 10041100" in opened(*back, "--dry-run").out
    assert " never begins: from 10041100" in opened(*back, "--reason", "no").out
    opened(*wanted, "--reason", "now")
    opened(*wanted, *late, "--reason", "the same once more")
    told = opened(*back, "--reason", "one is enough").out
    assert " goes on: from 10041100" in told
    assert "it is so already" in told
    assert "overruled" not in told


def rows_of(result):
    return list(csv.DictReader(io.StringIO(result.out), delimiter=";"))


def test_what_a_switch_and_a_revert_do_can_be_opened_in_a_spreadsheet(opened):
    wanted = ("migration", "switch", "xdomea+folder", "--procedure", "vollstreckungshilfe")
    case = opened("case", "start", "vollstreckungshilfe", "--json").json
    dry, shown = rows_of(opened(*wanted, "--dry-run", "--csv")), opened(*wanted, "--dry-run", "--json").json
    assert dry == rows_of(opened(*wanted, "--reason", "go", "--csv"))
    by_kind = Counter(row["was"] for row in dry)
    assert by_kind["Beziehung"] == len(shown["effects"]["relations"])
    assert by_kind["Vorgang"] == 1
    assert by_kind["Frist"] == len(shown["consequences"]) > 0
    (line,) = [row for row in dry if row["was"] == "Vorgang"]
    assert (line["Vorgang"], line["von"], line["Ergebnis"]) == (case["own_reference"], "10041100", "open")
    back = ("migration", "revert", "--last")
    assert rows_of(opened(*back, "--dry-run", "--csv")) == rows_of(opened(*back, "--reason", "x", "--csv"))
    changed = [row for row in dry if row["an"] == "10045114" and row["was"] == "Beziehung"]
    assert {(row["bisher"], row["dann"]) for row in changed} == {("letter+post", "xdomea+folder")}


def leaves(command, path=()):
    for name, inner in getattr(command, "commands", {}).items():
        yield from leaves(inner, (*path, name))
    if not hasattr(command, "commands"):
        yield path, {option for parameter in command.params for option in parameter.opts}


ACTS = {
    "set",
    "reset",
    "remove",
    "export",
    "import",
    "trust",
    "distrust",
    "key",
    "consent",
    "withdraw",
}


def test_every_command_of_the_migration_speaks_json_and_every_list_csv():
    found = dict(leaves(typer.main.get_command(app)))
    assert len(found) > 25
    for path, options in found.items():
        assert "--json" in options, path
        assert "--csv" in options or path[-1] in ACTS, path


def test_a_planned_rule_stands_in_the_way_of_an_earlier_switch(opened):
    later = opened(
        "migration", "switch", "xdomea+folder", *RELATION, "--effective", "2099-01-01", "--reason", "go"
    )
    assert "from 01.01.2099 00:00" in later.out
    now = opened("migration", "switch", "letter+post", *RELATION, "--reason", "go")
    assert (now.status, "planned" in now.err) == (4, True)


def test_consents_are_recorded_listed_and_withdrawn(opened):
    given = ("--until", "2099-12-31", "--by", "Dr. Weber", "--reason", "Vermerk")
    made = opened("migration", "shadow", "consent", "Homburg", *given)
    assert made.status == 0, made.err
    line = opened("migration", "shadow", "consents", "--json").json[0]
    assert (line["sender_id"], line["recipient_id"], line["given_by"]) == ("10041100", "10045114", "10041100")
    assert opened("migration", "shadow", "withdraw", line["id"]).status == 0
    assert opened("migration", "shadow", "consents", "--json").json[0]["withdrawn_at"] is not None
    assert opened("migration", "shadow", "list").status == 0
    assert "keine" in opened("migration", "shadow", "compare").out


@pytest.mark.parametrize(
    "listing",
    [
        *(("status",), ("register",), ("readiness",), ("rules",), ("history",)),
        *(("ledger", "list"), ("ledger", "partners"), ("volumes", "list"), ("steps", "list")),
        *(("shadow", "list"), ("shadow", "compare"), ("shadow", "consents")),
        ("steps", "history", "vollstreckungshilfe", "Send_Ersuchen"),
    ],
)
def test_every_listing_of_the_migration_has_json_and_csv_even_when_it_is_empty(opened, listing):
    assert isinstance(opened("migration", *listing, "--json").json, list | dict)
    told = opened("migration", *listing, "--csv")
    assert told.status == 0, told.err
    assert ";" in told.out.splitlines()[0]


def test_where_nothing_is_deployed_the_first_step_is_named(dienstweg, tmp_path):
    assert (
        dienstweg("--home", tmp_path / "new", "init", "--code", "NW", "--authority", "10041100").status == 0
    )
    for asked in (["register"], ["readiness"], ["readiness", "--list"], ["readiness", "--by", "relation"]):
        told = dienstweg("--home", tmp_path / "new", "migration", *asked)
        assert told.status == 0, told.err
        assert "'dienstweg model deploy'" in told.out

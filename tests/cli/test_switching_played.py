"""Two town halls in one installation, switched, watched and taken back as admins and the scheduler do it."""

import csv
import io
import json

import pytest

from tests.enforcement import REQUEST

DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
RELATION = ("--procedure", "vollstreckungshilfe", "--recipient", "Homburg")
FOLDER, POST = "xdomea+folder", "letter+post"
SAARBRUECKEN, NEUNKIRCHEN, HOMBURG = "10041100", "10043114", "10045114"
ADDRESSES = f"""id,address
{HOMBURG},Am Forum 5|66424 Homburg
{SAARBRUECKEN},Rathausplatz 1|66111 Saarbrücken
{NEUNKIRCHEN},Oberer Markt 16|66538 Neunkirchen
"""


def at(day, hour="09:00"):
    return f"2026-12-{day:02}T{hour}+01:00"


class Play:
    """The installation, as its two admins type: ``admin`` runs it all, ``nk`` Neunkirchen only."""

    def __init__(self, dienstweg, home, folder):
        self.home, self.folder = home, folder
        self._run = dienstweg

    def __call__(self, *arguments, when="2026-12-01T09:00+01:00", person="admin", status=0):
        done = self._run("--home", self.home, "--as", person, "--at", when, *arguments)
        assert done.status == status, done.out + done.err
        return done

    def request(self, when, person="admin"):
        case = self("case", "start", "vollstreckungshilfe", "--json", when=when, person=person).json["id"]
        (task,) = self("task", "list", "--case", case, "--json", when=when, person=person).json
        self("task", "complete", task["id"], "--data", json.dumps(REQUEST), when=when, person=person)

    def work(self, when):
        self("work", "--until-idle", when=when)

    def in_force(self, when):
        found = self("migration", "rules", "--json", when=when).json
        return {rule["authority_id"]: rule["channel"] for rule in found}


@pytest.fixture
def play(request, tmp_path, dienstweg, monkeypatch):
    if getattr(request, "param", "sqlite") == "postgresql":
        url = request.getfixturevalue("postgres").fresh()
        monkeypatch.setenv("DIENSTWEG_DATABASE_URL", url)
    done = Play(dienstweg, tmp_path / "home", tmp_path / "folders")
    halls = ("--authority", SAARBRUECKEN, "--authority", NEUNKIRCHEN)
    assert dienstweg("--home", done.home, "init", "--code", "SB", *halls).status == 0
    (tmp_path / "post.csv").write_text(ADDRESSES, encoding="utf-8")
    done("model", "deploy", "vollstreckungshilfe")
    done("authority", "import", tmp_path / "post.csv")
    done(
        "person",
        "add",
        "nk",
        "Nina Klein",
        *("--role", "admin", "--role", "clerk"),
        "--authority",
        NEUNKIRCHEN,
    )
    for hall in (SAARBRUECKEN, NEUNKIRCHEN):
        (done.folder / HOMBURG / hall).mkdir(parents=True)
        (done.folder / hall).mkdir()
    terms = ("--since", "2026-01-01", "--settings", '{"senders": "subfolders", "versions": ["3.1.0"]}')
    for hall in (SAARBRUECKEN, NEUNKIRCHEN, HOMBURG):
        done("mailbox", "add", hall, FOLDER, done.folder / hall, *terms)
    return done


@pytest.mark.parametrize("play", DATABASES, indirect=True)
def test_each_senders_rule_takes_itself_back_by_what_that_sender_has_seen(play):
    play("migration", "switch", POST, *RELATION, "--reason", "as ever", when=at(1, "08:00"))
    watched = ("--revert-if", "failures>20%/5", "--revert-if", "no-receipt>50%/P2D/5")
    both = play("migration", "switch", FOLDER, *RELATION, *watched, "--reason", "go", "--json").json
    assert {rule["sender_id"] for rule in both["rules"]} == {SAARBRUECKEN, NEUNKIRCHEN}
    assert {tuple(rule["revert_if"]) for rule in both["rules"]} == {
        ("failures>20%/5", "no-receipt>50%/P2D/5")
    }
    assert len(play("migration", "rules", "--json", person="nk").json) == 1
    for _ in range(3):
        play.request(at(1))
    for _ in range(5):
        play.request(at(1), "nk")
    play.work(at(1))

    (play.folder / HOMBURG / SAARBRUECKEN).rename(play.folder / "gone")
    for _ in range(2):
        play.request(at(1, "10:00"))
    play.work(at(1, "10:00"))
    assert set(play.in_force(at(1, "10:00")).values()) == {FOLDER}  # looked at every ten minutes
    play.work(at(1, "10:15"))
    assert play.in_force(at(1, "10:15")) == {SAARBRUECKEN: POST, NEUNKIRCHEN: FOLDER}
    newest = play("migration", "history", "--json", when=at(1, "10:15")).json[0]
    assert (newest["automatic"], newest["sender_id"]) == (True, SAARBRUECKEN)
    assert newest["figures"] == {"condition": "failures>20%/5", "n": 5, "bad": 2, "percent": 40.0}
    assert "selbsttätig" in play("migration", "history", when=at(1, "10:15")).out
    seen = [play("incident", "list", when=at(1, "10:15"), person=who).out for who in ("admin", "nk")]
    assert ["rule-reverted" in each for each in seen] == [True, False]

    exchanges = play("exchange", "list", "--json", person="nk").json
    facts = []
    for each in exchanges[:3]:
        known = ("received", "--at", "2026-12-01T09:30", "--reason", "Anruf", "--json")
        facts.append(play("fact", "record", each["id"], *known, when=at(2), person="nk").json["id"])
    play.work(at(3, "12:00"))
    assert play.in_force(at(3, "12:00"))[NEUNKIRCHEN] == FOLDER
    play("fact", "withdraw", facts[0], "--reason", "falscher Vorgang", when=at(3, "12:30"), person="nk")
    play.work(at(3, "13:00"))
    assert play.in_force(at(3, "13:00")) == {SAARBRUECKEN: POST, NEUNKIRCHEN: POST}
    newest = play("migration", "history", "--json", when=at(3, "13:00"), person="nk").json[0]
    assert newest["reason"] == "no-receipt>50%/P2D/5: 3 of 5 (60.0 %)"
    play.work(at(9))
    assert len(play("migration", "history", "--json", when=at(9)).json) == 6  # nothing is taken back twice


@pytest.mark.parametrize("play", DATABASES, indirect=True)
def test_a_rule_whose_mailbox_ends_says_so_wherever_one_looks(play):
    play("migration", "switch", FOLDER, *RELATION, "--reason", "go")
    ended = play("mailbox", "end", "Homburg", FOLDER, "--last", "2026-12-04", when=at(4))
    assert "rules that name it: 2" in ended.out
    assert {rule["closed"] for rule in play("migration", "rules", "--json", when=at(4)).json} == {None}
    listed = play("migration", "rules", when=at(5)).out
    assert "ended on" in " ".join(listed.split())
    again = play("migration", "switch", FOLDER, *RELATION, "--reason", "go", when=at(5), status=1)
    assert "ended on 2026-12-04" in again.err
    play.request(at(5))
    play.work(at(5))
    assert "Postfach geschlossen 1" in play("migration", "status", when=at(5)).out
    (exchange,) = play("exchange", "list", "--json", when=at(5)).json
    assert "ended on 2026-12-04" in play("exchange", "explain", exchange["id"], when=at(5)).out

    terms = ("--since", "2026-12-20", "--settings", '{"senders": "subfolders", "versions": ["3.1.0"]}')
    play("mailbox", "add", "Homburg", FOLDER, play.folder / HOMBURG, *terms, when=at(6))
    early = play("migration", "switch", FOLDER, *RELATION, "--reason", "go", when=at(6), status=1)
    assert "opens on 2026-12-20" in early.err
    play("migration", "switch", FOLDER, *RELATION, "--reason", "go", "--effective", "2026-12-20", when=at(6))
    found = play("migration", "rules", "--json", when=at(6)).json
    assert {rule["closed"] is None: rule["valid_from"][:10] for rule in found} == {
        True: "2026-12-19",
        False: "2026-12-01",
    }


def test_overlapping_rules_are_named_and_can_be_taken_back_at_once(play):
    narrow = play("migration", "switch", FOLDER, *RELATION, "--reason", "narrow", "--json").json
    wide = ("migration", "switch", POST, "--procedure", "vollstreckungshilfe")
    lines = csv.DictReader(io.StringIO(play(*wide, "--dry-run", "--csv").out), delimiter=";")
    told = {
        line["von"]: line["warum"] for line in lines if (line["was"], line["an"]) == ("Beziehung", HOMBURG)
    }
    for rule in narrow["rules"]:
        assert told[rule["sender_id"]] == f"overruled by a narrower or newer rule: {rule['id'][:8]}"

    late = play(*wide, "--effective", "2026-12-20", "--reason", "later", "--json").json
    refused = play(*wide, "--effective", "2026-12-10", "--reason", "before that", status=4)
    assert "2 rules are planned for the same scopes" in refused.err
    assert f"migration revert {late['act_id'][:8]})" in refused.err
    assert "10043114" not in play(*wide, "--reason", "own", person="nk", status=4).err
    play("migration", "revert", late["act_id"][:8], "--reason", "sooner")
    play(*wide, "--effective", "2026-12-10", "--reason", "before that")

"""Register, steps, volumes and readiness as people type them."""

import json
from dataclasses import dataclass

import pytest

from cli.main import run
from tests.migration.many_halls import make

SEND = ("vollstreckungshilfe", "Send_Ersuchen")


@dataclass(frozen=True)
class Result:
    status: int
    out: str
    err: str


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("typed") / "home"
    make(folder).close()
    return folder


@pytest.fixture
def typed(home, monkeypatch, capsys):
    def call(*arguments, person="sb"):
        words = ["dienstweg", "--home", home, "--as", person, "--at", "2026-11-28T12:00+01:00", "migration"]
        monkeypatch.setattr("sys.argv", [*map(str, words), *map(str, arguments)])
        capsys.readouterr()
        try:
            run()
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 0
        printed = capsys.readouterr()
        return Result(status, printed.out, printed.err)

    return call


def test_from_the_register_to_what_to_open_next(typed, tmp_path):
    told = typed("register")
    assert "348 Beziehungen, 1 Absender, 59 Empfänger" in told.out
    page = typed("register", "--list", "--step", "Send_Ersuchen", "--limit", 2)
    assert "Beziehungen 1 bis 2 von 58" in page.out
    assert "--offset 2" in page.out
    lines = typed("register", "--list", "--csv", "--district", "10045").out.splitlines()
    assert lines[0].startswith("procedure;step;sender;recipient;")
    assert len(lines) == 1 + 6 * 8

    file = tmp_path / "z.csv"
    heading = "verfahren;schritt;empfänger;monat;anzahl;kanal"
    file.write_text(f"{heading}\nvollstreckungshilfe;Send_Ersuchen;Homburg;2026-03;12;Post\n")
    assert "nothing was written" in typed("volumes", "import", file, "--dry-run").out
    unclear = typed("volumes", "import", file, "--dry-run", "--value", "channel:Post=Rohrpost").out
    assert "? = channel not understood: 'Rohrpost' (12)" in unclear
    told = typed("volumes", "import", file, "--dry-run", "--csv").out.splitlines()
    assert told[1:] == ["gezählt;vollstreckungshilfe;Send_Ersuchen;12;;"]
    assert "imported as 'z.csv'" in typed("volumes", "import", file).out
    assert "unchanged" in typed("volumes", "import", file).out
    assert "12 (12 i, 12 P)" in typed("register", "--used").out
    ranking = json.loads(
        typed("readiness", "--json", "--channel", "xdomea+folder", "--channel", "letter+post").out
    )
    assert (ranking["relations"], ranking["n"], ranking["electronic_n"]) == (348, 12, 0)
    assert ranking["worth_opening"][0]["mailboxes"][0]["authority"] == "10045114"
    if_open = typed("readiness", "--recipient", "Homburg", "--what-if", "mailbox Homburg xdomea+folder")
    assert "6 relations, n = 12 (12 on paper) would become ready" in if_open.out
    assert max(len(line.rstrip()) for line in if_open.out.splitlines()) <= 80
    listed = typed("readiness", "--list", "--recipient", "Homburg")
    assert "[no-address]" in listed.out
    assert "authority import" in listed.out
    assert typed("readiness", "--by", "step", "--csv").out.startswith("row;name;channel;relations")
    assert "probed: 0 mailboxes" in typed("readiness", "--probe").out
    assert "no electronic mailbox is recorded" in typed("readiness").out
    singly = ("readiness", "--by", "relation", "--channel", "xdomea+folder", "--channel", "letter+post")
    shown = typed(*singly, "--limit", 3)
    assert "… and 693 more" in shown.out
    assert "Homburg" in shown.out.partition("Kanal")[2].splitlines()[2]  # what was used most comes first
    found = json.loads(typed(*singly, "--json").out)["singles"]
    assert len({(one["procedure"], one["step"], one["recipient"], one["channel"]) for one in found}) == 696
    first = next(one for one in found if one["channel"] == "xdomea+folder")
    assert (first["recipient"], first["ready"], first["n"]) == ("10045114", "blocked", 12)
    assert {(each["side"], each["code"]) for each in first["blockers"]} == {("recipient", "no-mailbox")}
    assert len(typed(*singly, "--csv").out.splitlines()) == 1 + 696

    assert "vollstreckungshilfe" in typed("steps", "list").out
    done = typed("steps", "set", *SEND, "--why", "paper-bound", "--source", "§ 1", "--reason", "gelesen")
    assert "rechtlich an Papier gebunden" in done.out
    assert "gelesen" in typed("steps", "history", *SEND).out
    assert "keine Form nötig" in typed("steps", "reset", *SEND, "--reason", "Irrtum").out
    assert typed("volumes", "remove", "z.csv").status == 0
    assert "z.csv" in typed("volumes", "list").out


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["register", "--sender", "Homburg"], 3, "no sender"),
        (["register", "--procedure", "nothing"], 3, "model list"),
        (["register", "--step", "Send_Nichts"], 3, "Send_Ersuchen"),
        (
            ["steps", "set", "vollstreckungshilfe", "Send_Ersuchen", "--why", "x", "--reason", "x"],
            1,
            "no-form",
        ),
        (["volumes", "import", "nothing.csv"], 6, "cannot read"),
        (["volumes", "import", "nothing.csv", "--map", "x"], 1, "FIELD=TEXT"),
        (["volumes", "import", "nothing.csv", "--value", "step=x"], 1, "FIELD:TEXT=MEANING"),
        (["volumes", "remove", "nothing"], 3, "volumes list"),
        (["readiness", "--by", "colour"], 1, "recipient, sender, step, relation"),
        (["readiness", "--channel", "letter+pigeon"], 6, "pigeon"),
        (["readiness", "--what-if", "mailbox 99 xdomea+folder"], 3, "authority list"),
        (["readiness", "--what-if", "x"], 1, "mailbox 10045114"),
    ],
)
def test_errors_say_how_to_mend_and_have_their_status(typed, arguments, status, said):
    told = typed(*arguments)
    assert told.status == status, told.err
    assert said in told.err


def test_a_clerk_is_not_shown_anything(typed):
    for command in (["register"], ["readiness"], ["steps", "list"], ["volumes", "list"]):
        assert typed(*command, person="clerk").status == 5

"""A case by paper alone, between two real installations: printed, posted, scanned, registered, answered."""

from datetime import timedelta
from pathlib import Path

from adapters.letter.payload import LetterPayload
from engine.exchange.codes import parse_code
from engine.service import tasks
from engine.service.arrivals.registering import PaperArrival, list_arrivals, register, show_arrival
from engine.service.cases import list_cases, show_case, start_case
from engine.service.exchanges.listing import list_exchanges, show_exchange
from engine.service.trial import Side
from tests.enforcement import REQUEST
from tests.letter.rig import texts
from tests.post.towns import HOMBURG, REFUSAL, SAARBRUECKEN, Towns


def codes_of(side: Side) -> list[str]:
    """Return the codes that the scanner found on the newest arrival."""
    line = list_arrivals(side.app, side.actor, everything=True)[0]
    shown = show_arrival(side.app, side.actor, line.id)
    return [reference["value"] for reference in shown["references"] if reference["kind"] == "code"]


def test_a_request_and_its_answer_go_by_paper_alone(towns: Towns, tmp_path: Path) -> None:
    case = start_case(towns.sb.app, towns.sb.actor, "vollstreckungshilfe")
    towns.complete(towns.sb, "Ersuchen erfassen", REQUEST)
    (sent,) = list_exchanges(towns.sb.app, towns.sb.actor)
    scan = towns.deliver(towns.sb, towns.hom, tmp_path)

    shown = show_exchange(towns.sb.app, towns.sb.actor, sent.id)
    assert [fact["kind"] for fact in shown["facts"]] == ["posted"]
    (code,) = {parse_code(text).key for text in codes_of(towns.hom)}
    paper = PaperArrival(
        "vollstreckungsersuchen",
        SAARBRUECKEN,
        shown["data"],
        codes=codes_of(towns.hom)[:1],
        sender_reference=case.own_reference,
        scans=[scan],
    )
    assert register(towns.hom.app, towns.hom.actor, paper).status == "started"
    assert register(towns.hom.app, towns.hom.actor, paper).status == "duplicate"

    towns.work()
    towns.clock.turn(timedelta(days=2))
    towns.complete(towns.hom, "Ersuchen prüfen", REFUSAL)
    (answer,) = list_exchanges(towns.hom.app, towns.hom.actor)
    scan = towns.deliver(towns.hom, towns.sb, tmp_path)
    found = codes_of(towns.sb)
    assert code in {parse_code(text).key for text in found}
    data = show_exchange(towns.hom.app, towns.hom.actor, answer.id)["data"]
    back = PaperArrival("vollstreckungsantwort", HOMBURG, data, codes=found, scans=[scan])
    assert register(towns.sb.app, towns.sb.actor, back).status == "matched"
    towns.complete(towns.sb, "Antwort auswerten", {"auswertung": {"weiteres": "stundung"}})
    assert show_case(towns.sb.app, towns.sb.actor, case.id).case.status == "ended"
    assert len(list_cases(towns.hom.app, towns.hom.actor)) == 1


def test_the_post_room_at_the_command_line(towns: Towns, tmp_path: Path) -> None:
    assert towns.told(towns.sb, "list") == {"waiting": 0, "runs": []}
    assert type(towns.post(towns.sb, "run").exception).__name__ == "NothingToPostError"
    for _ in range(2):
        start_case(towns.sb.app, towns.sb.actor, "vollstreckungshilfe")
        towns.complete(towns.sb, "Ersuchen erfassen", REQUEST)
    assert towns.told(towns.sb, "list")["waiting"] == 2

    # One is posted by hand: the run leaves it alone.
    first = next(it for it in tasks.list_tasks(towns.sb.app, towns.sb.actor) if it.kind == "confirm-posting")
    tasks.complete_task(towns.sb.app, towns.sb.actor, first.id, {})
    told = towns.post(towns.sb, "run")
    assert "1 Brief, 2 Seiten, 0,95 €" in told.output
    assert "post confirm 2026-03-02-01" in told.output
    (run,) = towns.told(towns.sb, "list")["runs"]
    assert (run["letters"], run["cents"], run["printed"]) == (1, 95, True)

    # Cut off before the print file was whole, it cannot have been posted.
    whole, hidden = Path(run["folder"]) / "druck.pdf", Path(run["folder"]) / "elsewhere.pdf"
    whole.rename(hidden)
    early = towns.post(towns.sb, "confirm", run["run"])
    assert type(early.exception).__name__ == "PrintRunUnfinishedError"
    hidden.rename(whole)

    wrong = towns.post(towns.sb, "confirm", run["run"], "--on", "2026-03-09")
    assert type(wrong.exception).__name__ == "PostingRefusedError"
    assert len(towns.told(towns.sb, "confirm", run["run"])["confirmed"]) == 1
    assert towns.told(towns.sb, "confirm", run["run"])["confirmed"] == []
    assert len(towns.told(towns.sb, "confirm", run["run"])["before"]) == 1

    out = tmp_path / "again.pdf"
    towns.told(towns.sb, "reprint", run["dispatches"][0], "--out", str(out))
    assert "Vollstreckungsersuchen" in texts(out)[0]
    assert type(towns.post(towns.sb, "confirm", "2026-01-01-01").exception).__name__ == "PrintRunUnknownError"
    assert type(towns.post(towns.sb, "scan", str(tmp_path / "gone")).exception).__name__ == "ScanRefusedError"
    assert isinstance(towns.sb.app.adapters.payload("letter"), LetterPayload)

"""What comes back by post: scanned letters, second answers, closed cases, sister authorities, reminders."""

import json
import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.actor import Actor, Role
from engine.definitions.package import load_package
from engine.errors import RefusedError
from engine.exchange.codes import make_code
from engine.service import paper_figures, tasks
from engine.service.arrivals.codes import RegistrationRefusedError, SenderMismatchError
from engine.service.arrivals.registering import (
    ArrivalLine,
    ArrivalSettledError,
    PaperArrival,
    list_arrivals,
    register,
    show_arrival,
)
from engine.service.cases import list_cases, show_case, start_case
from engine.service.exchanges import posting, signing
from engine.service.exchanges.listing import list_exchanges, show_exchange
from engine.service.exchanges.recording import record_fact
from engine.service.trial import Side
from processes.bpmn import shipped
from tests.enforcement import REQUEST
from tests.letter.rig import save_pdf, scans, texts
from tests.post.towns import HOMBURG, REFUSAL, SAARBRUECKEN, Towns

ANSWER = {"ergebnis": "abgelehnt", "bericht": "Die Schuldnerin ist verzogen.", "anzahl_versuche": 0}


def newest(side: Side) -> ArrivalLine:
    return list_arrivals(side.app, side.actor, everything=True)[0]


def ask(towns: Towns, folder: Path) -> tuple[str, Path]:
    """Send a request by post; return Saarbrücken's exchange and the scan Homburg made."""
    start_case(towns.sb.app, towns.sb.actor, "vollstreckungshilfe")
    towns.complete(towns.sb, "Ersuchen erfassen", REQUEST)
    scan = towns.deliver(towns.sb, towns.hom, folder)
    (sent,) = list_exchanges(towns.sb.app, towns.sb.actor)
    return sent.id, scan


def test_a_letter_of_ours_that_comes_back_is_told_at_once(towns: Towns, tmp_path: Path) -> None:
    start_case(towns.sb.app, towns.sb.actor, "vollstreckungshilfe")
    towns.complete(towns.sb, "Ersuchen erfassen", REQUEST)
    (run,) = towns.told(towns.sb, "run")
    letter = scans(Path(run["folder"]) / "druck.pdf", 200)[2]
    back = save_pdf([letter], tmp_path / "back.pdf", 200)
    (told,) = towns.told(towns.sb, "scan", str(back))
    assert any("own letter come back" in remark for remark in told["documents"][0]["remarks"])
    (there,) = towns.told(towns.hom, "scan", str(back))
    assert not any("come back" in remark for remark in there["documents"][0]["remarks"])


@pytest.mark.parametrize("sheets", [(2,), (2, 3)], ids=["letter", "letter and its empty answer sheet"])
def test_a_letter_of_ours_that_comes_back_is_no_answer(
    towns: Towns, tmp_path: Path, sheets: tuple[int, ...]
) -> None:
    sb = towns.sb
    start_case(sb.app, sb.actor, "vollstreckungshilfe")
    towns.complete(sb, "Ersuchen erfassen", REQUEST)
    (run,) = towns.told(sb, "run")
    towns.told(sb, "confirm", run["run"])
    printed = [
        page
        for page, text in zip(
            scans(Path(run["folder"]) / "druck.pdf", 200),
            texts(Path(run["folder"]) / "druck.pdf"),
            strict=True,
        )
        if text and "Trennblatt" not in text
    ]
    back = save_pdf(printed[: len(sheets)], tmp_path / "back.pdf", 200)
    (told,) = towns.told(sb, "scan", str(back))
    assert len(told["documents"]) == 1
    assert any("own letter come back" in remark for remark in told["documents"][0]["remarks"])
    arrival = newest(sb)
    paper = PaperArrival("vollstreckungsantwort", HOMBURG, ANSWER)
    with pytest.raises(RegistrationRefusedError, match="our own letter") as refused:
        register(sb.app, sb.actor, paper, arrival.id)
    assert "fact record" in str(refused.value.hint)
    assert newest(sb).status == arrival.status
    (sent,) = list_exchanges(sb.app, sb.actor)
    assert "answered" not in [fact["kind"] for fact in show_exchange(sb.app, sb.actor, sent.id)["facts"]]
    # A partner may have written the answer on our letter: the clerk says so.
    assert register(sb.app, sb.actor, replace(paper, is_answer=True), arrival.id).status == "matched"


def test_a_day_of_receipt_before_the_sending_is_asked_about(towns: Towns, tmp_path: Path) -> None:
    exchange, _ = ask(towns, tmp_path)
    code = code_of(towns.sb, exchange)
    paper = PaperArrival("vollstreckungsantwort", HOMBURG, ANSWER, codes=(code,))
    towns.clock.turn(timedelta(days=2))
    for wrong in (date(2026, 3, 1), date(2026, 3, 30), date(2025, 3, 3)):
        for sure in (False, True):
            with pytest.raises(RefusedError) as refused:
                register(towns.sb.app, towns.sb.actor, replace(paper, received_on=wrong, long_ago=sure))
            assert "year right" in str(refused.value.hint)
    assert list_arrivals(towns.sb.app, towns.sb.actor, everything=True) == []
    line = register(towns.sb.app, towns.sb.actor, replace(paper, received_on=date(2026, 3, 3)))
    assert line.status == "matched"
    arrival = newest(towns.hom)
    request = replace(request_of(towns, exchange), received_on=date(2025, 3, 3))
    with pytest.raises(RegistrationRefusedError, match="180 days") as asked:
        register(towns.hom.app, towns.hom.actor, request, arrival.id)
    assert "--long-ago" in str(asked.value.hint)
    found = register(towns.hom.app, towns.hom.actor, replace(request, long_ago=True), arrival.id)
    assert (found.status, found.received_at.date()) == ("started", date(2025, 3, 3))


def test_the_post_room_is_told_that_the_tariffs_end(towns: Towns) -> None:
    for command in ("list", "run"):
        assert "31.12.2026" not in towns.post(towns.sb, command).stderr
    towns.clock.turn(timedelta(days=270))
    for command in ("list", "run"):
        assert "31.12.2026" in towns.post(towns.sb, command).stderr
    assert json.loads(towns.post(towns.sb, "list", "--json").stdout) == {"waiting": 0, "runs": []}


def request_of(towns: Towns, exchange: str) -> PaperArrival:
    data = show_exchange(towns.sb.app, towns.sb.actor, exchange)["data"]
    return PaperArrival("vollstreckungsersuchen", SAARBRUECKEN, data)


def code_of(side: Side, exchange: str) -> str:
    return make_code(side.app.settings.code, exchange, side.app.secret).text


def test_a_scan_is_registered_as_itself_with_its_record(towns: Towns, tmp_path: Path) -> None:
    exchange, scan = ask(towns, tmp_path)
    arrival = newest(towns.hom)
    assert (arrival.status, arrival.channel) == ("unmatched", "letter+post")
    parts = show_arrival(towns.hom.app, towns.hom.actor, arrival.id)["parts"]
    assert [(part["name"], part["role"]) for part in parts][-1] == ("scan.json", "evidence")

    paper = request_of(towns, exchange)
    with pytest.raises(RegistrationRefusedError, match="has its scan"):
        register(towns.hom.app, towns.hom.actor, replace(paper, scans=(scan,)), arrival.id)
    line = register(towns.hom.app, towns.hom.actor, paper, arrival.id)
    assert (line.id, line.status) == (arrival.id, "started")
    assert len(list_arrivals(towns.hom.app, towns.hom.actor, everything=True)) == 1
    with pytest.raises(ArrivalSettledError):
        register(towns.hom.app, towns.hom.actor, paper, arrival.id)

    (again,) = towns.again(towns.hom, scan, 4)
    assert again["status"] == "duplicate"
    assert again["case"] == line.case_id
    assert len(list_cases(towns.hom.app, towns.hom.actor)) == 1


def test_a_second_answer_has_no_second_effect(towns: Towns, tmp_path: Path) -> None:
    exchange, _ = ask(towns, tmp_path)
    register(towns.hom.app, towns.hom.actor, request_of(towns, exchange), newest(towns.hom).id)
    towns.work()
    towns.clock.turn(timedelta(days=2))
    towns.complete(towns.hom, "Ersuchen prüfen", REFUSAL)
    (answer,) = list_exchanges(towns.hom.app, towns.hom.actor)
    scan = towns.deliver(towns.hom, towns.sb, tmp_path)
    arrival = newest(towns.sb)
    assert (arrival.status, arrival.reason) == ("unconfirmed", "the channel does not prove who sent it")
    data = show_exchange(towns.hom.app, towns.hom.actor, answer.id)["data"]
    paper = PaperArrival("vollstreckungsantwort", HOMBURG, data)
    assert register(towns.sb.app, towns.sb.actor, paper, arrival.id).status == "matched"
    (again,) = towns.again(towns.sb, scan, 4)
    assert again["status"] == "duplicate"

    code = code_of(towns.sb, exchange)
    same = register(towns.sb.app, towns.sb.actor, replace(paper, codes=(code,)))
    assert same.status == "duplicate"
    other = register(towns.sb.app, towns.sb.actor, PaperArrival(paper.message_type, HOMBURG, ANSWER, (code,)))
    assert other.status == "filed"
    assert "answered already: letter+post" in str(other.reason)
    shown = show_exchange(towns.sb.app, towns.sb.actor, exchange)
    assert "scan.json" in [kept["name"] for kept in shown["evidence"]]
    assert [fact["kind"] for fact in shown["facts"]].count("answered") == 1

    towns.complete(towns.sb, "Antwort auswerten", {"auswertung": {"weiteres": "stundung"}})
    (case,) = list_cases(towns.sb.app, towns.sb.actor)
    assert show_case(towns.sb.app, towns.sb.actor, case.id).case.status == "ended"


def test_a_scan_with_the_code_of_a_closed_case_is_late(towns: Towns, tmp_path: Path) -> None:
    exchange, _ = ask(towns, tmp_path)
    code = code_of(towns.sb, exchange)
    paper = PaperArrival("vollstreckungsantwort", HOMBURG, ANSWER, codes=(code,))
    assert register(towns.sb.app, towns.sb.actor, paper).status == "matched"
    towns.complete(towns.sb, "Antwort auswerten", {"auswertung": {"weiteres": "stundung"}})
    register(towns.hom.app, towns.hom.actor, request_of(towns, exchange), newest(towns.hom).id)
    towns.complete(towns.hom, "Ersuchen prüfen", REFUSAL)
    towns.deliver(towns.hom, towns.sb, tmp_path)
    late = next(it for it in list_arrivals(towns.sb.app, towns.sb.actor) if it.channel == "letter+post")
    assert late.status == "late"
    assert "has ended" in str(late.reason)


def test_a_sister_authoritys_letter_is_hers(towns: Towns, tmp_path: Path) -> None:
    start_case(towns.sb.app, towns.sb.actor, "vollstreckungshilfe")
    towns.complete(towns.sb, "Ersuchen erfassen", REQUEST)
    (sent,) = list_exchanges(towns.sb.app, towns.sb.actor)
    sister = Side(towns.sb.app, Actor("clerk", HOMBURG, frozenset({Role.CLERK})), "sister")
    towns.deliver(towns.sb, sister, tmp_path)
    arrival = newest(sister)
    code = code_of(towns.sb, sent.id)
    shown = show_arrival(sister.app, sister.actor, arrival.id)
    assert (shown["sender_exchange"], shown["claimed_sender_id"]) == (code, SAARBRUECKEN)
    paper = request_of(towns, sent.id)
    with pytest.raises(SenderMismatchError, match="is of 10041100"):
        register(sister.app, sister.actor, replace(paper, sender=HOMBURG), arrival.id)
    assert register(sister.app, sister.actor, paper, arrival.id).status == "started"
    assert register(sister.app, sister.actor, replace(paper, codes=(code,))).status == "duplicate"


def test_a_reminder_names_the_letter_and_reaches_its_case(towns: Towns, tmp_path: Path) -> None:
    exchange, _ = ask(towns, tmp_path)
    line = register(towns.hom.app, towns.hom.actor, request_of(towns, exchange), newest(towns.hom).id)
    towns.clock.turn(timedelta(days=100))
    towns.work()
    reminder = next(it for it in list_exchanges(towns.sb.app, towns.sb.actor) if it.id != exchange)
    (waiting,) = (tmp_path / "requesting" / "print" / SAARBRUECKEN).glob("*.pdf")
    first = texts(waiting)[0]
    assert "Erinnert an" in first
    assert code_of(towns.sb, exchange) in first
    towns.deliver(towns.sb, towns.hom, tmp_path)
    arrival = newest(towns.hom)
    shown = show_arrival(towns.hom.app, towns.hom.actor, arrival.id)
    assert shown["sender_exchange"] == code_of(towns.sb, reminder.id)
    assert not any("several" in remark for remark in shown["remarks"])
    data = show_exchange(towns.sb.app, towns.sb.actor, reminder.id)["data"]
    paper = PaperArrival("erinnerung", SAARBRUECKEN, data)
    registered = register(towns.hom.app, towns.hom.actor, paper, arrival.id)
    assert registered.case_id == line.case_id
    assert registered.status in ("matched", "filed")


def test_typing_both_codes_of_a_reminder_reaches_the_case(towns: Towns, tmp_path: Path) -> None:
    exchange, _ = ask(towns, tmp_path)
    line = register(towns.hom.app, towns.hom.actor, request_of(towns, exchange), newest(towns.hom).id)
    towns.clock.turn(timedelta(days=100))
    towns.work()
    reminder = next(it for it in list_exchanges(towns.sb.app, towns.sb.actor) if it.id != exchange)
    data = show_exchange(towns.sb.app, towns.sb.actor, reminder.id)["data"]
    codes = (code_of(towns.sb, exchange), code_of(towns.sb, reminder.id))
    paper = PaperArrival("erinnerung", SAARBRUECKEN, data, codes=codes)
    assert register(towns.hom.app, towns.hom.actor, paper).case_id == line.case_id
    assert register(towns.hom.app, towns.hom.actor, paper).status == "duplicate"


@pytest.fixture
def signing_towns(tmp_path: Path) -> Any:
    source = next(it for it in shipped() if it.name == "vollstreckungshilfe")
    folder = tmp_path / "package" / "vollstreckungshilfe"
    shutil.copytree(Path(str(source)), folder)
    model = folder / "vollstreckungshilfe.bpmn"
    text = model.read_text(encoding="utf-8")
    model.write_text(text.replace('dw:form="confidential"', 'dw:form="written"'), encoding="utf-8")
    made = Towns(tmp_path, load_package(folder))
    yield made
    made.sb.app.close()
    made.hom.app.close()


def test_a_written_letter_is_signed_before_it_goes(signing_towns: Towns, tmp_path: Path) -> None:
    towns = signing_towns
    start_case(towns.sb.app, towns.sb.actor, "vollstreckungshilfe")
    towns.complete(towns.sb, "Ersuchen erfassen", REQUEST)
    (sent,) = list_exchanges(towns.sb.app, towns.sb.actor)
    (dispatch,) = show_exchange(towns.sb.app, towns.sb.actor, sent.id)["dispatches"]
    assert dispatch["state"] == "awaiting_signature"
    assert towns.told(towns.sb, "list")["waiting"] == 0
    task = next(it for it in tasks.list_tasks(towns.sb.app, towns.sb.actor) if it.kind == "sign")
    out = tmp_path / "to-sign.pdf"
    assert towns.post(towns.sb, "letter", task.id, "--out", str(out)).exit_code == 0
    assert "Dienstsiegel" in "".join(texts(out))
    with pytest.raises(signing.SigningRefusedError):
        tasks.complete_task(towns.sb.app, towns.sb.actor, task.id, {"signed_by": " "})
    tasks.complete_task(towns.sb.app, towns.sb.actor, task.id, {"signed_by": "Bürgermeisterin Muster"})
    towns.work()
    (run,) = towns.told(towns.sb, "run")
    printed = texts(Path(run["folder"]) / "druck.pdf")
    assert "unterschriebene Originale" in printed[0]
    assert not any("Vollstreckungsersuchen" in page for page in printed)
    assert len(towns.told(towns.sb, "confirm", run["run"])["confirmed"]) == 1
    (dispatch,) = show_exchange(towns.sb.app, towns.sb.actor, sent.id)["dispatches"]
    assert (dispatch["state"], dispatch["print_run"]) == ("handed_over", run["run"])


def test_what_paper_cost_is_counted(towns: Towns, tmp_path: Path) -> None:
    exchange, _ = ask(towns, tmp_path)
    told = towns.told(towns.sb, "figures")
    assert (told["letters"], told["cents"], told["dispatches"][0]["product"]) == (1, 95, "standard")
    assert told["pages"] == told["dispatches"][0]["pages"] > 0
    assert told["days_to_answer"] is None
    towns.clock.turn(timedelta(days=4))
    paper = PaperArrival(
        "vollstreckungsantwort", HOMBURG, ANSWER, codes=(code_of(towns.sb, exchange),), scans=()
    )
    register(towns.sb.app, towns.sb.actor, paper)
    told = towns.told(towns.sb, "figures")
    assert told["days_to_answer"] == pytest.approx(4.0)
    assert told["breaks"] == {"electronic": 0, "printed": 0, "paper": 1, "scanned": 0}
    assert towns.told(towns.hom, "figures")["breaks"]["scanned"] == 1
    arrival = newest(towns.hom)
    with pytest.raises(paper_figures.PrintRefusedError):
        paper_figures.note_print(towns.hom.app, towns.hom.actor, arrival.id)
    assert "Entgelt" in towns.post(towns.sb, "figures").output


def test_costs_of_a_posting_are_checked(towns: Towns) -> None:
    start_case(towns.sb.app, towns.sb.actor, "vollstreckungshilfe")
    towns.complete(towns.sb, "Ersuchen erfassen", REQUEST)
    (task,) = posting.open_postings(towns.sb.app, towns.sb.actor).values()
    for wrong in ({"postage_cents": -1}, {"pages": True}, {"product": 7}, {"run": "x" * 99}, {"price": 1}):
        with pytest.raises(posting.PostingRefusedError):
            tasks.complete_task(towns.sb.app, towns.sb.actor, task, wrong)
    with pytest.raises(posting.PostingRefusedError, match="before it was written"):
        tasks.complete_task(towns.sb.app, towns.sb.actor, task, {"posted_on": "2026-03-01"})
    tasks.complete_task(towns.sb.app, towns.sb.actor, task, {"postage_cents": 455, "pages": 3})
    assert posting.open_postings(towns.sb.app, towns.sb.actor) == {}
    assert towns.told(towns.sb, "figures")["cents"] == 455


def test_a_letter_posted_by_hand_costs_what_the_tariff_says(towns: Towns) -> None:
    start_case(towns.sb.app, towns.sb.actor, "vollstreckungshilfe")
    towns.complete(towns.sb, "Ersuchen erfassen", REQUEST)
    assert towns.told(towns.sb, "list")["waiting"] == 1
    (task,) = posting.open_postings(towns.sb.app, towns.sb.actor).values()
    tasks.complete_task(towns.sb.app, towns.sb.actor, task)
    told = towns.told(towns.sb, "figures")
    (letter,) = told["dispatches"]
    assert (letter["pages"], letter["postage_cents"], letter["product"]) == (2, 95, "standard")
    # It still lies in the folder, but nobody is asked to post it any more.
    assert towns.told(towns.sb, "list")["waiting"] == 0


def test_returned_mail_is_a_fact_of_its_exchange(towns: Towns, tmp_path: Path) -> None:
    exchange, scan = ask(towns, tmp_path)
    towns.clock.turn(timedelta(days=3))
    sb = towns.sb
    record_fact(sb.app, sb.actor, exchange, "returned", date(2026, 3, 4), "Empfänger verzogen", file=scan)
    record_fact(sb.app, sb.actor, exchange, "acknowledged", date(2026, 3, 5), "telefonisch bestätigt")
    kinds = [fact["kind"] for fact in show_exchange(sb.app, sb.actor, exchange)["facts"]]
    assert kinds == ["posted", "returned", "acknowledged"]

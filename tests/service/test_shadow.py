"""Shadow sends between two installations: beside the real send, without effect on it or on the receiver."""

import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from engine.exchange.ports import FormClass, Mailbox
from engine.migration.synthetic import make_up_document
from engine.service.arrivals.registering import list_arrivals
from engine.service.cases import list_cases
from engine.service.directory.mailboxes import add_mailbox
from engine.service.exchanges.listing import list_exchanges, show_exchange
from engine.service.files import add_document
from engine.service.migration.consents import ConsentRefusedError, consent, withdraw_consent
from engine.service.migration.shadow_results import list_comparisons, list_shadows, show_shadow
from engine.service.migration.status import status
from engine.service.migration.switching import Switch, switch
from engine.service.troubles import list_incidents
from engine.service.work import run_until_idle
from engine.store.tables import arrival_parts, deadlines, dispatch_parts, dispatches, shadow_sends
from tests.service.conftest import HOMBURG, NOON, SAARBRUECKEN, XDOMEA

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
on_both = pytest.mark.parametrize("database", BOTH, indirect=True)
NEXT_YEAR = NOON.date() + timedelta(days=365)


def only(found):
    assert len(found) == 1, found
    return found[0]


def open_boxes(halls, accepts=(HOMBURG, SAARBRUECKEN), channel=XDOMEA):
    for side in halls.sides.values():
        for owner, sender in ((SAARBRUECKEN, HOMBURG), (HOMBURG, SAARBRUECKEN)):
            halls.mailbox_folder(owner, sender).mkdir(parents=True, exist_ok=True)
            box = Mailbox(
                authority_id=owner,
                channel=channel,
                address=str(halls.folder / "exchange" / owner),
                valid_from=NOON.date(),
                form_classes=tuple(FormClass),
                accepts_test=owner in accepts,
                settings={"senders": "subfolders"},
            )
            add_mailbox(side.app, side.actor, box)


@pytest.fixture
def shadowed(halls):
    """Everything goes by post; Saarbrücken tries the exchange folder in the shadow."""
    open_boxes(halls)
    switch(halls.sb.app, halls.sb.actor, Switch(XDOMEA, stage="shadow", reason="try it"))
    return halls


def request_with_title(halls, name="Bescheid Muster.pdf"):
    """Begin the case with a document before its request is sent."""
    from engine.service.cases import start_case
    from tests.service.conftest import REQUEST

    app, actor = halls.sb.app, halls.sb.actor
    case = start_case(app, actor, "vollstreckungshilfe")
    title = halls.folder / name
    title.write_bytes(make_up_document(1, name, "application/pdf", 4000).content)
    add_document(app, actor, case.id, title, role="vollstreckungstitel")
    halls.complete(halls.sb, "Ersuchen erfassen", REQUEST)
    return case


def real(halls):
    exchange = only(list_exchanges(halls.sb.app, halls.sb.actor))
    return show_exchange(halls.sb.app, halls.sb.actor, exchange.id)


def count(side, table):
    with side.app.read() as tx:
        return tx.scalar(select(func.count()).select_from(table))


@on_both
def test_a_shadow_goes_beside_the_letter_and_comes_back_equal(shadowed):
    request_with_title(shadowed)
    shadowed.work()
    shown = real(shadowed)
    assert [(d["channel"], d["state"]) for d in shown["dispatches"]] == [("letter+post", "handed_over")]
    assert shown["facts"] == []

    line = only(list_shadows(shadowed.sb.app, shadowed.sb.actor))
    assert (line.state, line.content, line.differences) == ("equal", "synthetic", [])
    assert line.exchange_id == shown["id"]
    verdict = only(list_comparisons(shadowed.sb.app, shadowed.sb.actor))
    assert (verdict.n, verdict.equal, verdict.verdict) == (1, 1, "ready for a pilot")

    hom = shadowed.hom
    assert list_cases(hom.app, hom.actor) == []
    assert list_arrivals(hom.app, hom.actor) == []  # nothing for a clerk
    test = only(list_arrivals(hom.app, hom.actor, everything=True))
    assert (test.status, test.case_id) == ("test", None)
    assert count(hom, deadlines) == 0
    for side in shadowed.sides.values():
        assert list_incidents(side.app, side.actor) == []


def test_nothing_real_travels_in_a_synthetic_test_and_it_is_marked(shadowed):
    request_with_title(shadowed)
    shadowed.work()
    found = sorted(shadowed.mailbox_folder(HOMBURG, SAARBRUECKEN).rglob("*0101.zip"))
    with zipfile.ZipFile(only(found)) as container:
        message = next(name for name in container.namelist() if name.endswith(".xml"))
        text = container.read(message).decode()
        inner = [name for name in container.namelist() if name != message]
    data = real(shadowed)["data"]
    secrets = (data["forderung"]["aktenzeichen"], data["zahlung"]["iban"])
    for secret in ("Talstraße", "Hundesteuer", "Bescheid Muster", *secrets):
        assert secret not in text, secret
        assert not any(secret in name for name in inner)
    assert "TEST" in text
    with zipfile.ZipFile(only(found)) as container:
        sizes = [container.getinfo(name).file_size for name in inner]
    assert 3000 < only(sizes) < 5000  # about as large as the real one


@on_both
def test_the_real_exchange_takes_its_course_while_its_shadow_fails(shadowed):
    folder = shadowed.mailbox_folder(HOMBURG, SAARBRUECKEN)
    folder.rename(folder.with_name("gone"))
    request_with_title(shadowed)
    shadowed.work()
    for _ in range(6):
        shadowed.turn(minutes=10)
    assert [d["state"] for d in real(shadowed)["dispatches"]] == ["handed_over"]
    line = only(list_shadows(shadowed.sb.app, shadowed.sb.actor))
    assert line.state == "failed"
    assert "sub-folder" in line.reason
    assert [
        i for i in list_incidents(shadowed.sb.app, shadowed.sb.actor) if not i.kind.startswith("mailbox")
    ] == []
    assert only(list_comparisons(shadowed.sb.app, shadowed.sb.actor)).verdict == "does not work yet"


def test_a_shadow_whose_programming_fails_is_a_result_too(shadowed, monkeypatch):
    from engine.service.migration import shadow

    def broken(*_):
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(shadow, "_made_up", broken)
    request_with_title(shadowed)
    shadowed.work()
    for _ in range(8):
        shadowed.turn(hours=1)
    line = only(list_shadows(shadowed.sb.app, shadowed.sb.actor))
    assert (line.state, "a fault of ours" in line.reason) == ("failed", True)
    assert list_incidents(shadowed.sb.app, shadowed.sb.actor) == []
    assert [d["state"] for d in real(shadowed)["dispatches"]] == ["handed_over"]


def test_only_mailboxes_that_take_tests_are_tried(halls):
    open_boxes(halls, accepts=(SAARBRUECKEN,))
    switch(halls.sb.app, halls.sb.actor, Switch(XDOMEA, stage="shadow", reason="go"))
    halls.request()
    halls.work()
    assert list_shadows(halls.sb.app, halls.sb.actor) == []


def test_a_receiver_that_takes_no_tests_files_them_and_answers_nothing(shadowed):
    box = Mailbox(
        HOMBURG,
        XDOMEA,
        str(shadowed.folder / "exchange" / HOMBURG),
        NOON.date() + timedelta(days=1),
        settings={"senders": "subfolders"},
    )
    add_mailbox(shadowed.hom.app, shadowed.hom.actor, box)
    shadowed.clock.turn(timedelta(days=2))
    shadowed.request()
    shadowed.work()
    arrival = only(list_arrivals(shadowed.hom.app, shadowed.hom.actor, everything=True))
    assert arrival.status == "test"
    assert "takes no tests" in arrival.reason
    shadowed.turn(days=4)
    assert only(list_shadows(shadowed.sb.app, shadowed.sb.actor)).state in ("no-receipt", "received")
    assert count(shadowed.hom, dispatches) in (0, 1)
    assert list_cases(shadowed.hom.app, shadowed.hom.actor) == []


def test_no_shadow_where_the_channel_carries_the_real_one(shadowed):
    switch(shadowed.sb.app, shadowed.sb.actor, Switch(XDOMEA, procedure="vollstreckungshilfe", reason="go"))
    shadowed.request()
    shadowed.work()
    assert only(real(shadowed)["dispatches"])["channel"] == XDOMEA
    assert list_shadows(shadowed.sb.app, shadowed.sb.actor) == []


def test_real_content_needs_the_consent_of_both(shadowed):
    sb, hom = shadowed.sb, shadowed.hom
    with pytest.raises(ConsentRefusedError, match="over already"):
        consent(sb.app, sb.actor, HOMBURG, person="x", until=NOON.date() - timedelta(days=1), reason="y")
    mine = consent(sb.app, sb.actor, HOMBURG, person="Dr. Weber", until=NEXT_YEAR, reason="note of 1 March")
    shadowed.request()
    shadowed.work()
    assert only(list_shadows(sb.app, sb.actor)).content == "synthetic"
    consent(
        sb.app,
        sb.actor,
        HOMBURG,
        person="Klein",
        until=NEXT_YEAR,
        reason="letter of 2 March",
        from_partner=True,
    )
    shadowed.turn(minutes=1)
    shadowed.request()
    shadowed.work()
    line = list_shadows(sb.app, sb.actor)[0]
    assert (line.content, line.state) == ("real", "equal")
    withdraw_consent(sb.app, sb.actor, mine.id)
    shadowed.turn(minutes=1)
    shadowed.request()
    shadowed.work()
    assert list_shadows(sb.app, sb.actor)[0].content == "synthetic"
    assert list_cases(hom.app, hom.actor) == []


def test_content_is_purged_after_its_time_and_results_stay(shadowed):
    request_with_title(shadowed)
    shadowed.work()
    sb, hom = shadowed.sb, shadowed.hom
    assert count(hom, arrival_parts) > 0
    shadowed.turn(days=8)
    assert count(hom, arrival_parts) == 0
    row = only(list_shadows(sb.app, sb.actor))
    assert row.purged_at is not None
    with sb.app.read() as tx:
        dispatch = tx.scalar(select(shadow_sends.c.dispatch_id))
        kept = tx.scalar(
            select(func.count()).select_from(dispatch_parts).where(dispatch_parts.c.dispatch_id == dispatch)
        )
    assert kept == 0
    shown = show_shadow(sb.app, sb.actor, row.id)
    assert (shown["state"], shown["differences"]) == ("equal", [])
    assert shown["sent"]["fields"] == shown["reported"]["fields"]


def falsified(halls, what):
    request_with_title(halls)
    run_until_idle(halls.sb.app)
    _falsify(only(list(halls.mailbox_folder(HOMBURG, SAARBRUECKEN).glob("*0101.zip"))), what)
    halls.work()
    return only(list_shadows(halls.sb.app, halls.sb.actor))


def test_what_is_read_otherwise_shows(shadowed):
    line = falsified(shadowed, "data")
    assert line.state == "different"
    assert "field forderung" in line.differences[0]
    verdict = only(list_comparisons(shadowed.sb.app, shadowed.sb.actor)).verdict
    assert verdict == "look at the differences first"


def test_what_cannot_be_read_brings_no_receipt(shadowed):
    assert falsified(shadowed, "document").state == "sent"
    shadowed.turn(days=4)
    line = only(list_shadows(shadowed.sb.app, shadowed.sb.actor))
    assert (line.state, line.reason) == ("no-receipt", "no receipt came")


def _falsify(container: Path, what: str) -> None:
    with zipfile.ZipFile(container) as old:
        files = {name: old.read(name) for name in old.namelist()}
    message = next(name for name in files if name.endswith(".xml"))
    if what == "data":
        text = files[message].decode()
        begin = text.index("{", text.index("forderung"))
        end = text.index("</", begin)
        value = json.loads(text[begin:end].replace("&quot;", '"'))
        value["hauptforderung"] = 99999
        files[message] = (text[:begin] + json.dumps(value) + text[end:]).encode()
    else:
        inner = next(name for name in files if name != message)
        files[inner] += b"%"
    with zipfile.ZipFile(container, "w") as new:
        for name, content in files.items():
            new.writestr(name, content)


def test_a_receipt_from_somebody_else_changes_nothing(shadowed):
    request_with_title(shadowed)
    app, actor = shadowed.sb.app, shadowed.sb.actor
    run_until_idle(app)
    with app.write() as tx:
        tx.execute(shadow_sends.update().values(recipient_id="10043114"))
    shadowed.work()
    assert only(list_shadows(app, actor)).state == "sent"
    told = [line.reason for line in list_arrivals(app, actor, everything=True)]
    assert all("not from 10043114" in reason for reason in told)
    assert told


def test_tests_count_in_no_status(shadowed):
    request_with_title(shadowed)
    shadowed.work()
    shadowed.complete(shadowed.sb, "confirm-posting")
    shadowed.work()
    assert only(list_shadows(shadowed.sb.app, shadowed.sb.actor)).state == "equal"
    app, actor = shadowed.sb.app, shadowed.sb.actor
    line = only([line.figures for line in status(app, actor).lines if line.figures.exchanges])
    assert (line.exchanges, dict(line.levels), set(line.channels)) == (1, {"A": 1}, {"letter+post"})
    lines = status(shadowed.hom.app, shadowed.hom.actor).lines
    assert all(line.figures.exchanges == 0 for line in lines)

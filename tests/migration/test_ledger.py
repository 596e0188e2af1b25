"""The ledger is kept right by the transactions that change an exchange; ``db check`` sees every fault."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import delete, select, update

from engine.clock import TurnedClock
from engine.definitions.package import load_package
from engine.exchange.ports import FormClass, Mailbox
from engine.service import cases, paper_figures, tasks
from engine.service.arrivals import registering
from engine.service.directory.mailboxes import add_mailbox
from engine.service.migration import ledger
from engine.service.migration.switching import Switch, switch
from engine.service.trial import open_sides
from engine.service.verifying import verify_installation
from engine.service.work import run_until_idle
from engine.store import tables
from processes.bpmn import shipped
from tests.checking import sandbox
from tests.service.conftest import NOON, REQUEST

SAARBRUECKEN, HOMBURG, XDOMEA = "10041100", "10045114", "xdomea+folder"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def halls(request, tmp_path):
    """Two town halls; the first request goes by post, the second electronically."""
    package = next(load_package(folder) for folder in shipped() if folder.name == "vollstreckungshilfe")
    roles = {"requesting": SAARBRUECKEN, "enforcing": HOMBURG}
    urls = {}
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        urls = {role: server.fresh() for role in roles}
    sides = open_sides(tmp_path, package, roles, "letter+post", TurnedClock(NOON), urls, sandbox())
    yield sides["requesting"], sides["enforcing"], tmp_path
    for side in sides.values():
        side.app.close()


def ask(side):
    cases.start_case(side.app, side.actor, "vollstreckungshilfe")
    task = next(t for t in tasks.list_tasks(side.app, side.actor) if t.name == "Ersuchen erfassen")
    tasks.complete_task(side.app, side.actor, task.id, REQUEST)


def work(*sides):
    while not all(run_until_idle(side.app).nothing for side in sides):
        pass


def go_electronic(sides, folder):
    for side in sides:
        for owner, sender in ((SAARBRUECKEN, HOMBURG), (HOMBURG, SAARBRUECKEN)):
            (folder / "exchange" / owner / sender).mkdir(parents=True, exist_ok=True)
            mailbox = Mailbox(
                authority_id=owner,
                channel=XDOMEA,
                address=str(folder / "exchange" / owner),
                valid_from=NOON.date(),
                form_classes=(FormClass.NONE, FormClass.CONFIDENTIAL),
                settings={"senders": "subfolders"},
            )
            add_mailbox(side.app, side.actor, mailbox)
        switch(side.app, side.actor, Switch(XDOMEA, reason="test"))


def rows(app, table=tables.ledger):
    with app.read() as tx:
        return [dict(row) for row in tx.execute(select(table)).mappings()]


def test_a_letter_and_an_electronic_exchange_are_booked_as_they_went(halls):
    sb, hom, folder = halls
    ask(sb)
    (open_,) = rows(sb.app)
    assert (open_["state"], open_["channel"], open_["month"]) == ("open", None, "2026-03")
    work(sb, hom)
    task = next(t for t in tasks.list_tasks(sb.app, sb.actor) if t.kind == "confirm-posting")
    tasks.complete_task(sb.app, sb.actor, task.id, {"postage_cents": 110, "pages": 3})
    (letter,) = rows(sb.app)
    assert (letter["state"], letter["channel"], letter["level"]) == ("sent", "letter+post", "A")
    assert (letter["postage_cents"], letter["receipt"], letter["fallback"]) == (110, None, None)
    assert letter["posted_at"] is not None
    go_electronic((sb, hom), folder)
    ask(sb)
    work(sb, hom)
    sent = next(row for row in rows(sb.app) if row["exchange_id"] != letter["exchange_id"])
    assert (sent["channel"], sent["level"], sent["receipt"]) == (XDOMEA, "C", "received")
    assert sent["received_at"] is not None
    # One sheet at the tariff of that day; what went on paper spared nothing.
    assert (sent["spared_cents"], letter["spared_cents"]) == (95, None)
    (arrived,) = rows(hom.app, tables.ledger_arrivals)
    assert (arrived["procedure_key"], arrived["partner_id"]) == ("vollstreckungshilfe", SAARBRUECKEN)
    paper_figures.note_print(hom.app, hom.actor, arrived["arrival_id"])
    assert rows(hom.app, tables.ledger_arrivals)[0]["printed"]
    for side in (sb, hom):
        ledger.fold(side.app)
        assert verify_installation(side.app).faults == ()


def test_the_letter_that_was_not_needed_has_the_price_of_the_local_day(halls):
    sb, hom, folder = halls
    sb.app.clock.set(datetime(2024, 12, 31, 12, tzinfo=UTC))  # before the tariffs that are known begin
    go_electronic((sb, hom), folder)
    with sb.app.write() as tx:
        tx.execute(update(tables.mailboxes).values(valid_from=date(2024, 1, 1)))
    ask(sb)
    work(sb)
    sb.app.clock.set(datetime(2024, 12, 31, 23, 10, tzinfo=UTC))  # here it is the new year
    ask(sb)
    work(sb)
    booked = sorted(rows(sb.app), key=lambda row: row["created_at"])
    assert [(row["month"], row["channel"]) for row in booked] == [("2024-12", XDOMEA), ("2025-01", XDOMEA)]
    assert [row["spared_cents"] for row in booked] == [None, 95]


def test_check_sees_what_is_wrong_and_fill_mends_it(halls):
    sb, hom, _ = halls
    ask(sb)
    work(sb, hom)
    registering.register(
        sb.app, sb.actor, registering.PaperArrival("erinnerung", HOMBURG, {"hinweis": "Bitte um Nachricht."})
    )
    ledger.fold(sb.app)
    assert verify_installation(sb.app).faults == ()
    for table, change in (
        (tables.ledger, {"level": "C"}),
        (tables.ledger_arrivals, {"channel": XDOMEA}),
        (tables.ledger_months, {"exchanges": 7}),
        (tables.ledger_totals, {"exchanges": 7}),
        (tables.ledger_totals, {"leads": "1 2 3"}),
    ):
        with sb.app.write() as tx:
            tx.execute(update(table).values(**change))
        assert verify_installation(sb.app).faults, table.name
        ledger.fill(sb.app)
        assert verify_installation(sb.app).faults == (), table.name
    with sb.app.write() as tx:
        for table in (tables.ledger, tables.ledger_arrivals, tables.ledger_months, tables.ledger_totals):
            tx.execute(delete(table))
    assert verify_installation(sb.app).faults
    assert ledger.fill(sb.app) == 2
    assert verify_installation(sb.app).faults == ()
    assert ledger.fill(sb.app) == 0

"""Incidents of work that failed for good: nothing of it is lost, and of two who deal with one, one does."""

import threading

import pytest
from sqlalchemy import select, text, update

from benchmarks._bench import APPROVE, NOON, installation, package
from engine.service import troubles
from engine.service.cases import show_case, start_case
from engine.service.tasks import complete_task, list_tasks
from engine.service.work import give_up, run_until_idle
from engine.store.tables import exchanges, history, incidents, jobs
from engine.work.ports import Job


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def town(request):
    url = request.getfixturevalue("postgres").fresh() if request.param == "postgresql" else ""
    with installation(package("approve", APPROVE), database_url=url) as (app, actor):
        yield app, actor


def failed(app, kind, arguments):
    with app.write() as tx:
        give_up(app, tx, Job("1", "10041100", kind, arguments, 5), "it broke")


def waiting(app):
    with app.read() as tx:
        return tx.execute(select(jobs.c.kind, jobs.c.arguments)).all()


@pytest.mark.parametrize("kind", ["message", "signal", "awaited", "track", "deadline-reminder", "timer"])
def test_every_kind_of_work_is_tried_again_as_it_was(town, kind):
    app, actor = town
    arguments = {"origin": "c" * 100, "name": "Grüße", "payload": {"n": [1, None]}}
    failed(app, kind, arguments)
    failed(app, kind, arguments)
    (incident,) = troubles.list_incidents(app, actor)
    assert troubles.retry(app, actor, incident.id, "mended").status == "closed"
    assert waiting(app) == [(kind, arguments)]


def test_work_about_the_same_thing_is_told_apart_by_what_it_is(town):
    app, actor = town
    both = [{"name": "stop", "payload": {"n": number}} for number in (1, 2)]
    for arguments in both:
        failed(app, "signal", arguments)
    for incident in troubles.list_incidents(app, actor):
        troubles.retry(app, actor, incident.id, "mended")
    assert sorted((job.arguments for job in waiting(app)), key=str) == both
    assert troubles.list_incidents(app, actor) == []


def test_an_element_that_failed_is_not_closed_while_its_case_stands_still(town):
    app, actor = town
    case = start_case(app, actor, "approve", {})  # without an amount the gateway cannot decide
    complete_task(app, actor, list_tasks(app, actor)[0].id)
    run_until_idle(app)
    (incident,) = troubles.list_incidents(app, actor)
    with pytest.raises(troubles.IncidentRefusedError, match="case repair"):
        troubles.resolve(app, actor, incident.id, "never mind")
    assert [one.id for one in troubles.list_incidents(app, actor)] == [incident.id]
    assert show_case(app, actor, case.id).case.status == "open"


@pytest.mark.postgres
def test_of_two_who_deal_with_an_incident_the_second_reads_who_was_first(postgres):
    with installation(package("approve", APPROVE), database_url=postgres.fresh()) as (app, actor):
        case = start_case(app, actor, "approve", {"amount": 1})
        failed(app, "step", {"case": case.id, "item": "i"})
        (incident,) = troubles.list_incidents(app, actor)
        told = []

        def second():
            try:
                troubles.retry(app, actor, incident.id, "me too")
            except troubles.IncidentClosedError as error:
                told.append(str(error))

        late = threading.Thread(target=second)
        with app.write() as tx:
            mine = update(incidents).where(incidents.c.id == incident.id)
            tx.execute(mine.values(status="closed", closed_by="first", closed_at=NOON, resolution="done"))
            late.start()
            with app.database.session() as other:
                stands = text("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' LIMIT 1")
                while late.is_alive() and other.scalar(stands) is None:
                    late.join(0.01)
        late.join()
        assert len(told) == 1
        assert "closed by first" in told[0]
        with app.read() as tx:
            kinds = tx.scalars(select(history.c.kind).where(history.c.case_id == case.id)).all()
        assert "correction" not in kinds
        assert [job for job in waiting(app) if job.arguments.get("item") == "i"] == []


def test_what_was_held_and_answered_meanwhile_is_not_sent_after_all(halls):
    """A clerk has assigned the answer by hand; trying the held request again must not send it then."""
    halls.request()
    app, actor = halls.sb.app, halls.sb.actor
    with app.write() as tx:
        exchange = tx.scalar(select(exchanges.c.id))
        tx.execute(update(exchanges).values(status="answered"))
        tx.execute(jobs.delete())
        row = {"id": "i" * 36, "authority_id": "10041100", "kind": "held", "subject_id": exchange}
        row |= {"message": "no channel", "status": "open", "opened_at": NOON}
        tx.execute(incidents.insert().values(**row))
    assert troubles.retry(app, actor, "i" * 36, "the mailbox is open").status == "closed"
    assert waiting(app) == []
    with app.read() as tx:
        assert tx.scalar(select(exchanges.c.status)) == "answered"


def test_a_held_copy_is_tried_again_as_a_copy(halls):
    halls.request()
    halls.work()
    app, actor = halls.sb.app, halls.sb.actor
    with app.write() as tx:
        exchange = tx.scalar(select(exchanges.c.id))
        row = {"id": "i" * 36, "authority_id": "10041100", "kind": "copy-held", "subject_id": exchange}
        row |= {"message": "no letter box", "status": "open", "opened_at": NOON}
        tx.execute(incidents.insert().values(**row))
    troubles.retry(app, actor, "i" * 36, "they have a letter box now")
    assert ("send", {"exchange": exchange, "copy": True}) in waiting(app)

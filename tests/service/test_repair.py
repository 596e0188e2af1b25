"""Corrections by an admin: shown before they are done, with a reason, and nothing is sent twice."""

import json

import pytest
from sqlalchemy import func, select, update

from engine.actor import Actor, Role
from engine.service import repairing
from engine.service.access import RoleMissingError
from engine.service.advance import CaseEndedError
from engine.service.cases import data_of, show_case
from engine.service.exchanges.listing import list_exchanges
from engine.service.repairing import Action, Repair
from engine.service.verifying import verify_installation
from engine.store.errors import CaseChangedError
from engine.store.tables import audit, case_states, cases, dispatches, history
from tests.service.conftest import HOMBURG, REQUEST


def story(side):
    with side.app.read() as tx:
        return [(row.kind, row.command) for row in tx.execute(select(history).order_by(history.c.sequence))]


def rows(side, table):
    with side.app.read() as tx:
        return tx.scalar(select(func.count()).select_from(table))


def element(side, case, name):
    items = repairing.open_items(side.app, side.actor, case.id)
    return next(item for item in items if name in (item.name, item.element_id))


@pytest.fixture
def waiting(halls):
    """A case that has sent its request by letter and waits for the answer."""
    case = halls.request()
    halls.work()
    return halls, case


def test_a_preview_tells_what_would_happen_and_changes_nothing(waiting):
    halls, case = waiting
    before = (story(halls.sb), rows(halls.sb, audit), rows(halls.sb, dispatches))
    wait = next(i for i in repairing.open_items(halls.sb.app, halls.sb.actor, case.id) if i.kind == "message")
    wish = Repair(Action.SKIP, "the answer came by telephone", wait.id)
    outlook = repairing.preview(halls.sb.app, halls.sb.actor, case.id, wish)
    assert not outlook.done
    assert ("message", wait.element_id) in outlook.closed
    assert outlook.steps
    assert (story(halls.sb), rows(halls.sb, audit), rows(halls.sb, dispatches)) == before


def test_a_moved_token_does_not_send_again(waiting):
    halls, case = waiting
    sent = list_exchanges(halls.sb.app, halls.sb.actor)
    wait = next(i for i in repairing.open_items(halls.sb.app, halls.sb.actor, case.id) if i.answers)
    with halls.sb.app.read() as tx:
        from engine.store.tables import exchanges

        sender = tx.scalar(select(exchanges.c.element_id))
    wish = Repair(Action.MOVE, "start over", wait.id, element=sender)
    outlook = repairing.perform(halls.sb.app, halls.sb.actor, case.id, wish)
    assert outlook.done
    assert outlook.sends == ()
    halls.work()
    assert [e.id for e in list_exchanges(halls.sb.app, halls.sb.actor)] == [e.id for e in sent]
    assert rows(halls.sb, dispatches) == 1
    assert verify_installation(halls.sb.app).faults == ()


def test_data_is_corrected_with_reason_in_story_and_audit(waiting):
    halls, case = waiting
    wish = Repair(Action.SET_DATA, "typing error", data={"empfaenger": "10045114", "hinweis": "korrigiert"})
    repairing.perform(halls.sb.app, halls.sb.actor, case.id, wish)
    with halls.sb.app.read() as tx:
        assert data_of(halls.sb.app, tx, case.id)["hinweis"] == "korrigiert"
        details = tx.scalar(select(audit.c.details).where(audit.c.action == "case.repair"))
    assert (details["reason"], details["case"]) == ("typing error", case.id)
    kind, command = story(halls.sb)[-1]
    assert (kind, command["reason"]) == ("correction", "typing error")
    assert verify_installation(halls.sb.app).faults == ()


def test_what_is_set_is_shown_with_what_is_there_before(waiting):
    halls, case = waiting
    wish = Repair(Action.SET_DATA, "typing error", data={"empfaenger": "10045117", "hinweis": "neu"})
    outlook = repairing.preview(halls.sb.app, halls.sb.actor, case.id, wish)
    assert outlook.data == (("empfaenger", HOMBURG, "10045117"), ("hinweis", None, "neu"))


def test_a_correction_is_done_only_as_it_was_shown(waiting):
    halls, case = waiting
    wish = Repair(Action.SET_DATA, "typing error", data={"hinweis": "korrigiert"})
    seen = repairing.preview(halls.sb.app, halls.sb.actor, case.id, wish)
    repairing.perform(halls.sb.app, halls.sb.actor, case.id, wish, seen)
    before = story(halls.sb)
    with pytest.raises(CaseChangedError, match="went on after this was shown"):
        repairing.perform(halls.sb.app, halls.sb.actor, case.id, wish, seen)
    assert story(halls.sb) == before


def test_a_task_is_skipped_by_its_element(halls):
    from engine.service.cases import start_case

    case = start_case(halls.sb.app, halls.sb.actor, "vollstreckungshilfe")
    task = element(halls.sb, case, "Ersuchen erfassen")
    wish = Repair(Action.SKIP, "typed in elsewhere", task.element_id, data=REQUEST)
    outlook = repairing.perform(halls.sb.app, halls.sb.actor, case.id, wish)
    assert len(outlook.sends) == 1
    assert show_case(halls.sb.app, halls.sb.actor, case.id).tasks == ()


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        (Repair(Action.SKIP, "", "x"), repairing.RepairRefusedError),
        (Repair(Action.SKIP, "why"), repairing.RepairRefusedError),
        (Repair(Action.SKIP, "why", "nothing-of-the-kind"), repairing.ItemUnknownError),
        (Repair(Action.SET_DATA, "why"), repairing.RepairRefusedError),
    ],
)
def test_unclear_wishes_are_refused(waiting, wish, error):
    halls, case = waiting
    with pytest.raises(error):
        repairing.perform(halls.sb.app, halls.sb.actor, case.id, wish)


def test_a_case_that_has_ended_says_so(waiting):
    halls, case = waiting
    with halls.sb.app.write() as tx:
        tx.execute(update(cases).values(status="ended"))
    with pytest.raises(CaseEndedError, match="is ended"):
        repairing.preview(halls.sb.app, halls.sb.actor, case.id, Repair(Action.SKIP, "why", "anything"))


def test_only_admins_correct(waiting):
    halls, case = waiting
    clerk = Actor("x", halls.sb.actor.authority_id, frozenset({Role.CLERK}))
    with pytest.raises(RoleMissingError):
        repairing.preview(halls.sb.app, clerk, case.id, Repair(Action.RETRY, "why", "x"))


def test_listings_load_no_case_document(waiting):
    """Whoever lists does not even touch the table that holds the documents."""
    from engine.service.arrivals.registering import list_arrivals
    from engine.service.cases import list_cases
    from engine.service.tasks import list_tasks
    from engine.service.timing import list_timers
    from engine.service.troubles import list_incidents

    halls, _ = waiting
    app, actor = halls.sb.app, halls.sb.actor
    with app.write() as tx:
        tx.execute(update(case_states).values(document="not even JSON"))
    seen: list[str] = []
    with app.read() as tx:
        tx.connection.driver_connection.set_trace_callback(seen.append)
    for listing in (list_cases, list_tasks, list_exchanges, list_incidents, list_timers, list_arrivals):
        listing(app, actor)
    with app.read() as tx:
        tx.connection.driver_connection.set_trace_callback(None)
    assert len(seen) >= 6, json.dumps(seen)
    assert not [statement for statement in seen if "case_states" in statement]

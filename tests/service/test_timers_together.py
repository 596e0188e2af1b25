"""Many timers due at once: in order, each once, and none stopped by a case that cannot move."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update

from benchmarks._bench import NOON, installation, package
from benchmarks.timers import WAIT
from engine.clock import TurnedClock
from engine.service import timing
from engine.service.cases import list_cases, show_case, start_case
from engine.service.troubles import list_incidents
from engine.service.verifying import verify_installation
from engine.service.work import run_until_idle
from engine.store.tables import case_states, history

MANY = 2 * timing.TOGETHER + 5


def test_timers_fire_in_due_order_each_once_and_are_told_of_after_their_commit():
    clock = TurnedClock(NOON)
    with installation(package("wait", WAIT), clock=clock) as (app, actor):
        begun = []
        for _ in range(MANY):
            begun.append(start_case(app, actor, "wait").id)
            clock.turn(timedelta(seconds=-1))  # who begins later is due earlier
        told = []

        def count(point):
            if point == "timer-fired":
                with app.read() as tx:
                    told.append(tx.scalar(select(func.count()).where(history.c.sequence == 2)))

        app.probe = count
        clock.turn(timedelta(hours=2))
        assert timing.fire_due(app) == MANY
        assert timing.fire_due(app) == 0
        assert all(seen >= number for number, seen in enumerate(told, start=1))
        with app.read() as tx:
            order = select(history.c.case_id).where(history.c.sequence == 2).order_by(text("rowid"))
            fired = tx.scalars(order).all()
        assert fired == begun[::-1]
        assert len(told) == MANY
        assert {case.status for case in list_cases(app, actor, limit=MANY)} == {"ended"}
        assert verify_installation(app).faults == ()


@pytest.mark.parametrize("damage", ["{}", "no document"])
def test_a_case_that_cannot_move_stops_no_other_timer_and_heals_by_itself(damage):
    clock = TurnedClock(NOON)
    with installation(package("wait", WAIT), clock=clock) as (app, actor):
        cases = [start_case(app, actor, "wait").id for _ in range(MANY)]
        ill = cases[3]
        with app.write() as tx:
            sound = tx.scalar(select(case_states.c.document).where(case_states.c.case_id == ill))
            tx.execute(update(case_states).where(case_states.c.case_id == ill).values(document=damage))
        clock.turn(timedelta(hours=1))
        before = clock.now()
        assert timing.fire_due(app) == MANY - 1
        assert timing.fire_due(app) == 0
        (incident,) = list_incidents(app, actor)
        assert (incident.kind, incident.case_id) == ("timer", ill)
        assert incident.message
        # It is overdue, but the work loop does not stay awake for it.
        assert timing.next_due(app) == NOON + timedelta(hours=1)
        assert timing.next_due(app, before) is None
        with app.write() as tx:
            tx.execute(update(case_states).where(case_states.c.case_id == ill).values(document=sound))
        assert run_until_idle(app).timers == 1
        assert show_case(app, actor, ill).case.status == "ended"
        (closed,) = list_incidents(app, actor, everything=True)
        assert (closed.status, closed.resolution) == ("closed", "fired after all")


def test_whoever_is_told_to_stop_leaves_what_is_due_to_the_next():
    clock = TurnedClock(NOON)
    with installation(package("wait", WAIT), clock=clock) as (app, actor):
        for _ in range(3):
            start_case(app, actor, "wait")
        clock.turn(timedelta(hours=1))
        stop = threading.Event()
        stop.set()
        assert timing.fire_due(app, stop) == 0
        stop.clear()
        assert timing.fire_due(app, stop) == 3

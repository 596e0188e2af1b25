"""Timer starts that an authority has switched on begin its cases: when due, each once, on any host."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import select

from benchmarks._bench import AUTHORITY, NOON, installation, package
from engine.clock import TurnedClock
from engine.errors import NotAllowedError, NotFoundError
from engine.service import timing
from engine.service.cases import data_of, list_cases, show_case
from engine.service.directory.people import add_person
from engine.service.procedures import ModelRefusedError, deploy
from engine.service.programs import ProcedureUnknownError
from engine.service.schedules import managing, rounds
from engine.service.schedules.managing import list_schedules, switch_off, switch_on
from engine.service.tasks import list_tasks
from engine.service.troubles import list_incidents, resolve, retry
from engine.service.verifying import verify_installation
from engine.service.work import run_until_idle
from engine.store.tables import audit
from engine.store.tables import schedules as table
from tests.checking import sandbox

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
DAY = timedelta(days=1)


def start(time, name="begin", kind=None):
    kind = kind or ("Cycle" if time.startswith("R") else "Duration" if time.startswith("P") else "Date")
    return (
        f'<startEvent id="{name}"><outgoing>f_{name}</outgoing><timerEventDefinition>'
        f"<time{kind}>{time}</time{kind}></timerEventDefinition></startEvent>"
        f'<sequenceFlow id="f_{name}" sourceRef="{name}" targetRef="ask"/>'
    )


def body(*starts):
    incoming = "".join(f"<incoming>f_{part.split(chr(34))[1]}</incoming>" for part in starts)
    return (
        "".join(starts)
        + f'<userTask id="ask" name="Ask">{incoming}<outgoing>g</outgoing></userTask>'
        + '<endEvent id="end"><incoming>g</incoming></endEvent>'
        + '<sequenceFlow id="g" sourceRef="ask" targetRef="end"/>'
    )


def monthly(time="R/P1M"):
    return package("monthly", body(start(time)))


@contextmanager
def town(*packages, database_url=""):
    clock = TurnedClock(NOON)
    with installation(*packages, clock=clock, database_url=database_url, sandbox=sandbox()) as (app, actor):
        yield app, actor, clock


def begun_for(app, actor, procedure=None):
    """Return the instants that cases were begun for, in the order in which they were begun."""
    lines = list_cases(app, actor, procedure=procedure, limit=500)
    found = sorted(lines, key=lambda case: case.own_reference)
    with app.read() as tx:
        return [datetime.fromisoformat(data_of(app, tx, case.id)["scheduledFor"]) for case in found]


def local(text):
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.fixture(params=BOTH)
def url(request):
    return request.getfixturevalue("postgres").fresh() if request.param == "postgresql" else ""


def test_nothing_begins_until_an_admin_switches_it_on(url):
    with town(monthly(), database_url=url) as (app, actor, clock):
        clock.turn(400 * DAY)
        assert run_until_idle(app).nothing
        (line,) = switch_on(app, actor, "monthly")
        assert line.state == "on"
        assert line.due_at == clock.now().replace(month=5)
        assert timing.next_due(app) == line.due_at
        clock.set(line.due_at - timedelta(seconds=1))
        assert run_until_idle(app).nothing
        clock.set(line.due_at)
        run_until_idle(app)
        (case,) = list_cases(app, actor)
        assert begun_for(app, actor) == [line.due_at]
        assert show_case(app, actor, case.id).path[0]["actor"] == "system"
        assert list_tasks(app, actor)[0].case_id == case.id
        assert verify_installation(app).faults == ()


def test_a_cycle_is_counted_from_the_instant_of_switching_on_and_does_not_drift(url):
    with town(monthly("R3/P1M"), database_url=url) as (app, actor, clock):
        clock.set(local("2026-10-31T09:00:00+01:00"))
        switch_on(app, actor, "monthly")
        for _ in range(20):
            clock.turn(7 * DAY)  # the loop looks late every time: nothing moves
            run_until_idle(app)
        days = [instant.date().isoformat() for instant in begun_for(app, actor)]
        assert days == ["2026-11-30", "2026-12-31", "2027-01-31"]
        (line,) = list_schedules(app, actor)
        assert (line.state, line.due_at, line.begun) == ("done", None, 3)


@pytest.mark.parametrize(
    ("time", "due"),
    [("2026-04-01T08:00:00", "2026-04-01T08:00:00+02:00"), ("P1M", "2026-04-02T12:00:00+02:00")],
)
def test_a_date_and_a_duration_begin_one_case(url, time, due):
    with town(monthly(time), database_url=url) as (app, actor, clock):
        (line,) = switch_on(app, actor, "monthly")
        assert line.due_at == local(due)
        clock.turn(400 * DAY)
        run_until_idle(app)
        clock.turn(400 * DAY)
        run_until_idle(app)
        assert begun_for(app, actor) == [local(due)]
        assert list_schedules(app, actor)[0].state == "done"


def test_a_cycle_with_its_own_beginning_counts_what_passed_before_it_was_switched_on():
    with town(monthly("R4/2026-01-31T08:00:00/P1M")) as (app, actor, clock):
        (line,) = switch_on(app, actor, "monthly")
        assert line.due_at == local("2026-03-31T08:00:00+02:00")
        clock.turn(400 * DAY)
        run_until_idle(app)
        days = [instant.date().isoformat() for instant in begun_for(app, actor)]
        assert days == ["2026-03-31", "2026-04-30"]


def test_after_a_standstill_every_due_instant_of_several_schedules_comes_in_order(url):
    both = package("both", body(start("R3/P10D", "often"), start("R2/P14D", "seldom")))
    with town(both, database_url=url) as (app, actor, clock):
        assert len(switch_on(app, actor, "both")) == 2
        clock.turn(60 * DAY)
        run_until_idle(app)
        found = begun_for(app, actor)
        assert sorted((instant.date() - NOON.date()).days for instant in found) == [10, 14, 20, 28, 30]
        if not url:
            assert found == sorted(found)
        assert run_until_idle(app).nothing


def test_at_most_a_years_months_are_made_up_for_and_the_rest_is_told(url):
    with town(monthly(), database_url=url) as (app, actor, clock):
        switch_on(app, actor, "monthly")
        clock.set(NOON.replace(year=NOON.year + 2))  # 24 months, this one included
        run_until_idle(app)
        found = begun_for(app, actor)
        assert len(found) == rounds.CATCH_UP == 12
        assert found[0].date().isoformat() == "2027-04-02"
        assert found[-1] == clock.now()
        (incident,) = list_incidents(app, actor)
        assert incident.kind == "schedule-missed"
        assert incident.message.startswith("12 cases of monthly were not begun, due from 2026-04-02")
        assert "to 2027-03-02" in incident.message


@pytest.mark.postgres
def test_several_schedulers_begin_each_case_once(request):
    postgres = request.getfixturevalue("postgres")
    with town(monthly("R6/P1D"), database_url=postgres.fresh()) as (app, actor, clock):
        switch_on(app, actor, "monthly")
        clock.turn(10 * DAY)
        together, faults = Barrier(3), []

        def scheduler():
            try:
                together.wait(timeout=30)
                run_until_idle(app)
            except Exception as error:  # noqa: BLE001 - told to the test
                faults.append(error)

        threads = [Thread(target=scheduler) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=120)
        run_until_idle(app)
        assert faults == []
        assert begun_for(app, actor) == [NOON + n * DAY for n in range(1, 7)]


def renamed(name, time="R/P1M"):
    """Return a version of the procedure whose timer start has another id."""
    return package("monthly", body(start(time, name)))


def test_what_cannot_begin_is_an_incident_and_holds_up_no_other_schedule(url):
    broken = package("broken", body(start("R/P1D")))
    with town(broken, package("sound", body(start("R/P1D"))), database_url=url) as (app, actor, clock):
        (ill,) = switch_on(app, actor, "broken")
        switch_on(app, actor, "sound")
        with app.write() as tx:  # what a damaged row would do
            tx.execute(table.update().where(table.c.id == ill.id).values(element_id="astray"))
        clock.turn(3 * DAY)
        run_until_idle(app)
        assert len(list_cases(app, actor, procedure="sound")) == 3
        assert list_cases(app, actor, procedure="broken") == []
        (incident,) = list_incidents(app, actor)
        assert (incident.kind, incident.subject_id) == ("schedule", ill.id)
        assert "could be begun for 2026-03-03T12:00:00+01:00" in incident.message
        before = clock.now()
        assert run_until_idle(app).nothing
        assert timing.next_due(app) == timing.next_due(app, before) == NOON + 4 * DAY
        # Tried again it fails again; left out, the next due instant is tried.
        retry(app, actor, incident.id, "have a look")
        run_until_idle(app)
        (again,) = list_incidents(app, actor)
        assert again.message == incident.message
        resolve(app, actor, again.id, "not needed")
        with app.write() as tx:
            tx.execute(table.update().where(table.c.id == ill.id).values(element_id="begin"))
        run_until_idle(app)
        assert list_incidents(app, actor) == []
        days = [(instant - NOON).days for instant in begun_for(app, actor, "broken")]
        assert days == [2, 3]


def test_a_new_version_that_says_the_same_goes_on_uncounted_and_running_cases_keep_theirs(url):
    with town(monthly(), database_url=url) as (app, actor, clock):
        (line,) = switch_on(app, actor, "monthly")
        clock.set(line.due_at)
        run_until_idle(app)
        clock.turn(10 * DAY)
        other = package("monthly", body(start("R/P1M")).replace('name="Ask"', 'name="Ask anew"'))
        assert deploy(app, actor, other, sandbox=sandbox()).number == 2
        (after,) = list_schedules(app, actor)
        assert after.due_at == NOON.replace(month=5).replace(hour=10)  # summer time has begun
        clock.set(after.due_at)
        run_until_idle(app)
        assert sorted(task.name for task in list_tasks(app, actor)) == ["Ask", "Ask anew"]


def test_a_new_version_with_another_time_is_counted_from_its_deployment(url):
    with town(monthly("2026-04-01"), database_url=url) as (app, actor, clock):
        switch_on(app, actor, "monthly")
        clock.turn(40 * DAY)
        run_until_idle(app)
        assert list_schedules(app, actor)[0].state == "done"
        deploy(app, actor, monthly("R2/P1D"), sandbox=sandbox())
        (line,) = list_schedules(app, actor)
        assert (line.state, line.expression, line.due_at) == ("on", "R2/P1D", clock.now() + DAY)
        clock.turn(5 * DAY)
        run_until_idle(app)
        assert len(list_cases(app, actor)) == 3
        assert list_incidents(app, actor) == []


@pytest.mark.parametrize("newer", [renamed("other"), monthly("2020-01-01"), monthly("${workdays('x')}")])
def test_a_schedule_whose_start_is_gone_or_past_ends_with_an_incident(newer):
    with town(monthly()) as (app, actor, clock):
        (line,) = switch_on(app, actor, "monthly")
        deploy(app, actor, newer, sandbox=sandbox())
        (ended,) = list_schedules(app, actor)
        assert (ended.state, ended.due_at) == ("gone", None)
        (incident,) = list_incidents(app, actor)
        assert (incident.kind, incident.subject_id) == ("schedule-ended", line.id)
        clock.turn(90 * DAY)
        run_until_idle(app)
        assert list_cases(app, actor) == []
        # A later version that has the start again begins nothing by itself.
        deploy(
            app,
            actor,
            package("monthly", body(start("R/P1M")).replace("Ask", "Once more")),
            sandbox=sandbox(),
        )
        assert list_schedules(app, actor)[0].state == "gone"
        switch_on(app, actor, "monthly")
        assert [each.id for each in list_schedules(app, actor)] == [line.id]
        assert list_schedules(app, actor)[0].state == "on"


def test_switched_off_nothing_begins_and_switched_on_anew_it_is_counted_anew():
    with town(monthly()) as (app, actor, clock):
        (line,) = switch_on(app, actor, "monthly")
        with pytest.raises(managing.ScheduleStandsError):
            switch_on(app, actor, "monthly")
        assert switch_off(app, actor, line.id[:8]).state == "off"
        with pytest.raises(managing.ScheduleStandsError):
            switch_off(app, actor, line.id)
        deploy(app, actor, monthly("R/P1D"), sandbox=sandbox())
        clock.turn(90 * DAY)
        assert run_until_idle(app).nothing
        (anew,) = switch_on(app, actor, "monthly")
        assert (anew.id, anew.due_at) == (line.id, clock.now() + DAY)
        with app.read() as tx:
            told = tx.scalars(select(audit.c.action)).all()
        assert sorted(each for each in told if each.startswith("schedule.")) == [
            "schedule.off",
            "schedule.on",
            "schedule.on",
        ]


def test_units_have_schedules_of_their_own(url):
    with town(monthly("R1/P1D"), database_url=url) as (app, actor, clock):
        for office in ("Kasse", "Jugendamt"):
            roles = ["admin", "clerk"]
            add_person(
                app,
                person_id=office,
                name=office,
                authority=AUTHORITY,
                roles=roles,
                unit_names=[office],
                by=actor,
            )
            switch_on(app, actor, "monthly", unit=office)
        treasury, youth = app.actor("Kasse"), app.actor("Jugendamt")
        assert len(list_schedules(app, treasury)) == len(list_schedules(app, youth)) == 1
        (theirs,) = list_schedules(app, youth)
        with pytest.raises(NotFoundError):
            switch_off(app, treasury, theirs.id)
        with pytest.raises(NotFoundError):
            switch_on(app, treasury, "monthly", unit="Jugendamt")
        with pytest.raises(managing.ScheduleStandsError):
            switch_on(app, treasury, "monthly")
        clock.turn(DAY)
        run_until_idle(app)
        assert len(list_cases(app, youth)) == len(list_cases(app, treasury)) == 1
        assert len(list_cases(app, actor)) == 2


def test_what_cannot_be_switched_on_is_refused_whole():
    mixed = package("mixed", body(start("R/P1D", "daily"), start("2020-01-01", "past")))
    plain = package(
        "plain",
        body(start("R/P1D")).replace(
            "<timerEventDefinition><timeCycle>R/P1D</timeCycle></timerEventDefinition>", ""
        ),
    )
    with town(mixed, plain) as (app, actor, _):
        with pytest.raises(managing.ScheduleRefusedError, match="past: every instant of '2020-01-01'"):
            switch_on(app, actor, "mixed")
        assert list_schedules(app, actor) == []
        assert [line.element_id for line in switch_on(app, actor, "mixed", start="daily")] == ["daily"]
        with pytest.raises(managing.ScheduleRefusedError, match="no timer start 'other'"):
            switch_on(app, actor, "mixed", start="other")
        with pytest.raises(managing.ScheduleRefusedError, match="plain has no timer start"):
            switch_on(app, actor, "plain")
        with pytest.raises(ProcedureUnknownError):
            switch_on(app, actor, "nothing")
        with pytest.raises(NotFoundError, match="no unit"):
            switch_on(app, actor, "mixed", unit="nowhere")
        add_person(app, person_id="c", name="C", authority=AUTHORITY, roles=["clerk"], by=actor)
        for refused in (lambda who: switch_on(app, who, "mixed"), lambda who: switch_off(app, who, "x" * 8)):
            with pytest.raises(NotAllowedError):
                refused(app.actor("c"))


@pytest.mark.parametrize("time", ["${frist}", "0 0 8 * * *", "${deadline('baugb-36-2', '', 'arrival')}"])
def test_what_asks_for_a_case_or_is_cron_does_not_deploy(time):
    with town() as (app, actor, _), pytest.raises(ModelRefusedError):
        deploy(app, actor, package("monthly", body(start(time, kind="Date"))), sandbox=sandbox())


def test_a_computed_time_is_worked_out_when_it_is_switched_on():
    with town(monthly("${workdays(2)}")) as (app, actor, clock):
        (line,) = switch_on(app, actor, "monthly")
        assert line.due_at == local("2026-03-05T00:00:00+01:00")
        clock.set(line.due_at)
        run_until_idle(app)
        assert begun_for(app, actor) == [line.due_at]


def test_the_case_and_the_next_due_instant_are_one_transaction(url):
    with town(monthly("R/P1D"), database_url=url) as (app, actor, clock):
        (line,) = switch_on(app, actor, "monthly")
        clock.turn(DAY)

        def die(point):
            if point == "stored":
                raise KeyboardInterrupt

        app.probe = die
        with pytest.raises(KeyboardInterrupt):
            rounds._begin(app, line.id)
        app.probe = lambda point: None
        assert list_cases(app, actor) == []
        assert list_schedules(app, actor)[0].due_at == clock.now()
        run_until_idle(app)
        assert begun_for(app, actor) == [clock.now()]

"""Deadlines in other places of a model: many partners at once, starts that are given, several in a case."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from engine.clock import TurnedClock
from engine.definitions.package import build_package
from engine.definitions.package_files import read_folder
from engine.service import timing
from engine.service.cases import show_case, start_case
from engine.service.deadlines.listing import list_deadlines
from engine.service.exchanges import recording
from engine.service.exchanges.listing import list_exchanges
from engine.service.procedures import ModelRefusedError
from engine.service.tasks import complete_task, list_tasks
from engine.service.trial import Side, open_sides
from engine.service.verifying import verify_installation
from engine.service.work import run_until_idle
from tests.checking import sandbox
from tests.service.conftest import HOMBURG, NOON, SAARBRUECKEN

PACKAGE = Path(__file__).parent / "packages" / "einvernehmen"
PARTNERS = (HOMBURG, "10043114", "10042111")
HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:dw="urn:dienstweg:bpmn:1"'
    ' id="d" targetNamespace="urn:dienstweg:test">'
    '<bpmn:message id="M1" name="einvernehmensersuchen"/><bpmn:message id="M2" name="einvernehmensantwort"/>'
)
MUNICIPALITY = (
    '<bpmn:process id="Process_Gemeinde" isExecutable="true"><bpmn:startEvent id="s2"/>'
    '<bpmn:endEvent id="e2"/><bpmn:sequenceFlow id="g1" sourceRef="s2" targetRef="e2"/></bpmn:process>'
    "</bpmn:definitions>"
)


def flows(*pairs: str) -> str:
    """``a>b`` → sequence flows."""
    found = [pair.split(">") for pair in pairs]
    return "".join(f'<bpmn:sequenceFlow id="f_{a}_{b}" sourceRef="{a}" targetRef="{b}"/>' for a, b in found)


def timer(text: str) -> str:
    return f"<bpmn:timerEventDefinition><bpmn:timeDate>{text}</bpmn:timeDate></bpmn:timerEventDefinition>"


SEND = '<bpmn:sendTask id="send" messageRef="M1" dw:recipient="{0}" dw:message="einvernehmensersuchen"/>'
WAIT = (
    '<bpmn:receiveTask id="wait" messageRef="M2" dw:message="einvernehmensantwort" dw:answers="send"/>'
    '<bpmn:boundaryEvent id="over" attachedToRef="wait">{0}</bpmn:boundaryEvent>'
)
ON_ARRIVAL = timer('deadline("baugb-4-2", "", "arrival")')


def model(body: str) -> str:
    begin = '<bpmn:process id="Process_Bauaufsicht" isExecutable="true"><bpmn:startEvent id="start"/>'
    return f"{HEAD}{begin}{body}</bpmn:process>{MUNICIPALITY}"


@pytest.fixture
def side(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Side]:
    """One authority that plays the model the test names."""
    files = dict(read_folder(PACKAGE))
    files["einvernehmen.bpmn"] = model(request.param).encode()
    package = build_package(files, where="einvernehmen")
    roles = {"requesting": SAARBRUECKEN, **{f"p{n}": key for n, key in enumerate(PARTNERS)}}
    sides = open_sides(tmp_path, package, roles, "letter+post", TurnedClock(NOON), sandbox=sandbox())
    yield sides["requesting"]
    assert verify_installation(sides["requesting"].app).faults == ()
    for each in sides.values():
        each.app.close()


def begin(side: Side, **data: object) -> str:
    values = {"einvernehmensersuchen": {"vorhaben": "Plan"}, **data}
    case = start_case(side.app, side.actor, "einvernehmen", values, process_id="Process_Bauaufsicht")
    run_until_idle(side.app)
    return case.id


def form_tasks(side: Side) -> list[str]:
    return [task.element_id for task in list_tasks(side.app, side.actor, limit=500) if task.kind == "form"]


PARTICIPATION = (
    '<bpmn:subProcess id="each"><bpmn:multiInstanceLoopCharacteristics camunda:collection="partners"'
    ' camunda:elementVariable="partner"/><bpmn:startEvent id="s"/>'
    + SEND.format("partner")
    + WAIT.format(ON_ARRIVAL)
    + '<bpmn:userTask id="late"/><bpmn:endEvent id="e"/><bpmn:endEvent id="e3"/>'
    + flows("s>send", "send>wait", "wait>e", "over>late", "late>e3")
    + '</bpmn:subProcess><bpmn:endEvent id="end"/>'
    + flows("start>each", "each>end")
)


@pytest.mark.parametrize("side", [PARTICIPATION], indirect=True)
def test_each_of_many_partners_has_its_own_deadline(side: Side) -> None:
    begin(side, partners=list(PARTNERS))
    kept = list_deadlines(side.app, side.actor)
    sent = {exchange.id: exchange.recipient_id for exchange in list_exchanges(side.app, side.actor)}
    assert sorted(sent[line.exchange_id or ""] for line in kept) == sorted(PARTNERS)
    side.app.clock.turn(date(2026, 3, 20) - NOON.date())  # type: ignore[attr-defined]
    for exchange, recipient in sent.items():
        if recipient != PARTNERS[0]:
            day = date(2026, 3, 3) if recipient == PARTNERS[1] else date(2026, 3, 9)
            recording.record_fact(side.app, side.actor, exchange, "received", day, "Rückruf")
    ends = {sent[line.exchange_id or ""]: line.end for line in list_deadlines(side.app, side.actor)}
    assert ends == {PARTNERS[0]: None, PARTNERS[1]: date(2026, 4, 7), PARTNERS[2]: date(2026, 4, 9)}
    side.app.clock.set(datetime(2026, 4, 8, 10, tzinfo=UTC))  # type: ignore[attr-defined]
    run_until_idle(side.app)
    assert form_tasks(side) == ["late"]
    side.app.clock.set(datetime(2027, 4, 8, 10, tzinfo=UTC))  # type: ignore[attr-defined]
    run_until_idle(side.app)
    assert form_tasks(side) == ["late", "late"]


AGAIN = (
    SEND.format("partner")
    + WAIT.format(ON_ARRIVAL)
    + '<bpmn:userTask id="look"/><bpmn:endEvent id="end"/>'
    + '<bpmn:exclusiveGateway id="join"/>'
    + flows("start>join", "join>send", "send>wait", "wait>end", "over>look", "look>join")
)


@pytest.mark.parametrize("side", [AGAIN], indirect=True)
def test_a_second_round_does_not_run_on_the_first_rounds_proof(side: Side) -> None:
    begin(side, partner=HOMBURG)
    (exchange,) = list_exchanges(side.app, side.actor)
    recording.record_fact(side.app, side.actor, exchange.id, "received", NOON.date(), "Bote")
    side.app.clock.set(datetime(2026, 4, 10, 10, tzinfo=UTC))  # type: ignore[attr-defined]
    run_until_idle(side.app)
    (look,) = [task for task in list_tasks(side.app, side.actor) if task.element_id == "look"]
    complete_task(side.app, side.actor, look.id)
    run_until_idle(side.app)
    (second,) = list_deadlines(side.app, side.actor)
    assert (second.state, second.due_at) == ("unarmed", None)
    assert second.exchange_id not in (None, exchange.id)


LATER = (
    SEND.format("partner")
    + '<bpmn:userTask id="first"/><bpmn:intermediateCatchEvent id="wait">'
    + timer('deadline("baugb-36-2", "", "arrival:send")')
    + '</bpmn:intermediateCatchEvent><bpmn:userTask id="then"/><bpmn:endEvent id="end"/>'
    + flows("start>send", "send>first", "first>wait", "wait>then", "then>end")
)


@pytest.mark.parametrize("side", [LATER], indirect=True)
def test_a_wait_that_begins_after_the_proof_is_armed_at_once(side: Side) -> None:
    case = begin(side, partner=HOMBURG)
    (exchange,) = list_exchanges(side.app, side.actor)
    recording.record_fact(side.app, side.actor, exchange.id, "received", NOON.date(), "Bote")
    (first,) = [task for task in list_tasks(side.app, side.actor) if task.element_id == "first"]
    complete_task(side.app, side.actor, first.id)
    (line,) = list_deadlines(side.app, side.actor)
    assert (line.state, line.end, line.revision) == ("armed", date(2026, 5, 4), 1)
    assert show_case(side.app, side.actor, case).timers[0]["revision"] == 1
    side.app.clock.set(datetime(2026, 5, 4, 22, tzinfo=UTC))  # type: ignore[attr-defined]
    run_until_idle(side.app)
    assert form_tasks(side) == ["then"]


GIVEN = (
    '<bpmn:userTask id="ask"/><bpmn:boundaryEvent id="over" attachedToRef="ask">'
    + timer('deadline("vwvfg-31", "P2W", beginn)')
    + '</bpmn:boundaryEvent><bpmn:intermediateCatchEvent id="wait">'
    + timer("workdays(2)")
    + '</bpmn:intermediateCatchEvent><bpmn:userTask id="then"/>'
    + '<bpmn:endEvent id="end"/><bpmn:endEvent id="e"/>'
    + flows("start>ask", "ask>e", "over>wait", "wait>then", "then>end")
)


@pytest.mark.parametrize("side", [GIVEN], indirect=True)
def test_a_given_start_is_a_deadline_too_and_its_task_shows_the_end(side: Side) -> None:
    begin(side, beginn="2026-03-14")  # two weeks on is Saturday 28 March; summer time begins on Sunday
    (line,) = list_deadlines(side.app, side.actor)
    assert (line.basis, line.end, line.due_at) == (
        "fixed",
        date(2026, 3, 30),
        datetime(2026, 3, 30, 22, tzinfo=UTC),
    )
    (task,) = list_tasks(side.app, side.actor)
    assert (task.id, task.due_at) == (line.task_id, line.due_at)
    (planned,) = timing.list_timers(side.app, side.actor)
    assert (planned.due_at, planned.revision) == (line.due_at, 1)
    side.app.clock.set(datetime(2026, 3, 30, 21, 59, tzinfo=UTC))  # type: ignore[attr-defined]
    run_until_idle(side.app)
    assert form_tasks(side) == ["ask"]
    side.app.clock.set(datetime(2026, 3, 31, 7, tzinfo=UTC))  # type: ignore[attr-defined]
    run_until_idle(side.app)
    (line,) = list_deadlines(side.app, side.actor, everything=True)  # workdays(2) is no legal deadline
    assert line.state == "fired"
    (planned,) = timing.list_timers(side.app, side.actor)
    assert planned.due_at == datetime(2026, 4, 2, 22, tzinfo=UTC)
    side.app.clock.set(datetime(2026, 4, 2, 22, tzinfo=UTC))  # type: ignore[attr-defined]
    run_until_idle(side.app)
    assert form_tasks(side) == ["then"]


@pytest.mark.parametrize(
    "text",
    [
        'deadline("baugb-36-2", "", "arrival:nowhere")',
        'deadline("baugb-36", "", "arrival:send")',
        'deadline("baugb-36-2", "", "receipt:send")',
        'deadline_date("baugb-36-2", "", "arrival:send")',
    ],
)
def test_a_deadline_that_nothing_could_arm_does_not_deploy(text: str, tmp_path: Path) -> None:
    files = dict(read_folder(PACKAGE))
    files["einvernehmen.bpmn"] = model(
        LATER.replace('deadline("baugb-36-2", "", "arrival:send")', text)
    ).encode()
    package = build_package(files, where="einvernehmen")
    with pytest.raises(ModelRefusedError, match="DW80"):
        open_sides(tmp_path, package, {"requesting": SAARBRUECKEN}, "letter+post", TurnedClock(NOON))

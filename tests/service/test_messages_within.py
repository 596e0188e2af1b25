"""Messages and signals between cases of one authority: one receiver, early ones wait, none counts twice."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine.actor import Actor, Role
from engine.definitions.package import build_package
from engine.identifiers import SeededIds
from engine.service import procedures
from engine.service.cases import data_of, start_case
from engine.service.installation import Installation, create_installation, open_installation
from engine.service.message_buffer import LIFETIME, expire_buffer
from engine.service.work import run_until_idle
from engine.store.tables import cases, incidents, message_buffer, subscriptions
from engine.store.tables import tasks as task_rows
from tests.checking import sandbox
from tests.conformance.stored import begin_clock

ACTOR = Actor("tester", "10041100", frozenset({Role.ADMIN, Role.CLERK}))
HEAD = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="t">
  <message id="ask" name="Ask"/><message id="answer" name="Answer"/><signal id="horn" name="Horn"/>
  <correlationProperty id="file" name="file">
    <correlationPropertyRetrievalExpression messageRef="ask"><messagePath>reference</messagePath>
    </correlationPropertyRetrievalExpression>
    <correlationPropertyRetrievalExpression messageRef="answer"><messagePath>reference</messagePath>
    </correlationPropertyRetrievalExpression>
  </correlationProperty>
  <collaboration id="c"><participant id="pool" processRef="{0}"/>
    <correlationKey id="key" name="key"><correlationPropertyRef>file</correlationPropertyRef></correlationKey>
  </collaboration>
  <process id="{0}" isExecutable="true">{1}</process>
</definitions>"""
REFERENCE = (
    '<extensionElements><camunda:inputOutput xmlns:camunda="http://camunda.org/schema/1.0/bpmn">'
    '<camunda:inputParameter name="reference">${reference}</camunda:inputParameter>'
    '<camunda:inputParameter name="text">${text}</camunda:inputParameter>'
    "</camunda:inputOutput></extensionElements>"
)


def chain(*elements: str) -> str:
    """Return elements written as ``tag id …`` and flows from each to the next."""
    ids = [element.split('id="')[1].split('"')[0] for element in elements]
    flows = [
        f'<sequenceFlow id="f{number}" sourceRef="{left}" targetRef="{right}"/>'
        for number, (left, right) in enumerate(pairwise(ids))
    ]
    return "".join((*elements, *flows))


START, END = '<startEvent id="s"/>', '<endEvent id="e"/>'
ASKS = chain(START, f'<sendTask id="x" messageRef="ask">{REFERENCE}</sendTask>', END)
ANSWERS = chain(START, f'<sendTask id="x" messageRef="answer">{REFERENCE}</sendTask>', END)
WAITS = chain(
    START,
    f'<sendTask id="x" messageRef="ask">{REFERENCE}</sendTask>',
    '<receiveTask id="w" messageRef="answer"/>',
    '<userTask id="u"/>',
    END,
)
WAITS_FOR_ANY = chain(START, '<receiveTask id="w" messageRef="answer"/>', '<userTask id="u"/>', END)
BEGINS = chain(
    '<startEvent id="s"><messageEventDefinition messageRef="ask"/></startEvent>',
    '<receiveTask id="w" messageRef="answer"/>',
    '<userTask id="u"/>',
    END,
)
BLOWS = chain(
    START,
    '<intermediateThrowEvent id="t"><signalEventDefinition signalRef="horn"/></intermediateThrowEvent>',
    END,
)
HEARS = chain(
    '<startEvent id="s"><signalEventDefinition signalRef="horn"/></startEvent>', '<userTask id="u"/>', END
)


@dataclass
class Hall:
    """One authority with procedures that talk to each other."""

    app: Installation

    def deploy(self, key: str, process: str) -> None:
        files = {
            "procedure.yaml": (
                f"format: 1\nkey: {key}\ntitle: Probe\nbasis: [{{law: BPMN, paragraphs: 2.0.2}}]\n"
                f"models:\n  - model.bpmn\nroles:\n  one: {{process: {key}, title: Eine}}\n"
                "retention: {period: P1D, basis: Probe}\n"
            ).encode(),
            "model.bpmn": HEAD.format(key, process).encode(),
        }
        procedures.deploy(self.app, ACTOR, build_package(files), sandbox=sandbox())

    def start(self, key: str, **data: Any) -> str:
        case = start_case(self.app, ACTOR, key, {"text": "", **data})
        run_until_idle(self.app)
        return case.id

    def answered(self) -> list[str]:
        """Return the texts that have reached a task, in the order of the cases."""
        with self.app.read() as tx:
            rows = tx.execute(
                select(task_rows.c.case_id)
                .join(cases, cases.c.id == task_rows.c.case_id)
                .where(task_rows.c.status == "open")
                .order_by(cases.c.own_reference)
            )
            return [data_of(self.app, tx, row.case_id)["text"] for row in rows]

    def buffered(self) -> list[str]:
        with self.app.read() as tx:
            rows = tx.execute(select(message_buffer.c.status).order_by(message_buffer.c.id))
            return [row.status for row in rows]


@pytest.fixture
def hall(tmp_path: Path) -> Hall:
    create_installation(tmp_path / "home", "TEST")
    return Hall(open_installation(tmp_path / "home", clock=begin_clock(), ids=SeededIds(5)))


def test_a_message_reaches_the_one_case_whose_correlation_it_carries(hall: Hall) -> None:
    hall.deploy("waits", WAITS)
    hall.deploy("answers", ANSWERS)
    for reference in ("A", "B", "C"):
        hall.start("waits", reference=reference)
    hall.start("answers", reference="B", text="for B")
    assert hall.answered() == ["for B"]
    hall.start("answers", reference="A", text="for A")
    assert hall.answered() == ["for A", "for B"]


def test_a_wait_that_is_bound_comes_before_an_older_one_that_takes_any(hall: Hall) -> None:
    hall.deploy("any", WAITS_FOR_ANY)
    hall.deploy("waits", WAITS)
    hall.deploy("answers", ANSWERS)
    hall.start("any", reference="?")
    hall.start("waits", reference="B")
    hall.start("answers", reference="B", text="for B")
    with hall.app.read() as tx:
        left = [row.case_id for row in tx.execute(select(subscriptions))]
        (procedure,) = tx.execute(select(cases.c.procedure_key).where(cases.c.id.in_(left))).one()
    assert procedure == "any"


LISTENS_FIRST = (
    chain(START, f'<sendTask id="x" messageRef="ask">{REFERENCE}</sendTask>', '<userTask id="q"/>', END)
    + '<subProcess id="h" triggeredByEvent="true"><startEvent id="i">'
    + '<messageEventDefinition messageRef="answer"/></startEvent><userTask id="u"/>'
    + '<sequenceFlow id="k" sourceRef="i" targetRef="u"/></subProcess>'
)


def test_what_listened_before_its_conversation_began_takes_no_message_of_another_case(hall: Hall) -> None:
    hall.deploy("listens", LISTENS_FIRST)
    hall.deploy("answers", ANSWERS)
    asked = {reference: hall.start("listens", reference=reference) for reference in ("A", "B", "C")}
    for reference in ("B", "A", "C"):
        hall.start("answers", reference=reference, text=f"for {reference}")
    with hall.app.read() as tx:
        got = {reference: data_of(hall.app, tx, case)["text"] for reference, case in asked.items()}
    assert got == {"A": "for A", "B": "for B", "C": "for C"}


def test_one_message_has_one_receiver(hall: Hall) -> None:
    hall.deploy("any", WAITS_FOR_ANY)
    hall.deploy("answers", ANSWERS)
    hall.start("any", reference="1")
    hall.start("any", reference="2")
    hall.start("answers", reference="X", text="one")
    assert hall.answered() == ["one"]
    hall.start("answers", reference="X", text="two")
    assert sorted(hall.answered()) == ["one", "two"]


def test_an_early_message_waits_for_the_case_it_is_for(hall: Hall) -> None:
    hall.deploy("waits", WAITS)
    hall.deploy("answers", ANSWERS)
    hall.start("answers", reference="B", text="early")
    hall.start("waits", reference="A")
    assert hall.answered() == []
    hall.start("waits", reference="B")
    assert hall.answered() == ["early"]


def test_a_message_that_nobody_takes_in_time_becomes_an_incident(hall: Hall) -> None:
    hall.deploy("answers", ANSWERS)
    hall.start("answers", reference="B", text="lost")
    hall.app.clock.set(hall.app.clock.now() + LIFETIME + timedelta(seconds=1))  # type: ignore[attr-defined]
    assert expire_buffer(hall.app) == 1
    with hall.app.read() as tx:
        (told,) = tx.execute(select(incidents.c.message)).one()
    assert "nobody took message 'Answer'" in told
    assert hall.buffered() == ["expired"]


def test_the_same_message_twice_counts_once(hall: Hall) -> None:
    hall.deploy("any", WAITS_FOR_ANY)
    hall.deploy("answers", ANSWERS)
    hall.start("any", reference="1")
    hall.start("any", reference="2")
    sender = hall.start("answers", reference="X", text="one")
    with hall.app.write() as tx:
        arguments = {"origin": f"{sender}/x##1", "name": "Answer", "payload": {}, "correlation": {}}
        hall.app.queue.enqueue(tx, "message", arguments, authority_id=ACTOR.authority_id, key="again")
    run_until_idle(hall.app)
    assert hall.answered() == ["one"]


def test_the_message_that_begins_a_case_fixes_its_conversation(hall: Hall) -> None:
    hall.deploy("begins", BEGINS)
    hall.deploy("asks", ASKS)
    hall.deploy("answers", ANSWERS)
    hall.start("asks", reference="A", text="first")
    hall.start("asks", reference="B", text="first")
    hall.start("answers", reference="B", text="for B")
    hall.start("answers", reference="C", text="for nobody")
    assert hall.answered() == ["for B"]
    assert hall.buffered().count("waiting") == 1


def test_a_signal_begins_every_process_that_listens_for_it(hall: Hall) -> None:
    hall.deploy("blows", BLOWS)
    hall.deploy("hears", HEARS)
    hall.deploy("hearstoo", HEARS)
    hall.start("blows")
    with hall.app.read() as tx:
        begun = sorted(
            row.procedure_key for row in tx.execute(select(cases.c.procedure_key)) if row[0] != "blows"
        )
    assert begun == ["hears", "hearstoo"]
    hall.start("blows")
    with hall.app.read() as tx:
        assert len(tx.execute(select(task_rows.c.id)).all()) == 4

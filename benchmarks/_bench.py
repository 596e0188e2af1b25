"""What the engine's benchmarks share: small procedures of our own drawing, and installations that run them."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from engine.actor import Actor
from engine.clock import Clock, TurnedClock
from engine.definitions.checker import Sandbox
from engine.definitions.package import ProcedurePackage, build_package
from engine.service.directory.authorities import seed_authorities
from engine.service.directory.people import add_person
from engine.service.installation import Installation, create_installation, open_installation
from engine.service.procedures import deploy

AUTHORITY = "10041100"
CLERK = "clerk"
NOON = datetime(2026, 3, 2, 11, tzinfo=UTC)

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:dw="urn:dienstweg:bpmn:1"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="d" targetNamespace="urn:dienstweg:benchmark">
<process id="{key}" name="{key}" isExecutable="true">
{body}
</process></definitions>
"""

_PROCEDURE = """format: 1
key: {key}
title: {key}
basis: [{{law: none, paragraphs: none, note: benchmark}}]
models: [{key}.bpmn]
roles: {{one: {{process: {key}, title: {key}, summary: benchmark}}}}
retention: {{period: P1Y, from: case-end, basis: benchmark}}
"""

APPROVE = """
<startEvent id="start"><outgoing>f1</outgoing></startEvent>
<userTask id="ask" name="Ask"><incoming>f1</incoming><outgoing>f2</outgoing></userTask>
<serviceTask id="book" name="Book" implementation="pass"><incoming>f2</incoming><outgoing>f3</outgoing></serviceTask>
<exclusiveGateway id="large" name="Large?" default="f6"><incoming>f3</incoming><outgoing>f4</outgoing><outgoing>f6</outgoing></exclusiveGateway>
<userTask id="sign" name="Sign"><incoming>f4</incoming><outgoing>f5</outgoing></userTask>
<endEvent id="end"><incoming>f5</incoming><incoming>f6</incoming></endEvent>
<sequenceFlow id="f1" sourceRef="start" targetRef="ask"/>
<sequenceFlow id="f2" sourceRef="ask" targetRef="book"/>
<sequenceFlow id="f3" sourceRef="book" targetRef="large"/>
<sequenceFlow id="f4" sourceRef="large" targetRef="sign"><conditionExpression>amount &gt; 100</conditionExpression></sequenceFlow>
<sequenceFlow id="f5" sourceRef="sign" targetRef="end"/>
<sequenceFlow id="f6" sourceRef="large" targetRef="end"/>
"""
"""Six nodes: start, user task, service task, exclusive gateway, user task, end."""


def model(key: str, body: str) -> bytes:
    return _HEAD.format(key=key, body=body).encode()


def package(key: str, body: str) -> ProcedurePackage:
    files = {"procedure.yaml": _PROCEDURE.format(key=key).encode(), f"{key}.bpmn": model(key, body)}
    return build_package(files)


@contextmanager
def installation(
    *packages: ProcedurePackage,
    database_url: str = "",
    clock: Clock | None = None,
    sandbox: Sandbox | None = None,
) -> Iterator[tuple[Installation, Actor]]:
    """Make a throw-away installation with the packages deployed; its folder is on disk, not in memory.

    ``sandbox`` may be one that runs already; else a process is started to check the packages.
    """

    def prepare(app: Installation) -> None:
        seed_authorities(app, [AUTHORITY])
        roles = ["admin", "clerk", "analyst"]
        add_person(app, person_id=CLERK, name="Clerk", authority=AUTHORITY, roles=roles, by=None)

    with tempfile.TemporaryDirectory(prefix="dw-bench-", dir=Path.cwd()) as folder:
        home = Path(folder) / "home"
        create_installation(home, "BM", person=CLERK, prepare=prepare, database_url=database_url)
        app = open_installation(home, clock=clock or TurnedClock(NOON))
        try:
            actor = app.actor(CLERK)
            for one in packages:
                deploy(app, actor, one, sandbox=sandbox)
            yield app, actor
        finally:
            app.close()

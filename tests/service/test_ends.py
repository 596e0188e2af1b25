"""A case that reaches its ends one after the other names them all."""

from engine.definitions.package import build_package
from engine.service import cases, procedures, tasks
from tests.service.conftest import SAARBRUECKEN

HEAD = b"""format: 1
key: zweige
title: Zwei Zweige
basis: [{law: VwVfG, paragraphs: "9"}]
models: [zweige.bpmn]
roles: {one: {process: zweige, title: Eine}}
retention: {period: P1D, basis: Probe}
"""
BPMN = b"""<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="urn:t">
<process id="zweige" isExecutable="true">
 <startEvent id="s"/><parallelGateway id="g"/>
 <userTask id="a" name="A"/><userTask id="b" name="B"/><endEvent id="ea"/><endEvent id="eb"/>
 <sequenceFlow id="f1" sourceRef="s" targetRef="g"/>
 <sequenceFlow id="f2" sourceRef="g" targetRef="a"/><sequenceFlow id="f3" sourceRef="g" targetRef="b"/>
 <sequenceFlow id="f4" sourceRef="a" targetRef="ea"/><sequenceFlow id="f5" sourceRef="b" targetRef="eb"/>
</process></definitions>"""


def test_every_end_that_was_reached_is_named(halls):
    side = halls.sb
    procedures.deploy(side.app, side.actor, build_package({"procedure.yaml": HEAD, "zweige.bpmn": BPMN}))
    case = cases.start_case(side.app, side.actor, "zweige")
    for name in ("A", "B"):
        halls.complete(side, name)
    view = cases.show_case(side.app, side.actor, case.id)
    assert view.case.status == "ended"
    assert view.end_events == ("ea", "eb")
    assert tasks.list_tasks(side.app, side.actor) == []
    assert side.actor.authority_id == SAARBRUECKEN

"""Cases that are written as XML: what the notation cannot say, or says in one way only."""

from tests.conformance.drawings.book import also, case, do, message, scenario

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:own="urn:dienstweg:tests"
    id="Definitions_Hand" targetNamespace="urn:dienstweg:tests">
  <bpmn:message id="In" name="Incoming"/>
  <bpmn:error id="Bad" name="Bad" errorCode="Bad"/>
"""

case(
    "names-of-the-engine",
    "ids like Start, End and Root; flows without id; names that an engine may use itself",
    "8.3.1: an id means nothing but identity; the id of a sequence flow may be left out",
    "",
    scenario("all", "Root", do("Root", "Join"), do("Join", also("done", end_events=["End"]))),
    xml=_HEAD
    + """  <bpmn:process id="Hand" isExecutable="true">
    <bpmn:startEvent id="Start"/>
    <bpmn:userTask id="Root"/>
    <bpmn:userTask id="Join"/>
    <bpmn:endEvent id="End"/>
    <bpmn:sequenceFlow sourceRef="Start" targetRef="Root"/>
    <bpmn:sequenceFlow sourceRef="Root" targetRef="Join"/>
    <bpmn:sequenceFlow sourceRef="Join" targetRef="End"/>
  </bpmn:process>
</bpmn:definitions>
""",
)
case(
    "qualified-references",
    "QName references; message; error; default flow; call activity",
    "8.1: a reference is a qualified name in the namespace of the file",
    "",
    scenario("message", "r", message("Incoming", also("done", end_events=["e"]))),
    scenario("boundary", "r", do("r", "done")),
    xml=_HEAD
    + """  <bpmn:process id="Hand" isExecutable="true">
    <bpmn:startEvent id="s"><bpmn:outgoing>own:f1</bpmn:outgoing></bpmn:startEvent>
    <bpmn:callActivity id="c" calledElement="own:Below"/>
    <bpmn:endEvent id="e"/>
    <bpmn:endEvent id="x"/>
    <bpmn:boundaryEvent id="b" attachedToRef="own:c"><bpmn:errorEventDefinition errorRef="own:Bad"/>
    </bpmn:boundaryEvent>
    <bpmn:sequenceFlow id="f1" sourceRef="s" targetRef="c"/>
    <bpmn:sequenceFlow id="f2" sourceRef="c" targetRef="e"/>
    <bpmn:sequenceFlow id="f3" sourceRef="b" targetRef="x"/>
  </bpmn:process>
  <bpmn:process id="Below" isExecutable="true">
    <bpmn:startEvent id="bs"/>
    <bpmn:receiveTask id="r" messageRef="own:In"/>
    <bpmn:endEvent id="be"/>
    <bpmn:sequenceFlow id="b1" sourceRef="bs" targetRef="r"/>
    <bpmn:sequenceFlow id="b2" sourceRef="r" targetRef="be"/>
  </bpmn:process>
</bpmn:definitions>
""",
)
case(
    "instantiating-waits",
    "receive task that instantiates; event-based gateway that instantiates",
    "10.6.6 and 10.3.3: the message that comes first begins the case",
    "",
    scenario("gateway", "", message("Incoming", also("a", variables={"x": 1}), x=1), do("a", "done")),
    scenario("other", "", message("Other", "b"), do("b", "done")),
    xml=_HEAD
    + """  <bpmn:message id="Other" name="Other"/>
  <bpmn:process id="Hand" isExecutable="true">
    <bpmn:eventBasedGateway id="g" instantiate="true"/>
    <bpmn:intermediateCatchEvent id="m1"><bpmn:messageEventDefinition messageRef="In"/>
    </bpmn:intermediateCatchEvent>
    <bpmn:intermediateCatchEvent id="m2"><bpmn:messageEventDefinition messageRef="Other"/>
    </bpmn:intermediateCatchEvent>
    <bpmn:userTask id="a"/>
    <bpmn:userTask id="b"/>
    <bpmn:endEvent id="e"/>
    <bpmn:endEvent id="e2"/>
    <bpmn:sequenceFlow id="f1" sourceRef="g" targetRef="m1"/>
    <bpmn:sequenceFlow id="f2" sourceRef="g" targetRef="m2"/>
    <bpmn:sequenceFlow id="f3" sourceRef="m1" targetRef="a"/>
    <bpmn:sequenceFlow id="f4" sourceRef="m2" targetRef="b"/>
    <bpmn:sequenceFlow id="f5" sourceRef="a" targetRef="e"/>
    <bpmn:sequenceFlow id="f6" sourceRef="b" targetRef="e2"/>
  </bpmn:process>
</bpmn:definitions>
""",
)

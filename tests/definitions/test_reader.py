"""The reader gives a model what the file says, whoever wrote it, and keeps what it could not resolve."""

import pytest

from engine.definitions.model import EventKind, NodeKind, Process, TimerKind, variable_name, walk
from engine.definitions.reader import read_model
from engine.definitions.troubles import TroubleKind
from engine.definitions.xml import (
    MAX_BYTES,
    ForbiddenXmlError,
    NotBpmnError,
    NotXmlError,
    TooLargeError,
    parse_xml,
)
from engine.expressions import compile_expression
from tests.definitions.bpmn import definitions, line, process


def read(content: str, attributes: str = "") -> Process:
    return read_model(definitions(content, attributes), "loan.bpmn").processes[0]


def test_flows_keep_document_order_and_get_an_id_of_their_own() -> None:
    model = read(
        process(
            """<startEvent id="Start"/>
<exclusiveGateway id="gw"/>
<task id="a"/>
<task id="b"/>
<sequenceFlow sourceRef="Start" targetRef="gw"/>
<sequenceFlow sourceRef="gw" targetRef="b"/>
<sequenceFlow id="known" sourceRef="gw" targetRef="a"/>
<sequenceFlow sourceRef="gw" targetRef="b"/>"""
        )
    )
    assert model.scope.nodes["gw"].outgoing == ("Flow_gw_b", "known", "Flow_gw_b_2")
    assert model.scope.nodes["gw"].incoming == ("Flow_Start_gw",)
    assert model.scope.flows["known"].line == 9
    assert model.scope.nodes["Start"].line == 3


def test_references_may_be_qualified_names() -> None:
    data = definitions(
        '<message id="m" name="reply"/><signal id="s" name="done"/><error id="e" errorCode="LOST"/>'
        '<escalation id="x"/><timerEventDefinition id="later"><timeDuration>P1D</timeDuration>'
        "</timerEventDefinition>"
        + process(
            """<receiveTask id="wait" messageRef="tns:m"/>
<intermediateThrowEvent id="tell"><signalEventDefinition signalRef="tns:s"/></intermediateThrowEvent>
<endEvent id="lost"><errorEventDefinition errorRef="e"/></endEvent>
<endEvent id="up"><escalationEventDefinition escalationRef="x"/></endEvent>
<intermediateCatchEvent id="pause"><eventDefinitionRef>tns:later</eventDefinitionRef>
</intermediateCatchEvent>
<callActivity id="call" calledElement="tns:other"/>"""
        )
    )
    model = read_model(data, "loan.bpmn")
    nodes = model.processes[0].scope.nodes
    assert nodes["wait"].message == "reply"
    assert nodes["tell"].events[0].name == "done"
    assert nodes["lost"].events[0].code == "LOST"
    assert nodes["up"].events[0].code == "x"
    assert nodes["pause"].events[0].timer is TimerKind.DURATION
    assert nodes["pause"].events[0].line == 7
    assert nodes["call"].called_element == "other"
    assert model.troubles == ()


def test_a_broken_reference_becomes_none_and_is_kept_with_its_line() -> None:
    model = read_model(definitions(line('<receiveTask id="wait" messageRef="m"/>', ids=("wait",))), "x")
    assert model.processes[0].scope.nodes["wait"].message is None
    (trouble,) = model.troubles
    assert (trouble.kind, trouble.line, trouble.element, trouble.what, trouble.value) == (
        TroubleKind.BROKEN_REFERENCE,
        4,
        "wait",
        "messageRef",
        "m",
    )


@pytest.mark.parametrize("prefix", ["camunda", "operaton"])
def test_vendors_multi_instance_forms_decisions_and_mappings(prefix: str) -> None:
    nodes = read(
        process(
            f"""<userTask id="ask" {prefix}:formKey="permit" {prefix}:assignee="anna">
<multiInstanceLoopCharacteristics {prefix}:collection="${{bodies}}" {prefix}:elementVariable="body"/>
</userTask>
<businessRuleTask id="fee" {prefix}:decisionRef="fees" {prefix}:resultVariable="fee"/>
<serviceTask id="file" {prefix}:type="external" {prefix}:topic="archive"/>
<callActivity id="call" calledElement="hearing"><extensionElements><{prefix}:in source="a" target="b"/>
<{prefix}:in variables="all"/><{prefix}:out sourceExpression="${{c + 1}}" target="d"/>
</extensionElements></callActivity>
<task id="note"><extensionElements><{prefix}:inputOutput>
<{prefix}:inputParameter name="greeting">Guten Tag</{prefix}:inputParameter>
<{prefix}:outputParameter name="sum">${{a + b}}</{prefix}:outputParameter>
</{prefix}:inputOutput></extensionElements></task>"""
        )
    ).scope.nodes
    loop = nodes["ask"].loop
    assert loop is not None
    assert loop.collection is not None
    assert (loop.multi, loop.collection.text, loop.item) == (True, "${bodies}", "body")
    assert nodes["ask"].form == "permit"
    assert nodes["ask"].assignment == {"assignee": "anna"}
    assert (nodes["fee"].decision, nodes["fee"].result_variable) == ("fees", "fee")
    assert nodes["file"].implementation == "archive"
    call = nodes["call"]
    assert [(item.target, item.all, item.source and item.source.text) for item in call.inputs] == [
        ("b", False, "a"),
        ("", True, None),
    ]
    assert [item.source and item.source.text for item in call.outputs] == ["${c + 1}"]
    assert [item.source and item.source.text for item in nodes["note"].inputs] == ['"Guten Tag"']
    assert [item.source and item.source.text for item in nodes["note"].outputs] == ["${a + b}"]


@pytest.mark.parametrize("source", ["a-b", "a.b", "docs/", "x@y"])
def test_a_variable_name_of_other_engines_never_becomes_an_expression(source: str) -> None:
    content = line(
        f"""<callActivity id="call" calledElement="c"><extensionElements>
<camunda:in source="{source}" target="t"/></extensionElements>
<multiInstanceLoopCharacteristics camunda:collection="{source}"/></callActivity>""",
        ids=("call",),
    )
    model = read_model(definitions(content), "x")
    assert model.processes[0].scope.nodes["call"].inputs == ()
    assert [item.kind for item in model.troubles] == [TroubleKind.UNSUPPORTED_DATA] * 2


def test_zeebe_extensions() -> None:
    nodes = read(
        process(
            """<userTask id="ask"><extensionElements><zeebe:formDefinition formId="permit"/>
<zeebe:ioMapping><zeebe:input source="=a + 1" target="b"/><zeebe:output source="fixed" target="c"/>
</zeebe:ioMapping></extensionElements><multiInstanceLoopCharacteristics isSequential="true">
<extensionElements><zeebe:loopCharacteristics inputCollection="=bodies" inputElement="body"
 outputCollection="answers" outputElement="=answer"/></extensionElements>
</multiInstanceLoopCharacteristics></userTask>
<scriptTask id="sum"><extensionElements><zeebe:script expression="=a + b" resultVariable="total"/>
</extensionElements></scriptTask>
<callActivity id="call"><extensionElements><zeebe:calledElement processId="hearing"
 propagateAllChildVariables="false"/></extensionElements></callActivity>
<businessRuleTask id="fee"><extensionElements><zeebe:calledDecision decisionId="fees" resultVariable="fee"/>
</extensionElements></businessRuleTask>
<serviceTask id="file"><extensionElements><zeebe:taskDefinition type="archive"/></extensionElements>
</serviceTask>"""
        )
    ).scope.nodes
    loop = nodes["ask"].loop
    assert loop is not None
    assert loop.collection is not None
    assert (loop.sequential, loop.collection.text, loop.item) == (True, "=bodies", "body")
    assert (loop.output_collection, loop.output_item) == ("answers", "answer")
    assert nodes["ask"].form == "permit"
    assert [item.source and item.source.text for item in nodes["ask"].inputs] == ["=a + 1"]
    assert [item.source and item.source.text for item in nodes["ask"].outputs] == ['"fixed"']
    script = nodes["sum"].script
    assert script is not None
    assert (script.text, script.format, nodes["sum"].script_result) == ("=a + b", "feel", "total")
    assert nodes["call"].called_element == "hearing"
    assert [item.all for item in nodes["call"].inputs] == [True]
    assert nodes["call"].outputs == ()
    assert (nodes["fee"].decision, nodes["fee"].result_variable) == ("fees", "fee")
    assert nodes["file"].implementation == "archive"


def test_dw_attributes_and_properties_of_the_same_keys() -> None:
    nodes = read(
        process(
            """<sendTask id="one" dw:recipient="authority" dw:message="request"/>
<sendTask id="two"><extensionElements><camunda:properties>
<camunda:property name="dw:recipient" value="authority"/><camunda:property name="colour" value="red"/>
</camunda:properties></extensionElements></sendTask>
<intermediateThrowEvent id="three"><extensionElements><zeebe:properties>
<zeebe:property name="dw:message" value="request"/></zeebe:properties></extensionElements>
<messageEventDefinition dw:recipient="authority"/></intermediateThrowEvent>"""
        )
    ).scope.nodes
    assert nodes["one"].attributes == {"recipient": "authority", "message": "request"}
    assert nodes["two"].attributes == {"recipient": "authority"}
    assert nodes["three"].attributes == {"message": "request", "recipient": "authority"}


def test_data_moves_under_readable_names() -> None:
    nodes = read(
        process(
            """<dataObject id="DataObject_1" name="letter"/><dataObject id="DataObject_2" name="Der Brief"/>
<dataObjectReference id="ref_1" dataObjectRef="DataObject_1"/>
<dataObjectReference id="ref_2" dataObjectRef="DataObject_2"/>
<userTask id="ask"><ioSpecification><dataInput id="in_1" name="text"/><dataOutput id="out_1"/>
<inputSet/><outputSet/></ioSpecification>
<dataInputAssociation><sourceRef>ref_1</sourceRef><targetRef>in_1</targetRef></dataInputAssociation>
<dataOutputAssociation><sourceRef>out_1</sourceRef><targetRef>ref_2</targetRef></dataOutputAssociation>
</userTask>"""
        )
    ).scope.nodes
    (first,), (second,) = nodes["ask"].inputs, nodes["ask"].outputs
    assert first.source is not None
    assert second.source is not None
    assert (first.source.text, first.target) == ("letter", "text")
    assert (second.source.text, second.target) == ("out_1", "DataObject_2")


@pytest.mark.parametrize(
    ("element_id", "name", "variable"),
    [
        ("DataObject_1", "letter", "letter"),
        ("DataObject_1", None, "DataObject_1"),
        ("DataObject_1", "Der Brief", "DataObject_1"),
        ("_f00a-1.b", "_x", "data_f00a_1_b"),
        ("in", "not", "data_in"),
    ],
)
def test_variables_of_data_elements_can_be_used_in_expressions(
    element_id: str, name: str | None, variable: str
) -> None:
    assert variable_name(element_id, name) == variable
    compile_expression(variable)


def test_a_data_object_is_known_by_the_name_of_its_symbol() -> None:
    model = read(
        process(
            '<dataObject id="o"/><dataObjectReference id="r" name="letter" dataObjectRef="o"/>'
            '<userTask id="ask"><dataOutputAssociation><targetRef>r</targetRef><assignment>'
            "<from>1</from><to>r</to></assignment></dataOutputAssociation></userTask>"
        )
    )
    assert model.scope.data_objects[0].variable == "letter"
    assert [item.target for item in model.scope.nodes["ask"].outputs] == ["letter"]


def test_compensation_is_joined_by_associations_in_either_direction() -> None:
    for source, target in (("undo", "cancel"), ("cancel", "undo")):
        scope = read(
            process(
                f"""<task id="book"/><task id="cancel" isForCompensation="true"/>
<boundaryEvent id="undo" attachedToRef="book"><compensateEventDefinition/></boundaryEvent>
<association id="a" sourceRef="{source}" targetRef="{target}"/>"""
            )
        ).scope
        assert scope.compensation_handlers == {"undo": "cancel"}


def test_pools_and_lanes_name_who_does_it() -> None:
    model = read_model(
        definitions(
            '<collaboration id="c"><participant id="p" name="Gemeinde" processRef="tns:loan"/>'
            '<participant id="q" name="Kreis"/></collaboration>'
            + process(
                '<laneSet><lane id="l" name="Bauamt"><flowNodeRef>ask</flowNodeRef></lane></laneSet>'
                '<userTask id="ask"/>'
            )
        ),
        "loan.bpmn",
    )
    assert model.processes[0].participant == "Gemeinde"
    assert model.processes[0].scope.nodes["ask"].lane == "Bauamt"
    assert [(pool.name, pool.process) for pool in model.participants] == [
        ("Gemeinde", "loan"),
        ("Kreis", None),
    ]


def test_a_flow_written_in_the_process_belongs_where_both_ends_stand() -> None:
    model = read(
        process(
            """<subProcess id="sub"><startEvent id="s"/><endEvent id="e"/></subProcess>
<sequenceFlow id="f" sourceRef="s" targetRef="e"/>"""
        )
    )
    inner = model.scope.nodes["sub"].scope
    assert inner is not None
    assert set(inner.flows) == {"f"}
    assert model.scope.flows == {}


def test_schema_default_language_says_nothing_but_another_one_counts() -> None:
    for attribute, expected in (
        (' expressionLanguage="http://www.w3.org/1999/XPath"', None),
        (
            ' expressionLanguage="https://www.omg.org/spec/DMN/20191111/FEEL/"',
            "https://www.omg.org/spec/DMN/20191111/FEEL/",
        ),
    ):
        content = process(
            '<task id="a"/><task id="b"/><sequenceFlow id="f" sourceRef="a" targetRef="b">'
            "<conditionExpression>x</conditionExpression></sequenceFlow>"
        )
        condition = read(content, attribute).scope.flows["f"].condition
        assert condition is not None
        assert condition.language == expected


def test_every_kind_of_node_is_read() -> None:
    content = process("\n".join(f'<{kind.value} id="n_{kind.value}"/>' for kind in NodeKind))
    assert {node.kind for _, node in walk(read(content).scope)} == set(NodeKind)


def test_every_kind_of_event_is_read() -> None:
    content = process(
        "\n".join(
            f'<intermediateThrowEvent id="n_{kind.value}"><{kind.value}EventDefinition/>'
            "</intermediateThrowEvent>"
            for kind in EventKind
        )
    )
    assert {node.events[0].kind for _, node in walk(read(content).scope)} == set(EventKind)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", NotXmlError),
        (b"\x00\x01\x02", NotXmlError),
        (b"PK\x03\x04 no model", NotXmlError),
        (b"<a><b></a>", NotXmlError),
        (b"<x:a/>", NotXmlError),
        (b"<a/>", NotBpmnError),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', ForbiddenXmlError),
        ('<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a><a/>'.encode("utf-16"), ForbiddenXmlError),
        (b"<a>" * 300 + b"</a>" * 300, TooLargeError),
        (b"<a>" + b" " * MAX_BYTES + b"</a>", TooLargeError),
        (definitions(process('<subProcess id="s">' * 50 + "</subProcess>" * 50)), TooLargeError),
    ],
)
def test_what_is_no_model_is_refused_with_a_reason(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        read_model(data, "strange.bpmn")
    assert str(caught.value).startswith("strange.bpmn")


def test_comments_split_no_text() -> None:
    root = parse_xml(b"<a>one<!-- and -->two</a>", "a.xml")
    assert root.text == "onetwo"

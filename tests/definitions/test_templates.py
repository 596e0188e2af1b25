"""What the element templates write, the reader reads; what the checker knows, the templates offer."""

import json
from importlib.resources import files
from xml.sax.saxutils import quoteattr

import pytest

from engine.definitions.checker import check_model
from engine.definitions.checker.rules_exchange import _DOING, _SENDING, _STARTING, _TIMING, _WAITING
from engine.definitions.reader import read_model
from tests.definitions.bpmn import definitions, process

TEMPLATES = {
    item["id"]: item
    for item in json.loads((files("processes") / "templates" / "dienstweg.json").read_text("utf-8"))
}
SAMPLES = {
    "dw:recipient": "10045114",
    "dw:message": "loan",
    "dw:form": "confidential",
    "dw:documents": '["bescheid"]',
    "dw:answerWithin": "P1M",
    "dw:fallback": "hold",
    "dw:reminds": "sent",
    "dw:answers": "sent",
    "dw:due": 'deadline("vwvfg-31", "P1M", "2026-01-31")',
    "dw:remindBefore": "P14D,P3D",
}
KNOWN = {
    "dienstweg.send": _SENDING,
    "dienstweg.wait": _WAITING,
    "dienstweg.start": _STARTING,
    "dienstweg.task": _DOING,
    "dienstweg.timer": _TIMING,
}
MESSAGE = '<messageEventDefinition messageRef="m"/>'
TIMER = "<timerEventDefinition><timeDuration>P1M</timeDuration></timerEventDefinition>"
USES = [(item["id"], tag) for item in TEMPLATES.values() for tag in item["appliesTo"]]


def element(template: str, tag: str, properties: str) -> str:
    event = TIMER if template == "dienstweg.timer" else MESSAGE if tag.endswith("Event") else ""
    name, more = tag.removeprefix("bpmn:"), ""
    if name == "BoundaryEvent":
        more = ' attachedToRef="host"'
    name = name[0].lower() + name[1:]
    return f'<{name} id="it" name="It"{more}>{properties}{event}</{name}>'


def model(template: str, tag: str, properties: str) -> bytes:
    """Put the element into a process in which it may stand."""
    it = element(template, tag, properties)
    sent = '<sendTask id="sent" dw:recipient="10045114" dw:message="loan"/>'
    host = '<userTask id="host" name="Host"/>'
    start, end = '<startEvent id="start"/>', '<endEvent id="end"/>'
    flows = [("start", "sent"), ("sent", "host"), ("host", "it"), ("it", "end")]
    if tag == "bpmn:StartEvent":
        start, flows = "", [("it", "sent"), ("sent", "host"), ("host", "end")]
    elif tag == "bpmn:EndEvent":
        end, flows = "", flows[:3]
    elif tag == "bpmn:BoundaryEvent":
        flows[2] = ("host", "end")
    drawn = [f'<sequenceFlow id="{a}_{b}" sourceRef="{a}" targetRef="{b}"/>' for a, b in flows]
    return definitions(
        '<message id="m" name="loan"/>' + process("\n".join((start, sent, host, it, end, *drawn)))
    )


def written(template: str, house: str) -> str:
    """Return what a modeler writes after the template was applied and every field filled in."""
    values = [
        (p["binding"]["name"], SAMPLES[p["binding"]["name"]]) for p in TEMPLATES[template]["properties"]
    ]
    rows = "".join(f"<{house}:property name={quoteattr(n)} value={quoteattr(v)}/>" for n, v in values)
    return f"<extensionElements><{house}:properties>{rows}</{house}:properties></extensionElements>"


@pytest.mark.parametrize("house", ["camunda", "operaton", "zeebe"])
@pytest.mark.parametrize(("template", "tag"), USES)
def test_what_a_template_writes_is_read_and_accepted(template: str, tag: str, house: str) -> None:
    data = model(template, tag, written(template, house))
    (found,) = read_model(data, "loan.bpmn").processes
    node = found.scope.nodes["it"]
    assert node.attributes == {name: SAMPLES[f"dw:{name}"] for name in KNOWN[template]}
    assert [str(item) for item in check_model(data, "loan.bpmn").findings if item.severity == "error"] == []


@pytest.mark.parametrize("template", KNOWN)
def test_every_attribute_that_an_element_takes_is_offered(template: str) -> None:
    item = TEMPLATES[template]
    assert {p["binding"]["name"] for p in item["properties"]} == {f"dw:{name}" for name in KNOWN[template]}
    assert all(p["binding"]["type"] == "camunda:property" for p in item["properties"])
    # Form, message and timer are written elsewhere in the modeler's panel; they must not be hidden.
    assert item["entriesVisible"] is True


@pytest.mark.parametrize(("template", "tag"), USES)
def test_fields_left_empty_say_nothing(template: str, tag: str) -> None:
    rows = "".join(
        f"<camunda:property name={quoteattr(p['binding']['name'])}/>"
        for p in TEMPLATES[template]["properties"]
    )
    block = f"<extensionElements><camunda:properties>{rows}</camunda:properties></extensionElements>"
    (found,) = read_model(model(template, tag, block), "loan.bpmn").processes
    assert found.scope.nodes["it"].attributes == {}

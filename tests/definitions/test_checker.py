"""What the checker does beyond single rules: reports, contexts, drawings, hostile content."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.definitions.checker import CheckContext, Report, Severity, check_model, sarif
from engine.definitions.checker.rule import ENGINE_FUNCTIONS
from engine.definitions.checker.tokens import play, reachable
from engine.definitions.reader import read_model
from engine.runtime import FUNCTIONS
from tests.definitions.bpmn import definitions, line, process

GOOD = definitions(line('<userTask id="ask"/>', ids=("ask",)))


def rules(data: bytes, **known: frozenset[str]) -> set[str]:
    return {item.rule for item in check_model(data, "loan.bpmn", context=CheckContext(**known)).findings}


def test_a_good_model_has_no_findings() -> None:
    report = check_model(GOOD, "loan.bpmn")
    assert report.findings == ()
    assert report.accepted
    assert report.processes == ("loan",)


def test_a_finding_says_where_what_and_how_to_mend() -> None:
    data = definitions(line('<receiveTask id="wait" name="Antwort"/>', ids=("wait",)))
    (found,) = check_model(data, "loan.bpmn").findings
    assert (found.file, found.line, found.element, found.name) == ("loan.bpmn", 4, "wait", "Antwort")
    assert found.severity is Severity.ERROR
    assert "dw:message" in found.hint
    assert str(found).startswith("loan.bpmn:4: wait “Antwort”: error DW401 (incomplete)")


def test_a_report_survives_json() -> None:
    report = check_model(definitions(line('<receiveTask id="wait"/>', ids=("wait",))), "ä.bpmn")
    assert Report.from_dict(json.loads(report.to_json())) == report


def test_sarif_names_rule_place_and_level() -> None:
    report = check_model(definitions(line('<receiveTask id="wait"/>', ids=("wait",))), "../a b.bpmn")
    log = report.to_sarif()
    assert log["version"] == "2.1.0"
    (result,) = log["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("DW401", "error")
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "../a%20b.bpmn"
    assert place["region"]["startLine"] == 4
    assert sarif([report, report])["runs"][0]["tool"]["driver"]["rules"] == [
        {"id": "DW401", "helpUri": "docs/reference/rules.md#dw401"}
    ]


def test_a_process_that_the_package_names_runs_although_the_file_does_not_say_so() -> None:
    drawing = GOOD.replace(b' isExecutable="true"', b"")
    assert rules(drawing) == {"DW109"}
    assert rules(drawing, executable=frozenset({"loan"})) == set()


def test_a_java_class_is_accepted_where_a_worker_is_registered_for_it() -> None:
    data = definitions(line('<serviceTask id="file" camunda:class="org.example.File"/>', ids=("file",)))
    assert rules(data) == {"DW402"}
    assert rules(data, workers=frozenset({"org.example.File"})) == set()
    assert rules(data, workers=frozenset({"file"})) == set()


def test_the_engines_functions_may_be_called() -> None:
    assert frozenset(FUNCTIONS) == ENGINE_FUNCTIONS
    known = '<scriptTask id="ask"><script>a = rank(3)</script></scriptTask>'
    data = definitions(line(known, ids=("ask",)))
    assert rules(data) == {"DW503"}
    assert rules(data, functions=frozenset({"rank"})) == set()


def test_what_stays_a_drawing_is_not_judged() -> None:
    beside = '<process id="partner">\n<serviceTask id="x" camunda:class="org.example.X"/>\n</process>'
    assert rules(definitions(line('<userTask id="ask"/>', ids=("ask",)) + beside)) == {"DW110"}


def test_a_schema_fault_is_told_only_where_no_rule_says_it_better() -> None:
    data = definitions(line('<callActivity id="call" calledElement="${name}"/>', ids=("call",)))
    assert rules(data) == {"DW409"}


def test_feel_is_honoured_where_the_file_declares_it() -> None:
    content = process(
        """<startEvent id="s"/><exclusiveGateway id="g" default="f3"/><endEvent id="a"/><endEvent id="b"/>
<sequenceFlow id="f1" sourceRef="s" targetRef="g"/>
<sequenceFlow id="f2" sourceRef="g" targetRef="a"><conditionExpression>status = "open"</conditionExpression>
</sequenceFlow><sequenceFlow id="f3" sourceRef="g" targetRef="b"/>"""
    )
    feel = ' expressionLanguage="https://www.omg.org/spec/DMN/20191111/FEEL/"'
    groovy = ' expressionLanguage="http://groovy.codehaus.org/"'
    assert rules(definitions(content, feel)) == set()
    assert rules(definitions(content)) == {"DW501"}
    assert rules(definitions(content, groovy)) == {"DW501"}


def test_dw_attributes_count_where_something_is_sent_or_awaited_only() -> None:
    content = line('<userTask id="ask"/>', ids=("ask",))
    assert rules(
        definitions(content.replace('isExecutable="true"', 'isExecutable="true" dw:message="m"'))
    ) == {"DW801"}
    assert rules(definitions(content.replace('id="ask"', 'id="ask" dw:message="m"'))) == {"DW801"}


def test_a_called_process_begins_without_a_trigger() -> None:
    caller = line('<callActivity id="call" calledElement="inner"/>', ids=("call",))
    inner = line('<userTask id="ask"/>', ids=("ask",)).replace('"loan"', '"inner"')
    inner = inner.replace("start", "begin").replace('"end"', '"stop"').replace("ask_end", "ask_stop")
    message = '<message id="m" name="m"/>'
    waits = '<startEvent id="begin"><messageEventDefinition messageRef="m"/></startEvent>'
    inner = inner.replace("beginEvent", "startEvent")
    assert rules(definitions(message + caller + inner)) == set()
    triggered = inner.replace('<startEvent id="begin"/>', waits)
    assert rules(definitions(message + caller + triggered)) == {"DW410"}


def test_mixed_tasks_of_a_minified_file_are_judged_alike() -> None:
    data = GOOD.replace(b"\n", b"").replace(b'<userTask id="ask"/>', b'<receiveTask id="ask"/>')
    assert rules(data) == {"DW401"}


def test_tokens_meet_at_joins() -> None:
    scope = (
        read_model(
            definitions(
                process(
                    """<startEvent id="s"/><parallelGateway id="fork"/><task id="a"/><task id="b"/>
<parallelGateway id="join"/><endEvent id="e"/>
<sequenceFlow sourceRef="s" targetRef="fork"/><sequenceFlow sourceRef="fork" targetRef="a"/>
<sequenceFlow sourceRef="fork" targetRef="b"/><sequenceFlow sourceRef="a" targetRef="join"/>
<sequenceFlow sourceRef="b" targetRef="join"/><sequenceFlow sourceRef="join" targetRef="e"/>"""
                )
            ),
            "x",
        )
        .processes[0]
        .scope
    )
    seen = play(scope)
    assert seen.complete
    assert "join" in seen.fired
    assert seen.stuck == set()
    assert ("a", "b") in seen.together
    assert reachable(scope) == frozenset(scope.nodes)


def test_a_wide_model_is_judged_in_bounds() -> None:
    width = 30
    content = process(
        '<startEvent id="s"/><parallelGateway id="fork"/><parallelGateway id="join"/><endEvent id="e"/>'
        '<sequenceFlow sourceRef="s" targetRef="fork"/><sequenceFlow sourceRef="join" targetRef="e"/>'
        + "".join(
            f'<task id="t{i}"/><sequenceFlow sourceRef="fork" targetRef="t{i}"/>'
            f'<sequenceFlow sourceRef="t{i}" targetRef="join"/>'
            for i in range(width)
        )
    )
    assert rules(definitions(content)) == set()
    assert not play(read_model(definitions(content), "x").processes[0].scope).complete


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_raise(data: bytes) -> None:
    assert not check_model(data, "x").accepted


TAGS = (
    "startEvent", "endEvent", "task", "exclusiveGateway", "parallelGateway", "inclusiveGateway",
    "boundaryEvent", "subProcess", "intermediateCatchEvent", "intermediateThrowEvent", "callActivity",
    "eventBasedGateway", "adHocSubProcess", "messageEventDefinition", "linkEventDefinition",
    "timerEventDefinition", "compensateEventDefinition", "multiInstanceLoopCharacteristics",
    "dataInputAssociation", "association", "laneSet", "collaboration", "process", "conditionExpression",
)  # fmt: skip
IDS = ("a", "b", "c", "d", "e", "")
ATTRIBUTES = ("id", "default", "attachedToRef", "calledElement")


def rubbish(rng: random.Random, depth: int = 3) -> str:
    """Return BPMN elements in places and with references that no modeler would write."""
    parts = []
    for _ in range(rng.randint(0, 5)):
        tag = rng.choice(TAGS)
        attributes = "".join(f' {name}="{rng.choice(IDS)}"' for name in ATTRIBUTES if rng.random() < 0.5)
        parts.append(f"<{tag}{attributes}>{rubbish(rng, depth - 1) if depth else ''}</{tag}>")
    for _ in range(rng.randint(0, 4)):
        parts += [f'<sequenceFlow sourceRef="{rng.choice(IDS)}" targetRef="{rng.choice(IDS)}"/>']
    return "".join(parts)


@pytest.mark.parametrize("seed", range(80))
def test_no_model_raises(seed: int) -> None:
    report = check_model(definitions(process(rubbish(random.Random(seed)))), "rubbish.bpmn")
    for finding in report.findings:
        assert finding.line >= 1
        assert finding.message
        assert finding.hint


def test_the_checker_opens_no_file(tmp_path: Path) -> None:
    data = b'<?xml version="1.0"?><!DOCTYPE a SYSTEM "file:///etc/hostname"><a/>'
    (finding,) = check_model(data, str(tmp_path / "none.bpmn")).findings
    assert finding.rule == "DW101"

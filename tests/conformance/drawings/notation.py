"""A short notation for BPMN drawings, and how it becomes a BPMN file.

One line an element: ``kind id [key=value …] [-> target [if condition | default] [, target …]]``. Indented
lines stand inside the sub-process above them. Values with blanks are quoted.

    start s -> a
    user a -> g
    xor g -> b if x > 1, c default
    sub S multi=parallel count=3 -> e
        start s2 -> t
        user t
    boundary late on=S timer=PT1H alongside -> b
    end e error=E1

Keys of events: message, timer, signal, error, escalation, cond, link, terminate, cancel, compensate; ``all``
makes a parallel multiple event, ``alongside`` a non-interrupting one, ``nowait`` a throw that does not wait.
Keys of activities: multi, count, over, as, until, collect, item, loop, max, first (test before), for
compensation ``undo``; ``in.x``/``out.x`` map data; ``dw.*`` are Dienstweg's attributes.
"""

import re
import shlex
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
DW = "urn:dienstweg:bpmn:1"
CAMUNDA = "http://camunda.org/schema/1.0/bpmn"

TAGS = {
    "start": "startEvent",
    "end": "endEvent",
    "catch": "intermediateCatchEvent",
    "throw": "intermediateThrowEvent",
    "boundary": "boundaryEvent",
    "task": "task",
    "user": "userTask",
    "manual": "manualTask",
    "service": "serviceTask",
    "send": "sendTask",
    "receive": "receiveTask",
    "script": "scriptTask",
    "rule": "businessRuleTask",
    "call": "callActivity",
    "sub": "subProcess",
    "esub": "subProcess",
    "tx": "transaction",
    "adhoc": "adHocSubProcess",
    "xor": "exclusiveGateway",
    "or": "inclusiveGateway",
    "and": "parallelGateway",
    "race": "eventBasedGateway",
}
_EVENTS = {
    "message": "messageEventDefinition",
    "timer": "timerEventDefinition",
    "signal": "signalEventDefinition",
    "error": "errorEventDefinition",
    "escalation": "escalationEventDefinition",
    "cond": "conditionalEventDefinition",
    "link": "linkEventDefinition",
    "terminate": "terminateEventDefinition",
    "cancel": "cancelEventDefinition",
    "compensate": "compensateEventDefinition",
}
_ROOTS = ("message", "signal", "error", "escalation")


@dataclass
class Shape:
    """One line of a drawing."""

    kind: str
    id: str
    keys: list[tuple[str, str]]
    ways: list[tuple[str, str]]
    inside: list["Shape"] = field(default_factory=list)

    def get(self, name: str, default: str = "") -> str:
        """Return the value of a key; an empty text where a key stands without a value."""
        return next((value for key, value in self.keys if key == name), default)

    def has(self, name: str) -> bool:
        """Tell whether the key is there."""
        return any(key == name for key, _ in self.keys)


def parse(drawing: str) -> list[Shape]:
    """Read a drawing."""
    root: list[Shape] = []
    levels: list[tuple[int, list[Shape]]] = [(-1, root)]
    for line in drawing.splitlines():
        if not line.strip():
            continue
        indent = len(line) - len(line.lstrip())
        shape = _shape(line.strip())
        while levels[-1][0] >= indent:
            levels.pop()
        levels[-1][1].append(shape)
        levels.append((indent, shape.inside))
    return root


def _shape(line: str) -> Shape:
    head, arrow, tail = line.partition("->")
    words = shlex.split(head)
    keys = [(key, value) for key, _, value in (word.partition("=") for word in words[2:])]
    ways = []
    for part in tail.split(", ") if arrow else []:
        target, _, condition = part.strip().partition(" if ")
        if target.endswith(" default"):
            target, condition = target.removesuffix(" default"), "default"
        ways.append((target.strip(), condition.strip()))
    return Shape(words[0], words[1], keys, ways)


class Writer:
    """Writes one process as a BPMN file."""

    def __init__(self, process: str, shapes: list[Shape]) -> None:
        """Write ``shapes`` as process ``process``."""
        self.process = process
        self.shapes = shapes
        self.lines: list[str] = []

    def text(self) -> str:
        """Return the file."""
        self.lines = [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<definitions xmlns="{BPMN}" xmlns:dw="{DW}" xmlns:camunda="{CAMUNDA}"',
            '    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"',
            f'    id="Definitions_{self.process}" targetNamespace="urn:dienstweg:tests">',
        ]
        for kind in _ROOTS:
            for name in sorted(_names(self.shapes, kind)):
                code = f' {kind}Code="{name}"' if kind in ("error", "escalation") else ""
                self.lines.append(f'  <{kind} id="{kind}_{_id(name)}" name="{name}"{code}/>')
        self.lines.append(f'  <process id="{self.process}" isExecutable="true">')
        self._scope(self.shapes, "    ")
        self.lines += ["  </process>", "</definitions>", ""]
        return "\n".join(self.lines)

    def _scope(self, shapes: list[Shape], pad: str) -> None:
        for shape in shapes:
            if shape.kind == "object":
                self.lines.append(f'{pad}<dataObject id="{shape.id}"/>')
            else:
                self._node(shape, pad)
        for shape in shapes:
            for position, (target, condition) in enumerate(shape.ways):
                self._flow(shape, position, target, condition, pad)
        for shape in shapes:
            if shape.kind == "boundary" and shape.get("compensate"):
                target = shape.get("compensate")
                self.lines.append(
                    f'{pad}<association id="Undo_{shape.id}" associationDirection="One" '
                    f'sourceRef="{shape.id}" targetRef="{target}"/>'
                )

    def _flow(self, shape: Shape, position: int, target: str, condition: str, pad: str) -> None:
        flow = (
            f'{pad}<sequenceFlow id="{_flow_id(shape, position)}" sourceRef="{shape.id}" targetRef="{target}"'
        )
        if condition and condition != "default":
            text = escape(condition)
            self.lines += [
                f"{flow}>",
                f'{pad}  <conditionExpression xsi:type="tFormalExpression">{text}</conditionExpression>',
                f"{pad}</sequenceFlow>",
            ]
        else:
            self.lines.append(f"{flow}/>")

    def _node(self, shape: Shape, pad: str) -> None:
        tag = TAGS[shape.kind]
        inner = pad + "  "
        before = len(self.lines)
        self._extensions(shape, inner)
        self._events(shape, inner)
        self._loop(shape, inner)
        if shape.has("code"):
            self.lines.append(f"{inner}<script>{escape(shape.get('code'))}</script>")
        self._scope(shape.inside, inner)
        if shape.kind == "adhoc" and shape.has("enough"):
            self.lines.append(
                f"{inner}<completionCondition>{escape(shape.get('enough'))}</completionCondition>"
            )
        body = self.lines[before:]
        del self.lines[before:]
        head = f"{pad}<{tag}{self._attributes(shape)}"
        self.lines += [f"{head}>", *body, f"{pad}</{tag}>"] if body else [f"{head}/>"]

    def _attributes(self, shape: Shape) -> str:
        found = {"id": shape.id}
        if shape.kind == "esub":
            found["triggeredByEvent"] = "true"
        if shape.has("undo"):
            found["isForCompensation"] = "true"
        if shape.kind == "boundary":
            found["attachedToRef"] = shape.get("on")
        if shape.has("alongside"):
            found["cancelActivity" if shape.kind == "boundary" else "isInterrupting"] = "false"
        if shape.has("all"):
            found["parallelMultiple"] = "true"
        if shape.kind in ("send", "receive") and shape.has("message"):
            found["messageRef"] = f"message_{_id(shape.get('message'))}"
        if shape.has("instantiate"):
            found["instantiate"] = "true"
        if shape.kind == "call":
            found["calledElement"] = shape.get("process")
        if shape.kind == "adhoc":
            found["ordering"] = shape.get("order", "Parallel")
            found["cancelRemainingInstances"] = "false" if shape.has("finish") else "true"
        if shape.has("decision"):
            found["camunda:decisionRef"] = shape.get("decision")
            found["camunda:resultVariable"] = shape.get("result")
        for position, (_, condition) in enumerate(shape.ways):
            if condition == "default":
                found["default"] = _flow_id(shape, position)
        found.update((f"dw:{key[3:]}", value) for key, value in shape.keys if key.startswith("dw."))
        return "".join(f" {name}={quoteattr(value)}" for name, value in found.items())

    def _extensions(self, shape: Shape, pad: str) -> None:
        mapped = [(key, value) for key, value in shape.keys if key.startswith(("in.", "out."))]
        if not mapped:
            return
        self.lines.append(f"{pad}<extensionElements>")
        if shape.kind == "call":
            for key, value in mapped:
                side, _, name = key.partition(".")
                source = quoteattr("${" + value + "}")
                self.lines.append(f'{pad}  <camunda:{side} sourceExpression={source} target="{name}"/>')
        else:
            self.lines.append(f"{pad}  <camunda:inputOutput>")
            for key, value in mapped:
                side, _, name = key.partition(".")
                tag = f"camunda:{side}putParameter"
                self.lines.append(f'{pad}    <{tag} name="{name}">${{{escape(value)}}}</{tag}>')
            self.lines.append(f"{pad}  </camunda:inputOutput>")
        self.lines.append(f"{pad}</extensionElements>")

    def _events(self, shape: Shape, pad: str) -> None:
        if shape.kind not in ("start", "end", "catch", "throw", "boundary"):
            return
        for key, value in shape.keys:
            if key in _EVENTS:
                self.lines.append(pad + _event(shape, key, value))

    def _loop(self, shape: Shape, pad: str) -> None:
        if shape.has("loop") or (shape.has("max") and not shape.has("multi")):
            limit = f' loopMaximum="{shape.get("max")}"' if shape.has("max") else ""
            first = ' testBefore="true"' if shape.has("first") else ""
            condition = (
                f"<loopCondition>{escape(shape.get('loop'))}</loopCondition>" if shape.has("loop") else ""
            )
            self.lines.append(
                f"{pad}<standardLoopCharacteristics{limit}{first}>{condition}</standardLoopCharacteristics>"
            )
        if not shape.has("multi"):
            return
        order = "true" if shape.get("multi") == "sequential" else "false"
        self.lines.append(f'{pad}<multiInstanceLoopCharacteristics isSequential="{order}">')
        parts = [
            ("count", "<loopCardinality>{}</loopCardinality>"),
            ("over", "<loopDataInputRef>{}</loopDataInputRef>"),
            ("collect", "<loopDataOutputRef>{}</loopDataOutputRef>"),
            ("as", '<inputDataItem id="{}"/>'),
            ("item", '<outputDataItem id="{}"/>'),
            ("until", "<completionCondition>{}</completionCondition>"),
        ]
        self.lines += [
            f"{pad}  {form.format(escape(shape.get(key)))}" for key, form in parts if shape.has(key)
        ]
        self.lines.append(f"{pad}</multiInstanceLoopCharacteristics>")


def _event(shape: Shape, key: str, value: str) -> str:
    tag = _EVENTS[key]
    if key in _ROOTS:
        reference = f' {key}Ref="{key}_{_id(value)}"' if value else ""
        return f"<{tag}{reference}/>"
    if key == "timer":
        kind = "timeCycle" if value.startswith("R") else "timeDuration"
        if value[:4].isdigit() or value.startswith("date:"):
            kind, value = "timeDate", value.removeprefix("date:")
        return f"<{tag}><{kind}>{escape(value)}</{kind}></{tag}>"
    if key == "cond":
        return f'<{tag}><condition xsi:type="tFormalExpression">{escape(value)}</condition></{tag}>'
    if key == "link":
        return f'<{tag} name="{value}"/>'
    if key == "compensate" and shape.kind in ("throw", "end"):
        activity = f' activityRef="{value}"' if value else ""
        waits = ' waitForCompletion="false"' if shape.has("nowait") else ""
        return f"<{tag}{activity}{waits}/>"
    return f"<{tag}/>"


def _flow_id(shape: Shape, position: int) -> str:
    return f"{shape.id}_to_{shape.ways[position][0]}" + (f"_{position}" if _twice(shape, position) else "")


def _twice(shape: Shape, position: int) -> bool:
    return any(target == shape.ways[position][0] for target, _ in shape.ways[:position])


def _id(name: str) -> str:
    return re.sub(r"\W", "_", name)


def _names(shapes: list[Shape], kind: str) -> set[str]:
    found: set[str] = set()
    for shape in shapes:
        found |= {value for key, value in shape.keys if key == kind and value}
        found |= _names(shape.inside, kind)
    return found


def bpmn(process: str, drawing: str, *, starts: bool = False) -> str:
    """Return ``drawing`` as a BPMN file with one process.

    With ``starts`` every process and sub-process drawn without a start event gets one in front of what would
    begin there; BPMN does not ask for it, Dienstweg's checker does.
    """
    shapes = parse(drawing)
    return Writer(process, _with_starts(shapes, process) if starts else shapes).text()


def _with_starts(shapes: list[Shape], scope: str, *, needed: bool = True) -> list[Shape]:
    for shape in shapes:
        if shape.inside:
            shape.inside = _with_starts(shape.inside, shape.id, needed=shape.kind != "adhoc")
    if not needed or any(shape.kind == "start" or shape.has("instantiate") for shape in shapes):
        return shapes
    reached = {target for shape in shapes for target, _ in shape.ways}
    entries = [
        (shape.id, "")
        for shape in shapes
        if shape.id not in reached
        and shape.kind not in ("boundary", "esub", "object")
        and not shape.has("undo")
        and not (shape.kind == "catch" and shape.has("link"))
    ]
    return [Shape("start", f"begin_{scope}", [], entries), *shapes]

"""Models that no modeler drew: nested blocks of everything BPMN has, and wild graphs."""

import random

ROOTS = (
    '<message id="m_1" name="reply"/><message id="m_2" name="other"/><signal id="s_1" name="done"/>'
    '<error id="e_1" errorCode="LOST"/><error id="e_2" errorCode="LATE"/>'
    '<escalation id="x_1" escalationCode="UP"/>'
)
_CONDITIONS = ("n &gt; 2", "n &lt; 5", "flag", "not flag", "n == 3")


class Blocks:
    """Builds one scope's content from nested blocks; every block has one way in and one way out."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.count = 0

    def definitions(self) -> str:
        """Return processes that call at most one another."""
        called = self.scope(2)
        main = self.scope(4)
        return (
            f'{ROOTS}<process id="inner" isExecutable="true">{called}</process>'
            f'<process id="loan" isExecutable="true">{main}</process>'
        )

    def new(self, kind: str) -> str:
        self.count += 1
        return f"{kind}_{self.count}"

    def scope(self, depth: int) -> str:
        start, end = self.new("start"), self.new("end")
        body, first, last = self.block(depth)
        handlers = self.event_sub_process(depth) if depth > 1 and self.random.random() < 0.3 else ""
        finish = self.random.choice(("", "", "", "<terminateEventDefinition/>"))
        return (
            f'<startEvent id="{start}"/><endEvent id="{end}">{finish}</endEvent>{body}{handlers}'
            f"{flow(start, first)}{flow(last, end)}"
        )

    def block(self, depth: int) -> tuple[str, str, str]:
        kinds = [self.task, self.task, self.wait, self.throw]
        if depth > 0:
            kinds += [
                self.sequence,
                self.sequence,
                self.gateway,
                self.gateway,
                self.loop,
                self.sub_process,
                self.sub_process,
                self.event_gateway,
                self.link,
                self.activity_flows,
                self.call,
            ]
        return self.random.choice(kinds)(depth)

    def sequence(self, depth: int) -> tuple[str, str, str]:
        one, two = self.block(depth - 1), self.block(depth - 1)
        return one[0] + two[0] + flow(one[2], two[1]), one[1], two[2]

    def gateway(self, depth: int) -> tuple[str, str, str]:
        kind = self.random.choice(("exclusive", "inclusive", "parallel"))
        split, join = self.new("split"), self.new("join")
        branches = [self.block(depth - 1) for _ in range(self.random.randint(2, 3))]
        text, default = "", ""
        for index, (body, first, last) in enumerate(branches):
            condition = ""
            if kind != "parallel":
                condition = self.random.choice(_CONDITIONS) if index else ""
                default = default or f"{split}_{first}"
            text += body + flow(split, first, condition) + flow(last, join)
        chosen = f' default="{default}"' if default else ""
        return f'<{kind}Gateway id="{split}"{chosen}/><{kind}Gateway id="{join}"/>{text}', split, join

    def loop(self, depth: int) -> tuple[str, str, str]:
        enter, leave = self.new("enter"), self.new("leave")
        body, first, last = self.block(depth - 1)
        after = self.new("after")
        return (
            f'<exclusiveGateway id="{enter}"/><exclusiveGateway id="{leave}" default="{leave}_{after}"/>'
            f'<userTask id="{after}"/>{body}{flow(enter, first)}{flow(last, leave)}'
            f"{flow(leave, enter, 'again')}{flow(leave, after)}",
            enter,
            after,
        )

    def activity_flows(self, depth: int) -> tuple[str, str, str]:
        task, join = self.new("split_task"), self.new("join")
        one, two = self.block(depth - 1), self.block(depth - 1)
        return (
            f'<userTask id="{task}" default="{task}_{two[1]}"/><inclusiveGateway id="{join}"/>'
            f"{one[0]}{two[0]}"
            f"{flow(task, one[1], self.random.choice(_CONDITIONS))}{flow(task, two[1])}"
            f"{flow(one[2], join)}{flow(two[2], join)}",
            task,
            join,
        )

    def link(self, depth: int) -> tuple[str, str, str]:
        throw, catch = self.new("throw"), self.new("catch")
        body, first, last = self.block(depth - 1)
        definition = f'<linkEventDefinition name="{throw}"/>'
        return (
            f'{body}<intermediateThrowEvent id="{throw}">{definition}</intermediateThrowEvent>'
            f'<intermediateCatchEvent id="{catch}">{definition}</intermediateCatchEvent>{flow(last, throw)}',
            first,
            catch,
        )

    def event_gateway(self, depth: int) -> tuple[str, str, str]:
        gateway, join = self.new("which"), self.new("join")
        text = f'<eventBasedGateway id="{gateway}"/><exclusiveGateway id="{join}"/>'
        for definition in self.random.sample((MESSAGE, SIGNAL, TIMER, TIMER_LONG), 2):
            catch = self.new("catch")
            body, first, last = self.block(depth - 1)
            text += (
                f'<intermediateCatchEvent id="{catch}">{definition}</intermediateCatchEvent>{body}'
                f"{flow(gateway, catch)}{flow(catch, first)}{flow(last, join)}"
            )
        return text, gateway, join

    def task(self, _depth: int) -> tuple[str, str, str]:
        name = self.new("task")
        kind = self.random.choice(
            ("userTask", "manualTask", "task", "serviceTask", "scriptTask", "receiveTask")
        )
        attribute, inside = {
            "serviceTask": (' camunda:type="external" camunda:topic="archive"', ""),
            "scriptTask": ("", "<script>n = 3</script>"),
            "receiveTask": (' messageRef="m_1"', ""),
        }.get(kind, ("", ""))
        return self.activity(kind, name, attribute, inside)

    def call(self, _depth: int) -> tuple[str, str, str]:
        return self.activity("callActivity", self.new("call"), ' calledElement="inner"', "")

    def sub_process(self, depth: int) -> tuple[str, str, str]:
        kind = self.random.choice(("subProcess", "subProcess", "transaction", "adHocSubProcess"))
        name = self.new("sub")
        if kind == "adHocSubProcess":
            inside = f'<userTask id="{self.new("task")}"/><userTask id="{self.new("task")}"/>'
        else:
            inside = self.scope(depth - 1)
        return self.activity(kind, name, "", inside)

    def activity(self, kind: str, name: str, attribute: str, inside: str) -> tuple[str, str, str]:
        loop = ""
        if self.random.random() < 0.25:
            loop = self.random.choice(
                (
                    "<multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality>"
                    "</multiInstanceLoopCharacteristics>",
                    '<multiInstanceLoopCharacteristics isSequential="true" camunda:collection="items"'
                    ' camunda:elementVariable="item"/>',
                    "<standardLoopCharacteristics><loopCondition>again</loopCondition>"
                    "</standardLoopCharacteristics>",
                )
            )
        content = inside + loop if kind in ("scriptTask",) else loop + inside
        if kind == "scriptTask":
            content = loop + inside
        text, last = f'<{kind} id="{name}"{attribute}>{content}</{kind}>', name
        if self.random.random() < 0.4:
            boundary, join = self.new("boundary"), self.new("join")
            definition = self.random.choice((MESSAGE, SIGNAL, TIMER, ERROR, ESCALATION, CONDITION))
            cancels = definition == ERROR or self.random.random() < 0.5
            if cancels:
                text += (
                    f'<boundaryEvent id="{boundary}" attachedToRef="{name}">{definition}</boundaryEvent>'
                    f'<exclusiveGateway id="{join}"/>{flow(name, join)}{flow(boundary, join)}'
                )
                last = join
            else:
                end = self.new("end")
                text += (
                    f'<boundaryEvent id="{boundary}" attachedToRef="{name}" cancelActivity="false">'
                    f'{definition}</boundaryEvent><endEvent id="{end}"/>{flow(boundary, end)}'
                )
        return text, name, last

    def wait(self, _depth: int) -> tuple[str, str, str]:
        name = self.new("wait")
        definition = self.random.choice((MESSAGE, SIGNAL, TIMER, CONDITION, MESSAGE + TIMER))
        both = (
            ' parallelMultiple="true"' if definition == MESSAGE + TIMER and self.random.random() < 0.5 else ""
        )
        return f'<intermediateCatchEvent id="{name}"{both}>{definition}</intermediateCatchEvent>', name, name

    def throw(self, _depth: int) -> tuple[str, str, str]:
        name = self.new("tell")
        definition = self.random.choice((MESSAGE, SIGNAL, ESCALATION, "<compensateEventDefinition/>", ""))
        return f'<intermediateThrowEvent id="{name}">{definition}</intermediateThrowEvent>', name, name

    def event_sub_process(self, depth: int) -> str:
        name, start, end = self.new("handler"), self.new("start"), self.new("end")
        definition = self.random.choice((MESSAGE, SIGNAL, TIMER, ERROR, ESCALATION, CONDITION))
        kept = "" if definition == ERROR or self.random.random() < 0.5 else ' isInterrupting="false"'
        body, first, last = self.block(min(depth - 1, 1))
        return (
            f'<subProcess id="{name}" triggeredByEvent="true"><startEvent id="{start}"{kept}>{definition}'
            f'</startEvent><endEvent id="{end}"/>{body}{flow(start, first)}{flow(last, end)}</subProcess>'
        )


def wild(seed: int) -> str:
    """Return a process whose flows are drawn at random; most are refused, some only warned of."""
    rng = random.Random(seed)
    kinds = ("userTask", "userTask", "exclusiveGateway", "parallelGateway", "inclusiveGateway", "manualTask")
    nodes = [(f"n{index}", rng.choice(kinds)) for index in range(rng.randint(3, 8))]
    ends = [("end_1", "endEvent"), ("end_2", "endEvent")]
    outgoing: dict[str, list[str]] = {name: [] for name, _ in nodes}
    pairs = [("start", nodes[0][0])]
    for index, (name, kind) in enumerate(nodes):
        ahead = [other for other, _ in (*nodes[index + 1 :], *ends)]
        targets = {rng.choice(ahead)}
        if kind.endswith("Gateway"):
            targets |= {
                rng.choice([*ahead, *(other for other, _ in nodes)]) for _ in range(rng.randint(0, 2))
            }
        targets.discard(name)
        outgoing[name] = sorted(targets or {rng.choice(ahead)})
        pairs += [(name, target) for target in outgoing[name]]
    text = '<startEvent id="start"/>'
    decides = {name for name, kind in nodes if kind in ("exclusiveGateway", "inclusiveGateway")}
    for name, kind in (*nodes, *ends):
        splits = name in decides and len(outgoing[name]) > 1
        default = f' default="{name}_{outgoing[name][0]}"' if splits else ""
        text += f'<{kind} id="{name}"{default}/>'
    for source, target in pairs:
        splits = source in decides and len(outgoing[source]) > 1 and target != outgoing[source][0]
        text += flow(source, target, rng.choice(_CONDITIONS) if splits else "")
    return f'<process id="loan" isExecutable="true">{text}</process>'


def flow(source: str, target: str, condition: str = "") -> str:
    """Return a sequence flow."""
    inside = f"<conditionExpression>{condition}</conditionExpression>" if condition else ""
    ends = f'sourceRef="{source}" targetRef="{target}"'
    return f'<sequenceFlow id="{source}_{target}" {ends}>{inside}</sequenceFlow>'


MESSAGE = '<messageEventDefinition messageRef="m_2"/>'
SIGNAL = '<signalEventDefinition signalRef="s_1"/>'
TIMER = "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>"
TIMER_LONG = "<timerEventDefinition><timeDuration>P14D</timeDuration></timerEventDefinition>"
ERROR = '<errorEventDefinition errorRef="e_1"/>'
ESCALATION = '<escalationEventDefinition escalationRef="x_1"/>'
CONDITION = "<conditionalEventDefinition><condition>flag</condition></conditionalEventDefinition>"

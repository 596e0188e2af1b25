"""Receive tasks: a message completes them."""

from dataclasses import replace

from engine.definitions.model import EventDefinition, EventKind, Node
from engine.runtime import waiting
from engine.runtime.api import StepKind
from engine.runtime.compiling import Compiler
from engine.runtime.elements.activity import Activity
from engine.runtime.elements.base import case_of
from engine.runtime.specs import ScopeSpec
from engine.runtime.tokens import Token


class ReceiveTask(Activity):
    """A task that waits for a message (BPMN 2.0.2, 10.3.3)."""

    repeats_in_ad_hoc = True

    def __init__(self, spec: ScopeSpec, node: Node, compiler: Compiler) -> None:
        """Make the message the task's only trigger."""
        name = node.message or node.attributes.get("message")
        if not name:
            compiler.refuse(node, "it waits for a message without a name", "set a messageRef or dw:message")
        event = EventDefinition(EventKind.MESSAGE, node.line, name=name)
        super().__init__(spec, replace(node, events=(event,)), compiler)

    def perform(self, token: Token) -> bool | None:
        """Wait for the message; nothing is left to do where an event gateway has caught it already."""
        case = case_of(token)
        waits = waiting.prepare(case, self, token.scope, token, case.view(token))
        waiting.register(case, waits)
        token.item = waits[0].number
        case.out.step(StepKind.ENTERED, token, token.item)
        return None

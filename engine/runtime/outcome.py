"""Collects what an advance leads to."""

from typing import TYPE_CHECKING, Any

from engine.runtime.api import ItemKind, OpenItem, Send, Step, StepKind, ThrownMessage, ThrownSignal

if TYPE_CHECKING:
    from engine.runtime.case import Case
    from engine.runtime.tokens import Token, Wait

_WITH_DATA = (ItemKind.TASK, ItemKind.WORK, ItemKind.MESSAGE, ItemKind.FAILED)


class Outcome:
    """The steps, items and messages of one advance."""

    def __init__(self, case: "Case") -> None:
        """Begin empty."""
        self.case = case
        self.steps: list[Step] = []
        self.opened: dict[int, Wait] = {}
        self.closed: list[int] = []
        self.closed_kinds: list[ItemKind] = []
        self.changed: dict[int, Wait] = {}
        self.sends: list[Send] = []
        self.messages: list[ThrownMessage] = []
        self.signals: list[ThrownSignal] = []
        self.end_events: list[str] = []

    def step(self, kind: StepKind, token: "Token", item: int | None = None) -> None:
        """Note what happened to a token."""
        patch = token.changed if kind is StepKind.COMPLETED else None
        self.steps.append(
            Step(
                kind,
                token.element.name,
                token.scope.path,
                token.instance,
                None if item is None else self.case.item_id(item),
                patch,
                token.deleted if patch is not None else (),
            )
        )

    def flow(self, scope: Any, flow_id: str, instance: str) -> None:
        """Note that a token took a sequence flow."""
        self.steps.append(Step(StepKind.FLOW, flow_id, scope.path, instance))

    def open(self, wait: "Wait") -> None:
        """Note a new open item."""
        self.opened[wait.number] = wait

    def close(self, wait: "Wait") -> None:
        """Note that an item is no longer open."""
        self.changed.pop(wait.number, None)
        if self.opened.pop(wait.number, None) is None:
            self.closed.append(wait.number)
            self.closed_kinds.append(wait.kind)

    def change(self, wait: "Wait") -> None:
        """Note that an item stays open with something new about it."""
        if wait.number not in self.opened:
            self.changed[wait.number] = wait

    def item(self, wait: "Wait") -> OpenItem:
        """Return ``wait`` as the service sees it."""
        token, scope = wait.token, wait.scope
        data = self.case.view(token) if token is not None and wait.kind in _WITH_DATA else {}
        return OpenItem(
            id=self.case.item_id(wait.number),
            kind=wait.kind,
            element_id=wait.element.name,
            name=wait.element.label,
            scope=scope.path,
            instance=scope.instance if token is None else token.instance,
            data=data,
            event=wait.event,
            due=wait.due,
            revision=wait.revision,
            expression=wait.expression,
            correlation=wait.correlation,
            answers=wait.answers,
            error=wait.error,
            source=wait.source,
        )

"""What relations there can be, and what stands in a channel's way, read once for thousands of relations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from engine.clock import local_day
from engine.exchange.decision import POST, Relation
from engine.exchange.ports import Blocker, FormClass, Mailbox, MessageType, Requirements
from engine.service.exchanges.blockers import Boxes, Judge, load_boxes
from engine.service.starting import latest_processes

if TYPE_CHECKING:
    from engine.service.installation import Installation

HELD = "held back"


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a deployed procedure that sends."""

    procedure_key: str
    element_id: str
    message_type: MessageType
    form: FormClass
    fallback: str


class Grounds:
    """Steps, authorities and mailboxes as they stand on one day."""

    def __init__(self, app: "Installation", tx: Connection, day: date) -> None:
        """Read lazily through ``tx``; ``day`` is a local day."""
        self._app = app
        self._tx = tx
        self.day = day

    @classmethod
    def on(cls, app: "Installation", tx: Connection, instant: datetime) -> "Grounds":
        """Return how things stand on the local day of ``instant`` (UTC)."""
        return cls(app, tx, local_day(instant))

    @cached_property
    def steps(self) -> Sequence[Step]:
        """Every sending step of the newest version of every procedure."""
        found = []
        for row in latest_processes(self._tx):
            if not row["exchange_steps"]:
                continue
            types = self._app.programs.package(self._tx, row["version_id"]).message_types
            for step in row["exchange_steps"]:
                known = types.get(step["message"])
                if known is None:
                    continue  # a process of a package that never ran; the checker refuses it today
                form = FormClass(step["form"]) if step["form"] else known.form
                found.append(Step(row["procedure_key"], step["element_id"], known, form, step["fallback"]))
        return found

    def steps_of(self, procedure: str) -> Sequence[Step]:
        """Return the sending steps of one procedure."""
        return self._by_procedure.get(procedure, ())

    @cached_property
    def _by_procedure(self) -> dict[str, list[Step]]:
        found: dict[str, list[Step]] = {}
        for step in self.steps:
            found.setdefault(step.procedure_key, []).append(step)
        return found

    @cached_property
    def _boxes(self) -> Boxes:
        return load_boxes(self._tx)

    @cached_property
    def _judge(self) -> Judge:
        return Judge(self._app.adapters, self._boxes)

    @cached_property
    def _present(self) -> Sequence[str]:
        return sorted(
            each.id
            for each in self._boxes.authorities.values()
            if each.valid_from <= self.day and (each.valid_until is None or each.valid_until >= self.day)
        )

    def recipients(self, sender: str) -> Sequence[str]:
        """Return every authority that ``sender`` could write to."""
        return [authority for authority in self._present if authority != sender]

    def relation(self, procedure: str, step: str, sender: str, recipient: str) -> Relation:
        """Return the relation with its district."""
        return Relation(procedure, step, sender, recipient, self._boxes.authorities[recipient].district)

    def lies_in(self, authority: str, district: str) -> bool:
        """Tell whether an authority lies in a district."""
        return self._boxes.authorities[authority].district == district

    def open_box(self, authority: str, channel: str) -> Mailbox | None:
        """Return an authority's recorded mailbox that is open on the day."""
        return self._boxes.open(authority, channel, self.day)

    def why_closed(self, authority: str, channel: str) -> str | None:
        """Return why nothing reaches an authority on a channel that day; None where something does."""
        found = self._boxes.receiving(authority, channel, self.day)
        return found.message if isinstance(found, Blocker) else None

    def obstacle(self, step: Step, relation: Relation, channel: str, *, test: bool = False) -> str | None:
        """Return why exchanges of a relation cannot take ``channel``; None: nothing stands in the way.

        What depends on one exchange (its size, its formats) is not asked.
        """
        wanted = Requirements(step.message_type, step.form, 0, (), self.day, test)
        found = self._judge.blockers(channel, relation.sender_id, relation.recipient_id, wanted)
        return "; ".join(f"{each.message} [{each.code}]" for each in found) or None

    def carried(self, step: Step, relation: Relation, channel: str) -> tuple[str, str | None]:
        """Return what carries exchanges for which the rules intend ``channel``, and why another one."""
        obstacle = self.obstacle(step, relation, channel)
        if obstacle is None:
            return channel, None
        if step.fallback == "post" and channel != POST and self.obstacle(step, relation, POST) is None:
            return POST, obstacle
        return HELD, f"{obstacle}; exchanges would be held"

    def test_obstacle(self, step: Step, relation: Relation, channel: str) -> str | None:
        """Return why no shadow sends accompany a relation's exchanges; None where they do."""
        if step.form is FormClass.WRITTEN:
            return "written form is never sent as a test"
        closed = self.why_closed(relation.recipient_id, channel)
        if closed is not None:
            return closed
        box = self.open_box(relation.recipient_id, channel)
        if box is None or not box.accepts_test:
            return f"the recipient's mailbox on {channel} takes no tests"
        if self.open_box(relation.sender_id, channel) is None:
            return f"no own mailbox on {channel} for the receipts of tests"
        return self.obstacle(step, relation, channel, test=True)

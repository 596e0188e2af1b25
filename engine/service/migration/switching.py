"""Putting channel rules in force for relations, and listing them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, insert, select, update

from engine.actor import Actor, Role
from engine.errors import RefusedError
from engine.exchange.ports import split_channel
from engine.service.access import require
from engine.service.directory import find_authority, find_mailbox
from engine.service.starting import latest_processes
from engine.store.tables import audit, channel_rules

if TYPE_CHECKING:
    from engine.service.installation import Installation

STAGES = ("pilot", "live")


class SwitchRefusedError(RefusedError):
    """The relation cannot be switched like this."""


@dataclass(frozen=True, slots=True)
class Switch:
    """What an admin wants put in force; None in a scope field means any."""

    channel: str
    procedure: str | None = None
    step: str | None = None
    recipient: str | None = None
    stage: str = "live"
    share: int = 100
    reason: str = ""
    effective: datetime | None = None


def switch(app: "Installation", actor: Actor, wanted: Switch) -> str:
    """Put a channel rule in force for the actor's authority as sender; return the rule's id.

    No model is touched, no case restarted; exchanges not yet sent are decided by the new rule.
    Raises SwitchRefusedError, UnknownChannelError, ProcedureUnknownError, RoleMissingError.
    """
    require(actor, Role.ADMIN)
    _check(app, wanted)
    now = app.clock.now()
    rule_id = str(app.ids.new())
    with app.write() as tx:
        recipient = find_authority(tx, wanted.recipient).id if wanted.recipient else None
        _check_scope(tx, wanted)
        if recipient is not None and wanted.channel != "letter+post":
            day = (wanted.effective or now).date()
            if find_mailbox(tx, recipient, wanted.channel, day) is None:
                raise SwitchRefusedError(
                    f"{recipient} has no open mailbox on {wanted.channel}",
                    hint="record it with 'dienstweg mailbox add' once the partner has opened it",
                )
        _end_same_scope(tx, actor, wanted, recipient, wanted.effective or now)
        values = {
            "procedure_key": wanted.procedure,
            "element_id": wanted.step,
            "recipient_id": recipient,
            "channel": wanted.channel,
            "stage": wanted.stage,
            "share": wanted.share,
        }
        tx.execute(
            insert(channel_rules).values(
                id=rule_id,
                authority_id=actor.authority_id,
                valid_from=wanted.effective or now,
                created_at=now,
                created_by=actor.person_id,
                reason=wanted.reason,
                **values,
            )
        )
        tx.execute(
            insert(audit).values(
                id=str(app.ids.new()),
                authority_id=actor.authority_id,
                at=now,
                actor=actor.person_id,
                action="migration.switch",
                details={"rule": rule_id, **values, "reason": wanted.reason},
            )
        )
    return rule_id


def _check(app: "Installation", wanted: Switch) -> None:
    try:
        split_channel(wanted.channel)
    except ValueError as error:
        raise SwitchRefusedError(str(error), hint="a channel is payload+carrier") from error
    app.adapters.channel(wanted.channel)
    if wanted.stage not in STAGES:
        raise SwitchRefusedError(f"{wanted.stage!r} is no stage", hint=f"stages are: {', '.join(STAGES)}")
    if not 1 <= wanted.share <= 100 or (wanted.stage == "live" and wanted.share != 100):
        raise SwitchRefusedError("a pilot has a share of 1 to 100 percent, live has all")
    if wanted.step and not wanted.procedure:
        raise SwitchRefusedError("a step needs its procedure", hint="name it with --procedure")


def _check_scope(tx: Connection, wanted: Switch) -> None:
    if wanted.procedure is None:
        return
    steps = {
        step["element_id"]
        for row in latest_processes(tx)
        if row["procedure_key"] == wanted.procedure
        for step in row["exchange_steps"]
    }
    if not steps:
        raise SwitchRefusedError(f"procedure {wanted.procedure!r} is not deployed or sends nothing")
    if wanted.step is not None and wanted.step not in steps:
        raise SwitchRefusedError(
            f"{wanted.procedure} has no exchange step {wanted.step!r}",
            hint=f"its steps are: {', '.join(sorted(steps))}",
        )


def _end_same_scope(
    tx: Connection, actor: Actor, wanted: Switch, recipient: str | None, at: datetime
) -> None:
    """End the rule of exactly this scope that is in force; wider and narrower ones stay."""
    tx.execute(
        update(channel_rules)
        .where(
            channel_rules.c.authority_id == actor.authority_id,
            _same(channel_rules.c.procedure_key, wanted.procedure),
            _same(channel_rules.c.element_id, wanted.step),
            _same(channel_rules.c.recipient_id, recipient),
            channel_rules.c.valid_until.is_(None),
        )
        .values(valid_until=at)
    )


def _same(column: Any, value: str | None) -> Any:
    return column.is_(None) if value is None else column == value


def list_rules(app: "Installation", actor: Actor) -> Sequence[dict[str, Any]]:
    """Return the channel rules of the actor's authority, newest first."""
    query = (
        select(channel_rules)
        .where(channel_rules.c.authority_id == actor.authority_id)
        .order_by(channel_rules.c.created_at.desc(), channel_rules.c.id)
    )
    with app.read() as tx:
        return [dict(row) for row in tx.execute(query).mappings()]

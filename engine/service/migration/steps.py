"""The steps that send to other authorities, and why they still are on paper."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, insert, or_, select

from engine.actor import Actor, Role
from engine.clock import local_day
from engine.definitions.model import Node
from engine.definitions.package import ProcedurePackage
from engine.definitions.paper import PAPER, PaperReason, read_paper
from engine.errors import NotFoundError, RefusedError
from engine.exchange.decision import POST
from engine.exchange.ports import FormClass, MessageType
from engine.expressions import ExpressionError, compile_expression
from engine.migration.reasons import Reason, Reasons, Why, derived
from engine.migration.register import Step
from engine.migration.scope import Scope
from engine.runtime import FUNCTIONS
from engine.service.access import require
from engine.service.directory.authorities import AuthorityUnknownError, find_authority
from engine.service.migration.said import said
from engine.service.migration.scope import resolve, scope_senders
from engine.service.programs import ProcedureUnknownError
from engine.service.starting import latest_processes
from engine.store.tables import audit, mailboxes, package_files, step_reasons

if TYPE_CHECKING:
    from engine.service.installation import Installation


ANY = Scope()


class StepUnknownError(NotFoundError):
    """No such exchange step."""


class ReasonRefusedError(RefusedError):
    """This is no reason that could be kept."""


@dataclass(frozen=True, slots=True)
class SendingStep:
    """A step with all that readiness wants to know of it."""

    step: Step
    message_type: MessageType
    stated: Reason
    """What the package says of it, else what its form class gives."""


@dataclass(frozen=True, slots=True)
class StepReason:
    """A step and why it still is on paper, as one sender sees it."""

    sender: str
    step: Step
    reason: Reason


@dataclass(frozen=True, slots=True)
class NewReason:
    """What a person sets for a step; ``why`` None goes back to what package and form class say."""

    why: str | None
    note: str
    source: str = ""
    relief: str | None = None
    since: date | None = None


def load_steps(app: "Installation", tx: Connection, scope: Scope = ANY) -> list[SendingStep]:
    """Return the sends of the newest version of every procedure, those of ``scope`` only.

    Raises ProcedureUnknownError, StepUnknownError.
    """
    rows = latest_processes(tx, scope.procedure)
    if scope.procedure and not rows:
        raise ProcedureUnknownError(
            f"no procedure {scope.procedure!r} is deployed", hint="'dienstweg model list' shows what is"
        )
    found = [each for row in rows for each in _steps_of(app, tx, row)]
    if scope.step is None:
        return found
    wanted = [each for each in found if each.step.element == scope.step]
    if not wanted:
        known = ", ".join(sorted({each.step.element for each in found})) or "none"
        raise StepUnknownError(f"no step {scope.step!r} sends anything", hint=f"steps are: {known}")
    return wanted


def _steps_of(app: "Installation", tx: Connection, row: Mapping[str, Any]) -> list[SendingStep]:
    if not row["exchange_steps"]:
        return []
    package = app.programs.package(tx, row["version_id"])
    nodes = app.programs.nodes(tx, row["version_id"])
    return [_step(tx, row, entry, package, nodes[entry["element_id"]]) for entry in row["exchange_steps"]]


def _step(
    tx: Connection, row: Mapping[str, Any], entry: Mapping[str, Any], package: ProcedurePackage, node: Node
) -> SendingStep:
    message_type = package.message_types[entry["message"]]
    form = FormClass(entry["form"]) if entry["form"] else message_type.form
    expression = node.attributes.get("recipient", "")
    step = Step(
        procedure=row["procedure_key"],
        element=entry["element_id"],
        name=entry["name"],
        role=row["name"],
        message=entry["message"],
        form=form.value,
        fallback=entry["fallback"],
        recipient=expression,
        constant=_constant(tx, expression),
    )
    stated = package.paper.get(step.element)
    return SendingStep(step, message_type, _from_package(stated) if stated else derived(form))


def _constant(tx: Connection, expression: str) -> str | None:
    """Return the authority that an expression names without looking at the case."""
    try:
        compiled = compile_expression(expression, functions=FUNCTIONS)
    except ExpressionError:
        return None
    if compiled.names or compiled.possible_names or compiled.functions:
        return None
    value = compiled.evaluate({})
    if not isinstance(value, str):
        return None
    try:
        return find_authority(tx, value).id
    except AuthorityUnknownError:
        return value


def load_reasons(app: "Installation", tx: Connection, senders: Sequence[str]) -> Reasons:
    """Return why each step of each sender still is on paper: what splits the postal steps of a status."""
    return Reasons(_stated(app, tx), _set_reasons(tx, senders), _reachable(tx, local_day(app.clock.now())))


def _stated(app: "Installation", tx: Connection) -> dict[tuple[str, str], Reason]:
    """Return what packages and form classes say; whole packages are read only where nothing else tells."""
    papers = {
        row.version_id: read_paper(row.content)[0]
        for row in tx.execute(
            select(package_files.c.version_id, package_files.c.content).where(package_files.c.path == PAPER)
        )
    }
    found: dict[tuple[str, str], Reason] = {}
    for row in latest_processes(tx):
        paper = papers.get(row["version_id"], {})
        for entry in row["exchange_steps"]:
            key = (row["procedure_key"], entry["element_id"])
            if entry["element_id"] in paper:
                found[key] = _from_package(paper[entry["element_id"]])
            elif entry["form"]:
                found[key] = derived(FormClass(entry["form"]))
            else:
                message_type = app.programs.message_type(tx, row["version_id"], entry["message"])
                found[key] = derived(message_type.form)
    return found


def _from_package(stated: PaperReason) -> Reason:
    return Reason(
        Why(stated.why), stated.source, "procedure", stated.relief, stated.since, as_of=stated.as_of
    )


def _set_reasons(tx: Connection, senders: Sequence[str]) -> dict[tuple[str, str, str], Reason]:
    rows = tx.execute(
        select(step_reasons)
        .where(step_reasons.c.authority_id.in_(senders))
        .order_by(step_reasons.c.set_at, step_reasons.c.id)
    ).mappings()
    found: dict[tuple[str, str, str], Reason] = {}
    for row in rows:
        key = (row["authority_id"], row["procedure_key"], row["element_id"])
        if row["why"] is None:
            found.pop(key, None)
        else:
            found[key] = _reason(dict(row))
    return found


def _reason(row: Mapping[str, Any]) -> Reason:
    return Reason(
        why=Why(row["why"]),
        source=row["source"],
        origin="set",
        relief=row["relief"],
        since=row["since"],
        note=row["note"],
        set_by=row["set_by"],
        set_at=row["set_at"],
    )


def _reachable(tx: Connection, on: date) -> frozenset[str]:
    rows = tx.execute(
        select(mailboxes.c.authority_id)
        .where(
            mailboxes.c.channel != POST,
            mailboxes.c.valid_from <= on,
            or_(mailboxes.c.valid_until.is_(None), mailboxes.c.valid_until >= on),
        )
        .distinct()
    )
    return frozenset(row.authority_id for row in rows)


def list_steps(app: "Installation", actor: Actor, scope: Scope = ANY) -> list[StepReason]:
    """Return every exchange step of the deployed models and why it still is on paper, by sender.

    Raises SenderUnknownError, ProcedureUnknownError, StepUnknownError, RoleMissingError.
    """
    with app.read() as tx:
        scope = resolve(tx, actor, scope)
        senders = scope_senders(tx, actor, scope)
        steps = load_steps(app, tx, scope)
        reasons = load_reasons(app, tx, senders)
    return [
        StepReason(sender, each.step, reasons.of_step(sender, each.step.procedure, each.step.element))
        for sender in senders
        for each in steps
    ]


def set_reason(
    app: "Installation", actor: Actor, procedure: str, step: str, new: NewReason, *, sender: str | None = None
) -> Reason:
    """Keep why a step still is on paper, for the actor's authority or another ``sender``; return it.

    What was said before stays as history. Raises ReasonRefusedError, SenderUnknownError,
    ProcedureUnknownError, StepUnknownError, RoleMissingError.
    """
    require(actor, Role.ADMIN, Role.INSTALLATION)
    note = said(new.note, ReasonRefusedError)
    _check(new)
    now = app.clock.now()
    with app.write() as tx:
        scope = resolve(tx, actor, Scope(procedure, step, sender or actor.authority_id))
        owner = scope.sender or actor.authority_id
        stated = load_steps(app, tx, scope)[0].stated
        values = {
            "procedure_key": procedure,
            "element_id": step,
            "why": new.why,
            "relief": new.relief,
            "since": new.since,
            "source": new.source,
            "note": note,
        }
        row = {
            "id": str(app.ids.new()),
            "authority_id": owner,
            "set_at": now,
            "set_by": actor.person_id,
            **values,
        }
        tx.execute(insert(step_reasons).values(**row))
        tx.execute(
            insert(audit).values(
                id=str(app.ids.new()),
                authority_id=owner,
                at=now,
                actor=actor.person_id,
                action="migration.step",
                details={**values, "since": new.since.isoformat() if new.since else None},
            )
        )
    return _reason(row) if new.why else stated


def _check(new: NewReason) -> None:
    if new.why is None:
        return
    known = [why.value for why in Why]
    if new.why not in known:
        raise ReasonRefusedError(f"{new.why!r} is no reason", hint=f"reasons are: {', '.join(known)}")
    if new.why in (Why.PAPER_BOUND, Why.RELAXABLE) and not new.source.strip():
        raise ReasonRefusedError(
            f"{new.why} is a statement about the law", hint="name the paragraph with --source"
        )
    if new.why == Why.RELAXABLE and not (new.relief or "").strip():
        raise ReasonRefusedError(
            "it is not said what lets the form go", hint="name the relief with --relief, and --since when"
        )


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a step's history; ``reason`` None went back to what package and form class say."""

    at: datetime
    by: str
    reason: Reason | None
    note: str


def step_history(
    app: "Installation", actor: Actor, procedure: str, step: str, *, sender: str | None = None
) -> list[Change]:
    """Return what was set for a step, newest first.

    Raises SenderUnknownError, ProcedureUnknownError, StepUnknownError, RoleMissingError.
    """
    with app.read() as tx:
        scope = resolve(tx, actor, Scope(procedure, step, sender or actor.authority_id))
        load_steps(app, tx, scope)
        rows = tx.execute(
            select(step_reasons)
            .where(
                step_reasons.c.authority_id == scope.sender,
                step_reasons.c.procedure_key == procedure,
                step_reasons.c.element_id == step,
            )
            .order_by(step_reasons.c.set_at.desc(), step_reasons.c.id.desc())
        ).mappings()
        return [
            Change(row["set_at"], row["set_by"], _reason(dict(row)) if row["why"] else None, row["note"])
            for row in rows
        ]

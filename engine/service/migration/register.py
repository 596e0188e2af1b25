"""The register as one actor sees it: relations of the deployed models, with their figures."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from engine.actor import Actor
from engine.clock import local_day
from engine.exchange.decision import Relation
from engine.exchange.ports import FormClass
from engine.migration.register import Key, Line, Register, Step, StepSummary, Volume
from engine.migration.scope import Scope
from engine.service.directory.authorities import Authority, load_authorities
from engine.service.migration.figures import Figures, load_figures
from engine.service.migration.scope import districts, resolve, scope_senders
from engine.service.migration.steps import ANY, load_reasons, load_steps

if TYPE_CHECKING:
    from engine.service.installation import Installation


@dataclass(frozen=True, slots=True)
class Wish:
    """Which relations are wanted, and since when figures count."""

    scope: Scope = ANY
    since: date | None = None
    used: bool = False
    """Only relations with figures, or with a constant recipient."""


@dataclass(frozen=True, slots=True)
class Overview:
    """The summary: one line a step."""

    steps: list[StepSummary]
    relations: int
    volume: Volume
    senders: int
    recipients: int
    months: tuple[str, str] | None
    """First and last month with figures."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some relations, and how many there are."""

    lines: list[Line]
    total: int
    names: Mapping[str, str]
    """Authorities' names by key."""
    months: Mapping[Key, Mapping[str, Volume]]
    """Figures by relation and month."""


def overview(app: "Installation", actor: Actor, wish: Wish) -> Overview:
    """Return the register's summary.

    Raises SenderUnknownError, AuthorityUnknownError, ProcedureUnknownError, StepUnknownError,
    ScopeRefusedError, RoleMissingError.
    """
    with app.read() as tx:
        register, figures, _ = load_register(app, tx, actor, wish)
    return Overview(
        register.summary(),
        register.count(),
        register.total(),
        len(register.senders),
        len(register.recipients),
        figures.months,
    )


def relations(
    app: "Installation", actor: Actor, wish: Wish, *, offset: int = 0, limit: int | None = 50
) -> Page:
    """Return one page of relations by step, sender and recipient; ``limit`` None: all of them.

    Raises what ``overview`` raises.
    """
    with app.read() as tx:
        register, figures, authorities = load_register(app, tx, actor, wish)
    names = {key: authority.name for key, authority in authorities.items()}
    return Page(list(register.lines(offset, limit)), register.count(), names, figures.monthly)


def load_register(
    app: "Installation", tx: Connection, actor: Actor, wish: Wish
) -> tuple[Register, Figures, Mapping[str, Authority]]:
    """Return the register of a scope, its figures and the directory."""
    scope = resolve(tx, actor, wish.scope)
    senders = scope_senders(tx, actor, scope)
    district_of = districts(tx)
    authorities = load_authorities(tx)
    figures = load_figures(tx, senders, scope, wish.since)
    reasons = load_reasons(app, tx, senders)
    today = local_day(app.clock.now())

    def within(recipient: str) -> bool:
        return Scope(recipient=scope.recipient, district=scope.district).matches(
            Relation("", "", "", recipient), district_of
        )

    known = load_steps(app, tx, replace(scope, step=None))
    deployed = [each.step for each in known if scope.step in (None, each.step.element)]
    steps = [*deployed, *_retired(deployed, figures.volumes)]
    if not steps and scope.step is not None:
        load_steps(app, tx, scope)  # says which steps there are
    recipients = [key for key, each in authorities.items() if within(key) and each.exists(today)]
    register = Register(
        steps=[step for step in steps if step.constant is None or within(step.constant)],
        senders=senders,
        recipients=recipients,
        volumes={key: volume for key, volume in figures.volumes.items() if within(key[3])},
        reasons=reasons,
        imported=figures.imported,
        everybody=not wish.used,
    )
    return register, figures, authorities


def _retired(deployed: Iterable[Step], volumes: Mapping[Key, Volume]) -> list[Step]:
    """Return the steps that only figures know: of versions that have been replaced, or of no model at all."""
    known = {(step.procedure, step.element) for step in deployed}
    lost = sorted({key[:2] for key in volumes} - known)
    return [
        Step(procedure, element, element, "", "", FormClass.NONE.value, "", retired=True)
        for procedure, element in lost
    ]

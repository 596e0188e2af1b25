"""``advance``: one command in, everything that follows from it out."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from engine.identifiers import IdSource
from engine.runtime import api
from engine.runtime.api import Advance, Command, Json
from engine.runtime.case import Case
from engine.runtime.commands import HANDLERS
from engine.runtime.document import dump, load
from engine.runtime.errors import CaseOverError, StartRefusedError, WrongCommandError
from engine.runtime.services import STEP_LIMIT, DecisionEvaluator, Services, TimerWatch
from engine.runtime.specs import Program

_PREFIX = 28
"""Characters of a UUID that all items of a case share; the other eight count them."""


def advance(
    program: Program,
    state: str | None,
    command: Command,
    *,
    now: datetime,
    ids: IdSource,
    functions: Mapping[str, Callable[..., Json]] | None = None,
    decisions: DecisionEvaluator | None = None,
    zone: str = "Europe/Berlin",
    step_limit: int = STEP_LIMIT,
    watch: TimerWatch | None = None,
) -> Advance:
    """Apply ``command`` to the case that ``state`` describes (None: a new case) and move all that can move.

    A pure function: the same arguments give the same result. ``now`` is an aware instant; durations count
    from it, by the calendar of ``zone``. ``functions`` are what expressions may call (``deadline``, …);
    ``decisions`` evaluates business rules. ``step_limit`` bounds the steps that one command may set off;
    ``watch`` learns what timers' values come from.

    Raises:
        StartRefusedError: the process cannot be started this way.
        CaseOverError, ItemGoneError, StaleTimerError: something else was faster.
        WrongCommandError, ElementUnknownError, DataRefusedError: the command does not fit.
        StateUnreadableError: the document is damaged or of an unknown format.
    """
    known = {} if functions is None else functions
    services = Services(now.astimezone(UTC), known, decisions, zone, step_limit, watch)
    if state is None:
        if not isinstance(command, api.Start):
            raise WrongCommandError(f"a new case begins with Start, not {type(command).__name__}")
        case = Case(program, services, str(ids.new())[:_PREFIX])
    else:
        if isinstance(command, api.Start):
            raise StartRefusedError("the case has been started already")
        case = load(program, state, services)
        if case.over:
            raise CaseOverError()
    HANDLERS[type(command)](case, command)
    case.tidy()
    case.run()
    return _result(case)


def _result(case: Case) -> Advance:
    out = case.out
    opened = tuple(out.item(wait) for wait in out.opened.values())
    data = case.data if case.over else case.scope_data(case)
    return Advance(
        state=dump(case),
        steps=tuple(out.steps),
        opened=opened,
        closed=tuple(case.item_id(number) for number in out.closed),
        closed_kinds=tuple(out.closed_kinds),
        changed=tuple(out.item(wait) for wait in out.changed.values()),
        sends=tuple(out.sends),
        messages=tuple(out.messages),
        signals=tuple(out.signals),
        completed=case.over,
        end_events=tuple(out.end_events),
        data={**case.objects, **data} if case.objects else data,
    )

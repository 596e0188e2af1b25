"""``dienstweg timer``."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.show import Json, print_json, short, table
from cli.state import State

if TYPE_CHECKING:
    from engine.service.timing import TimerLine

app = typer.Typer(help="Timers: list, show.", no_args_is_help=True)


@app.command("list")
def list_(
    ctx: typer.Context,
    due_before: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="UTC.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1)] = 50,
    json: Json = False,
) -> None:
    """List planned timers of cases, the next one first; 'schedule list' shows what will begin cases."""
    from engine.service.schedules.managing import list_schedules
    from engine.service.timing import list_timers

    state: State = ctx.obj
    before = due_before.replace(tzinfo=UTC) if due_before else None
    found = list_timers(state.app, state.actor, due_before=before, limit=limit)
    if json:
        print_json(found)
        return
    rows = [(short(t.id), t.due_at, t.own_reference, t.element_id, _written(t), t.revision) for t in found]
    table(["Nummer", "fällig", "Aktenzeichen", "Element", "Angabe", "Rev."], rows, "Zeitgeber (timers)")
    waiting = sum(each.due_at is not None for each in list_schedules(state.app, state.actor))
    if waiting:
        typer.echo(f"{waiting} Zeitpläne beginnen Vorgänge (schedules): 'dienstweg schedule list'")


def _written(timer: "TimerLine") -> str | None:
    """Return what the model says of the timer; an instant that a revision has moved is marked."""
    from engine.deadlines.errors import IsoTextError
    from engine.deadlines.iso import parse_instant

    try:
        moved = timer.expression is not None and parse_instant(timer.expression) != timer.due_at
    except IsoTextError:
        return timer.expression
    return f"geändert, war {timer.expression}" if moved else timer.expression


@app.command()
def show(ctx: typer.Context, timer: str) -> None:
    """Show one timer as JSON."""
    from engine.service.timing import show_timer

    state: State = ctx.obj
    print_json(show_timer(state.app, state.actor, timer))

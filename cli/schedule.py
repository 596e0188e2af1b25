"""``dienstweg schedule``."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from cli.show import Json, print_json, short, table
from cli.state import State

if TYPE_CHECKING:
    from engine.service.schedules.managing import ScheduleLine

app = typer.Typer(
    help="Schedules (Zeitpläne): let timer starts begin cases: on, off, list, show.", no_args_is_help=True
)
_STATES = {"on": "an", "done": "abgelaufen", "off": "aus", "gone": "entfallen"}


@app.command()
def on(
    ctx: typer.Context,
    procedure: Annotated[str, typer.Argument(help="Key of a deployed procedure.")],
    start: Annotated[str | None, typer.Option(help="Only this start event; else every timer start.")] = None,
    unit: Annotated[str | None, typer.Option(help="Office the cases belong to.")] = None,
    json: Json = False,
) -> None:
    """Let the procedure's timer starts begin cases for your authority; durations count from now."""
    from engine.service.schedules.managing import switch_on

    state: State = ctx.obj
    _show(switch_on(state.app, state.actor, procedure, start=start, unit=unit), json)


@app.command()
def off(ctx: typer.Context, schedule: str, json: Json = False) -> None:
    """Begin no more cases; those that were begun go on."""
    from engine.service.schedules.managing import switch_off

    state: State = ctx.obj
    _show([switch_off(state.app, state.actor, schedule)], json)


@app.command("list")
def list_(ctx: typer.Context, json: Json = False) -> None:
    """List schedules, the next due one first."""
    from engine.service.schedules.managing import list_schedules

    state: State = ctx.obj
    _show(list_schedules(state.app, state.actor), json)


@app.command()
def show(ctx: typer.Context, schedule: str) -> None:
    """Show one schedule as JSON."""
    from engine.service.schedules.managing import show_schedule

    state: State = ctx.obj
    print_json(show_schedule(state.app, state.actor, schedule))


def _show(found: Iterable["ScheduleLine"], json: bool) -> None:
    if json:
        print_json(list(found))
        return
    rows = [
        (
            *(short(s.id), s.procedure_key, s.element_id, s.expression, _STATES[s.state]),
            *(s.due_at, s.begun, short(s.unit_id), s.switched_at, s.switched_by),
        )
        for s in found
    ]
    columns = ["Nummer", "Verfahren", "Start", "Angabe", "Stand", "nächster Beginn", "begonnen", "Amt"]
    table([*columns, "seit", "von"], rows, "Zeitpläne (schedules)")

"""``dienstweg task``."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.show import Json, cell, print_json, read_data, read_pairs, short, table
from cli.state import State

app = typer.Typer(help="Tasks (Aufgaben): list, show, claim, complete.", no_args_is_help=True)


@app.command("list")
def list_(
    ctx: typer.Context,
    mine: Annotated[bool, typer.Option("--mine", help="Only those you have claimed.")] = False,
    case: Annotated[str | None, typer.Option(help="Only those of one case.")] = None,
    search: Annotated[str | None, typer.Option(help="Part of the name.")] = None,
    due: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only those due before this day.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1)] = 50,
    offset: Annotated[int, typer.Option(min=0)] = 0,
    json: Json = False,
) -> None:
    """List open tasks, the most urgent first."""
    from engine.service.tasks import list_tasks

    state: State = ctx.obj
    found = list_tasks(
        state.app,
        state.actor,
        mine=mine,
        case=case,
        text=search,
        due_before=due.replace(tzinfo=UTC) if due else None,
        limit=limit,
        offset=offset,
    )
    if json:
        print_json(found)
        return
    rows = [(short(t.id), t.name, t.own_reference, t.opened_at, t.due_at, t.claimed_by) for t in found]
    columns = ["Nummer", "Aufgabe", "Aktenzeichen", "seit", "fällig", "in Arbeit bei"]
    table(columns, rows, "Aufgaben (tasks)")


@app.command()
def show(ctx: typer.Context, task: str, json: Json = False) -> None:
    """Show a task: its form's fields and the data so far."""
    from engine.service.tasks import show_task

    state: State = ctx.obj
    view = show_task(state.app, state.actor, task)
    fields = view.form.fields if view.form else ()
    if json:
        listed = [{"key": f.key, "label": f.label, "type": f.type, "required": f.required} for f in fields]
        print_json({"task": view.task, "fields": listed, "data": view.data})
        return
    t = view.task
    typer.echo(f"{t.name}  [{t.status}]  {t.own_reference}  ({t.element_id})")
    rows = [(f.key, f.label, f.type, f.required) for f in fields]
    table(["Feld", "Bezeichnung", "Art", "Pflicht"], rows, "Formular (form)")
    table(["Name", "Wert"], [(name, cell(value)) for name, value in view.data.items()], "Daten (data)")


@app.command()
def claim(
    ctx: typer.Context,
    task: str,
    release: Annotated[bool, typer.Option("--release", help="Give it back.")] = False,
) -> None:
    """Take a task, so that colleagues see you are at it."""
    from engine.service.tasks import claim_task

    state: State = ctx.obj
    line = claim_task(state.app, state.actor, task, release=release)
    typer.echo(f"{line.name}: {line.claimed_by or 'free'}")


@app.command()
def complete(
    ctx: typer.Context,
    task: str,
    data: Annotated[str | None, typer.Option(help="The form's fields as JSON object or @FILE.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="One field as KEY=VALUE, as a person writes it (31.01.2026, 12,50, ja)."),
    ] = None,
    json: Json = False,
) -> None:
    """Complete a task; its case goes on at once."""
    from engine.service.tasks import complete_task, typed_data

    state: State = ctx.obj
    values = read_data(data)
    if set_:
        values = {**values, **typed_data(state.app, state.actor, task, read_pairs(set_))}
    line = complete_task(state.app, state.actor, task, values)
    if json:
        print_json(line)
    else:
        typer.echo(f"{line.name}: {line.status}")

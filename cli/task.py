"""``dienstweg task``."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.deadline_table import last_day, light_text
from cli.show import (
    ZONE,
    Json,
    cell,
    flat,
    merged,
    plain,
    print_json,
    print_written,
    read_data,
    read_pairs,
    short,
    table,
)
from cli.state import State

if TYPE_CHECKING:
    from engine.definitions.form_files import Field
    from engine.service.inbox import TaskLine

_TYPED = {"date": "TT.MM.JJJJ", "time": "HH:MM", "datetime": "TT.MM.JJJJ HH:MM"}

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
    from engine.service.inbox import list_tasks

    state: State = ctx.obj
    found = list_tasks(
        state.app,
        state.actor,
        mine=mine,
        case=case,
        text=search,
        due_before=due.replace(tzinfo=ZONE) if due else None,
        limit=limit,
        offset=offset,
    )
    rows = _with_deadlines(state, found)
    if json:
        print_json(rows)
        return
    shown = [
        (
            short(t["id"]),
            t["name"],
            t["own_reference"],
            t["opened_at"],
            last_day(t["due_at"]),
            light_text(t["light"]),
            t["source"],
            t["claimed_by"],
        )
        for t in rows
    ]
    columns = ["Nummer", "Aufgabe", "Aktenzeichen", "seit", "fällig", "Ampel", "Grundlage", "in Arbeit bei"]
    table(columns, shown, "Aufgaben (tasks)")


def _with_deadlines(state: State, found: "list[TaskLine]") -> list[dict[str, Any]]:
    """Add to each task its light, and the rule and basis of the deadline it shows."""
    from engine.service.deadlines.listing import light_for, of_tasks

    known = of_tasks(state.app, state.actor, [task.id for task in found])
    rows = []
    for task in found:
        line = known.get(task.id)
        light = line.light if line else light_for(state.app, state.actor.authority_id, task.due_at)
        legal = {name: getattr(line, name, None) for name in ("rule", "basis", "source", "missing")}
        rows.append(
            {**plain(task), "due_at": task.due_at, "opened_at": task.opened_at, "light": light, **legal}
        )
    return rows


@app.command()
def show(ctx: typer.Context, task: str, json: Json = False) -> None:
    """Show a task: its form's fields and the data so far."""
    from engine.service.exchanges.signing import SIGN
    from engine.service.tasks import show_task

    state: State = ctx.obj
    view = show_task(state.app, state.actor, task)
    fields = view.form.fields if view.form else ()
    if json:
        listed = [_field(field) for field in fields]
        print_json({"task": view.task, "fields": listed, "data": view.data})
        return
    t = view.task
    typer.echo(f"{t.name}  [{t.status}]  {t.own_reference}  ({t.element_id})")
    (due,) = _with_deadlines(state, [t])
    if due["due_at"] or due["rule"]:
        parts = (
            cell(last_day(t.due_at)),
            light_text(due["light"]),
            due["source"] or "",
            due["missing"] or "",
        )
        typer.echo("fällig (due): " + "  ".join(part for part in parts if part))
    rows = [(f.key, f.label, f.type, f.required, _answers(f)) for f in fields]
    table(["Feld", "Bezeichnung", "Art", "Pflicht", "Auswahl oder Bedingung"], rows, "Formular (form)")
    table(["Name", "Wert"], flat(view.data), "Daten (data)")
    if t.kind == SIGN:
        typer.echo(f"Zu signieren: 'dienstweg task files {short(t.id)} --out ORDNER' schreibt es heraus.")


def _field(field: "Field") -> dict[str, Any]:
    """Return what a program needs to fill in a field."""
    options = [{"value": value, "label": label} for value, label in field.options]
    return {
        "key": field.key,
        "label": field.label,
        "type": field.type,
        "required": field.required,
        "readonly": field.readonly,
        "options": options,
        "hide": list(field.hide),
    }


def _answers(field: "Field") -> str:
    """Return what a field takes: its choices as they are typed, when it is asked for, whether at all."""
    parts = ["nur zu lesen"] if field.readonly else []
    if field.options:
        parts.append(", ".join(v if v == label else f"{v} ({label})" for v, label in field.options))
    elif field.type == "checkbox":
        parts.append("ja, nein")
    elif field.type == "datetime":
        parts.append(_TYPED[field.subtype])
    parts += [f"entfällt bei {condition.removeprefix('=').strip()}" for condition in field.hide]
    return "; ".join(parts)


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
def files(
    ctx: typer.Context,
    task: str,
    out: Annotated[Path, typer.Option(help="Folder to write them into.")] = Path(),
    json: Json = False,
) -> None:
    """Write out the files that a task of signing (Signieren) is about, byte by byte as they will be sent."""
    from engine.service.exchanges.signing_files import export_files

    state: State = ctx.obj
    print_written(export_files(state.app, state.actor, task, out), json)


@app.command()
def complete(
    ctx: typer.Context,
    task: str,
    data: Annotated[str | None, typer.Option(help="The form's fields as JSON object or @FILE.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="One field as KEY=VALUE, as a person writes it (31.01.2026, 12,50, ja)."),
    ] = None,
    file: Annotated[
        list[Path] | None,
        typer.Option("--file", help="A signature (.p7s) for a task of signing; repeatable."),
    ] = None,
    json: Json = False,
) -> None:
    """Complete a task; its case goes on at once."""
    from engine.service.tasks import complete_task, typed_data

    state: State = ctx.obj
    values = read_data(data)
    if set_:
        values = merged(values, typed_data(state.app, state.actor, task, read_pairs(set_)))
    line = complete_task(state.app, state.actor, task, values, file or ())
    if json:
        print_json(line)
    else:
        typer.echo(f"{line.name}: {line.status}")

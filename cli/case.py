"""``dienstweg case``."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from cli.deadline_table import deadline_table
from cli.repair import repair
from cli.show import Json, cell, print_json, read_data, short, table
from cli.state import State

app = typer.Typer(help="Cases (Vorgänge): start, list, show, repair.", no_args_is_help=True)
app.command("repair")(repair)

_SHOWN = {"completed": "✓", "cancelled": "✗", "failed": "!"}


@app.command()
def start(
    ctx: typer.Context,
    procedure: str,
    data: Annotated[str | None, typer.Option(help="JSON object or @FILE.")] = None,
    process: Annotated[str | None, typer.Option(help="Which process, where several can begin.")] = None,
    json: Json = False,
) -> None:
    """Begin a case of the newest version of a procedure."""
    from engine.service.cases import start_case

    state: State = ctx.obj
    case = start_case(state.app, state.actor, procedure, read_data(data), process_id=process)
    if json:
        print_json(case)
    else:
        typer.echo(f"{case.own_reference}  {case.id}")


@app.command("list")
def list_(
    ctx: typer.Context,
    status: Annotated[str | None, typer.Option(help="open or ended.")] = None,
    search: Annotated[str | None, typer.Option(help="Part of a file reference (own or partner's).")] = None,
    procedure: Annotated[str | None, typer.Option()] = None,
    limit: Annotated[int, typer.Option(min=1)] = 50,
    offset: Annotated[int, typer.Option(min=0)] = 0,
    json: Json = False,
) -> None:
    """List cases, newest first."""
    from engine.service.cases import list_cases

    state: State = ctx.obj
    found = list_cases(
        state.app,
        state.actor,
        status=status,
        text=search,
        procedure=procedure,
        limit=limit,
        offset=offset,
    )
    if json:
        print_json(found)
        return
    rows = [
        (
            short(c.id),
            c.own_reference,
            c.partner_reference,
            c.partner_id,
            c.procedure_key,
            c.status,
            c.started_at,
        )
        for c in found
    ]
    columns = ["Nummer", "Aktenzeichen", "Az. Partner", "Partner", "Verfahren", "Stand", "begonnen"]
    table(columns, rows, "Vorgänge (cases)")


@app.command()
def show(ctx: typer.Context, case: str, json: Json = False) -> None:
    """Show a case: the path so far, what it waits for and until when."""
    from engine.service.cases import show_case

    state: State = ctx.obj
    view = show_case(state.app, state.actor, case)
    if json:
        print_json(view)
        return
    c = view.case
    typer.echo(f"{c.title}  [{c.status}]")
    typer.echo(f"Aktenzeichen {c.own_reference}, Partner {cell(c.partner_id)} {cell(c.partner_reference)}")
    table(["Zeit", "wer", "was", "Weg"], [_path_row(entry) for entry in view.path], "Verlauf (path)")
    _waits(view)
    deadline_table(view.deadlines)
    rows = [
        (short(e["id"]), e["subject"], e["recipient_id"], e["status"], e["answer_due"])
        for e in view.exchanges
    ]
    table(["Nummer", "Betreff", "an", "Stand", "Antwort bis"], rows, "Austausche (exchanges)")


def _path_row(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    command = entry["command"]
    what = command.get("command") or entry["kind"]
    detail = command.get("fact") or command.get("evidence") or command.get("channel") or ""
    if entry["kind"] == "deadline":
        detail = f"{command['rule']} {command['outcome']} {command['end'] or ''}"
    if entry["kind"] == "correction":
        detail = f"{command.get('correction') or command['kind']}: {command['reason']}"
    path = " ".join(
        f"{_SHOWN[step['kind']]}{step['element']}" for step in entry["steps"] if step["kind"] in _SHOWN
    )
    return entry["at"], entry["actor"], f"{what} {detail}".strip(), path


def _waits(view: Any) -> None:
    rows: list[tuple[Any, ...]] = [
        ("Aufgabe (task)", t["name"], short(t["id"]), t["due_at"]) for t in view.tasks
    ]
    rows += [("Nachricht (message)", w["event"] or w["element_id"], short(w["id"]), None) for w in view.waits]
    rows += [("Zeit (timer)", t["expression"], t["element_id"], t["due_at"]) for t in view.timers]
    rows += [("Störung (incident)", i["message"], short(i["id"]), None) for i in view.incidents]
    table(["wartet auf", "was", "Nummer", "bis"], rows, "offen (open)")

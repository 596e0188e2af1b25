"""``dienstweg case repair``."""

from typing import Annotated, Any

import typer

from cli.show import Json, cell, print_json, read_data, table
from cli.state import State


def repair(
    ctx: typer.Context,
    case: str,
    action: Annotated[str | None, typer.Argument(help="retry, skip, set-data or move.")] = None,
    item: Annotated[
        str | None, typer.Option(help="Open item: its element, its number, or the number's end.")
    ] = None,
    to: Annotated[str | None, typer.Option(help="move: the element to go on at.")] = None,
    data: Annotated[str | None, typer.Option(help="set-data, skip: JSON object or @FILE.")] = None,
    reason: Annotated[str, typer.Option(help="Why; kept in the case's story and in the audit log.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen and stop.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Correct a case that stands still: shown before it is done. Without an action, list what is open.

    Nothing that was sent is recalled or sent again.
    """
    from engine.service import repairing

    state: State = ctx.obj
    if action is None:
        _list(repairing.open_items(state.app, state.actor, case), json=json)
        return
    if action not in list(repairing.Action):
        raise repairing.RepairRefusedError(
            f"{action!r} is no correction", hint=f"take one of {', '.join(repairing.Action)}"
        )
    wanted = repairing.Repair(repairing.Action(action), reason, item, to, read_data(data))
    outlook = repairing.preview(state.app, state.actor, case, wanted)
    if dry_run or not json:
        _show(outlook, json=json)
    if dry_run:
        return
    if not yes and not typer.confirm("Ausführen (do it)?"):
        raise typer.Exit(1)
    done = repairing.perform(state.app, state.actor, case, wanted, outlook)
    if json:
        print_json(done)
    else:
        typer.echo("korrigiert (corrected)")


def _list(items: Any, *, json: bool) -> None:
    if json:
        print_json(items)
        return
    rows = [
        (item.id[-8:], item.kind.value, item.element_id, item.name, item.due, item.error) for item in items
    ]
    columns = ["Nummer", "Art", "Element", "Name", "fällig", "Fehler"]
    table(columns, rows, "offen (open)")


def _json(value: Any) -> str:
    from json import dumps

    return "–" if value is None else dumps(value, ensure_ascii=False)


def _show(outlook: Any, *, json: bool) -> None:
    if json:
        print_json(outlook)
        return
    rows = [("Schritt (step)", kind, element) for kind, element in outlook.steps if kind != "flow"]
    rows += [("schließt (closes)", kind, element) for kind, element in outlook.closed]
    rows += [("öffnet (opens)", kind, element) for kind, element in outlook.opened]
    rows += [("sendet (sends)", cell(message), element) for element, message in outlook.sends]
    rows += [("setzt (sets)", name, f"{_json(old)} → {_json(new)}") for name, old, new in outlook.data]
    rows += [("Vorgang endet (case ends)", "", "")] if outlook.ends else []
    table(["was", "Art", "Element"], rows, f"{outlook.command}")

"""``dienstweg migration status``."""

import typer

from cli.show import Json, plain, print_json, table
from cli.state import State

app = typer.Typer()


@app.command()
def status(ctx: typer.Context, json: Json = False) -> None:
    """Show what really carried the exchanges: A paper, B electronic document, C structured data, D query."""
    from engine.service.migration.status import status

    state: State = ctx.obj
    lines = status(state.app, state.actor)
    if json:
        print_json([{**plain(line), "electronic": line.electronic} for line in lines])
        return
    rows = [
        (
            line.procedure_key,
            line.element_id,
            line.recipient_id,
            line.exchanges,
            *(line.by_level.get(level, 0) for level in "ABCD"),
            line.fallbacks,
            line.confirmed,
            line.unsent,
        )
        for line in lines
    ]
    columns = ["Verfahren", "Schritt", "an", "n", "A", "B", "C", "D", "Rückfälle", "bestätigt", "ungesendet"]
    table(columns, rows, "Umstellung (migration), tatsächlich gesendet")

"""``dienstweg migration``."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.show import Json, plain, print_json, short, table
from cli.state import State

app = typer.Typer(help="From post to electronic: status, switch, rules.", no_args_is_help=True)


@app.command()
def status(ctx: typer.Context, json: Json = False) -> None:
    """Show what really carried the exchanges: A paper, B electronic document, C structured data, D query."""
    from engine.service.migration import status

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


@app.command()
def switch(
    ctx: typer.Context,
    channel: Annotated[str, typer.Argument(help="Payload+carrier, e.g. xdomea+folder or letter+post.")],
    procedure: Annotated[str | None, typer.Option(help="Default: all.")] = None,
    step: Annotated[str | None, typer.Option(help="Element id of the send; default all steps.")] = None,
    recipient: Annotated[str | None, typer.Option(help="Key or name; default all.")] = None,
    pilot: Annotated[
        int | None, typer.Option(min=1, max=99, help="Only this share of cases, in percent.")
    ] = None,
    effective: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="In force from (UTC).")
    ] = None,
    reason: Annotated[str, typer.Option()] = "",
) -> None:
    """Put a channel in force for your authority's sends; no model and no case is touched."""
    from engine.service.migration import Switch, switch

    state: State = ctx.obj
    wanted = Switch(
        channel=channel,
        procedure=procedure,
        step=step,
        recipient=recipient,
        stage="pilot" if pilot else "live",
        share=pilot or 100,
        reason=reason,
        effective=effective.replace(tzinfo=UTC) if effective else None,
    )
    typer.echo(f"rule {short(switch(state.app, state.actor, wanted))} is in force")


@app.command()
def rules(ctx: typer.Context, json: Json = False) -> None:
    """List your authority's channel rules, newest first."""
    from engine.service.migration import list_rules

    state: State = ctx.obj
    found = list_rules(state.app, state.actor)
    if json:
        print_json(found)
        return
    rows = [
        (
            short(r["id"]),
            r["procedure_key"] or "alle",
            r["element_id"] or "alle",
            r["recipient_id"] or "alle",
            r["channel"],
            f"{r['stage']} {r['share']} %",
            r["valid_from"],
            r["valid_until"],
        )
        for r in found
    ]
    columns = ["Regel", "Verfahren", "Schritt", "an", "Kanal", "Stufe", "ab", "bis"]
    table(columns, rows, "Kanalregeln (channel rules)")

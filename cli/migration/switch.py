"""``dienstweg migration switch`` and ``rules``."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.show import Json, print_json, short, table
from cli.state import State

app = typer.Typer()


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
    from engine.service.migration.switching import Switch, switch

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
    from engine.service.migration.switching import list_rules

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

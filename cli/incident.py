"""``dienstweg incident``."""

from typing import Annotated

import typer

from cli.show import Json, print_json, short, table
from cli.state import State

app = typer.Typer(help="Incidents: list, show, retry, resolve.", no_args_is_help=True)


@app.command("list")
def list_(
    ctx: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    json: Json = False,
) -> None:
    """List what stands still."""
    from engine.service.troubles import list_incidents

    state: State = ctx.obj
    found = list_incidents(state.app, state.actor, everything=everything)
    if json:
        print_json(found)
        return
    rows = [
        (short(i.id), i.opened_at, i.kind, short(i.case_id), i.element_id, i.message, i.status) for i in found
    ]
    table(["Nummer", "seit", "Art", "Vorgang", "Element", "was", "Stand"], rows, "Störungen (incidents)")


@app.command()
def show(ctx: typer.Context, incident: str) -> None:
    """Show one incident as JSON."""
    from engine.service.troubles import show_incident

    state: State = ctx.obj
    print_json(show_incident(state.app, state.actor, incident))


@app.command()
def retry(
    ctx: typer.Context, incident: str, reason: Annotated[str, typer.Option(help="Why it will work now.")]
) -> None:
    """Try again what stands still."""
    from engine.service.troubles import retry

    state: State = ctx.obj
    typer.echo(retry(state.app, state.actor, incident, reason).status)


@app.command()
def resolve(
    ctx: typer.Context,
    incident: str,
    reason: Annotated[str, typer.Option()],
    went: Annotated[
        bool | None, typer.Option("--went/--did-not-go", help="For an unknown outcome: did the message go?")
    ] = None,
) -> None:
    """Close an incident with a reason."""
    from engine.service.troubles import resolve

    state: State = ctx.obj
    typer.echo(resolve(state.app, state.actor, incident, reason, went=went).status)

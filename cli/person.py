"""``dienstweg person``."""

from typing import Annotated

import typer

from cli.show import Json, print_json, table
from cli.state import State

app = typer.Typer(help="People: add, list.", no_args_is_help=True)


@app.command()
def add(
    ctx: typer.Context,
    login: str,
    name: str,
    role: Annotated[
        list[str], typer.Option(help="clerk, analyst, admin, auditor or installation; repeatable.")
    ],
    unit: Annotated[list[str] | None, typer.Option(help="Office the person is bound to; repeatable.")] = None,
    authority: Annotated[str | None, typer.Option(help="Default: your own.")] = None,
) -> None:
    """Add a person to your authority; the installation's admin: to any authority it works for."""
    from engine.service.directory.people import add_person

    state: State = ctx.obj
    actor = state.actor
    home = authority or actor.authority_id
    add_person(
        state.app, person_id=login, name=name, authority=home, roles=role, unit_names=unit or (), by=actor
    )
    typer.echo(f"{login}: {name}, {', '.join(role)}")


@app.command("list")
def list_(ctx: typer.Context, json: Json = False) -> None:
    """List the people of your authority."""
    from engine.service.directory.people import list_people

    state: State = ctx.obj
    found = list_people(state.app, state.actor)
    if json:
        print_json(found)
        return
    rows = [(p.id, p.name, p.roles, p.units, p.active) for p in found]
    table(["Anmeldename", "Name", "Rollen", "Ämter", "aktiv"], rows, "Personen (people)")

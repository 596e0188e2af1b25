"""``dienstweg authority``."""

from pathlib import Path
from typing import Annotated

import typer

from cli.show import Json, print_json, table
from cli.state import State

app = typer.Typer(help="Authorities (Behörden): list, show, import.", no_args_is_help=True)


@app.command("list")
def list_(
    ctx: typer.Context,
    text: Annotated[str | None, typer.Option(help="Part of a name or key.")] = None,
    json: Json = False,
) -> None:
    """List the directory's authorities."""
    from engine.service.directory.authorities import list_authorities

    state: State = ctx.obj
    found = list_authorities(state.app, state.actor, text=text)
    if json:
        print_json(found)
        return
    rows = [(a.id, a.official_name, a.kind, a.district_id, a.valid_until, a.own) for a in found]
    table(["Schlüssel", "Name", "Art", "Kreis", "gültig bis", "eigene"], rows, "Behörden (authorities)")


@app.command()
def show(ctx: typer.Context, key: str, json: Json = False) -> None:
    """Show one authority, by key or name."""
    from engine.service.directory.authorities import show_authority
    from engine.service.directory.mailboxes import list_mailboxes

    state: State = ctx.obj
    authority = show_authority(state.app, state.actor, key)
    boxes = list_mailboxes(state.app, state.actor, authority=authority.id)
    if json:
        print_json({"authority": authority, "mailboxes": boxes})
        return
    table(
        ["Schlüssel", "Name", "Anschrift", "gültig ab", "gültig bis"],
        [
            (
                authority.id,
                authority.official_name,
                authority.address,
                authority.valid_from,
                authority.valid_until,
            )
        ],
    )
    table(
        ["Kanal", "Adresse", "offen seit", "bis", "Test"],
        [(b.channel, b.address, b.valid_from, b.valid_until, b.accepts_test) for b in boxes],
        "Postfächer (mailboxes)",
    )


@app.command("import")
def import_(ctx: typer.Context, file: Path) -> None:
    """Add or change authorities from a CSV file (docs/reference/directory.md names the columns)."""
    from engine.service.directory.authorities import import_authorities
    from engine.service.directory.file import read_authorities

    state: State = ctx.obj
    count = import_authorities(state.app, state.actor, read_authorities(file))
    typer.echo(f"{count} authorities written")

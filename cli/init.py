"""``dienstweg init``."""

from typing import Annotated

import typer

from cli.state import State

app = typer.Typer()


@app.command()
def init(
    ctx: typer.Context,
    code: Annotated[str, typer.Option(help="Short code printed on letters, e.g. SB.")],
    authority: Annotated[
        list[str], typer.Option(help="AGS of an authority this installation works for; repeatable.")
    ],
    admin: Annotated[str, typer.Option(help="Login of the first admin.")] = "admin",
    name: Annotated[str, typer.Option(help="The admin's name.")] = "Administration",
) -> None:
    """Make a new installation: settings, database with the Saarland's authorities, first admin."""
    from engine.service.directory.authorities import seed_authorities
    from engine.service.directory.people import add_person
    from engine.service.installation import Installation, create_installation

    state: State = ctx.obj

    def prepare(installation: Installation) -> None:
        seed_authorities(installation, authority)
        add_person(
            installation,
            person_id=admin,
            name=name,
            authority=authority[0],
            roles=["admin", "clerk", "analyst", "installation"],
            by=None,
        )

    create_installation(state.folder, code, person=admin, prepare=prepare)
    typer.echo(f"{state.folder}: installation {code} of {', '.join(authority)}, admin {admin}")
    typer.echo("next: dienstweg model deploy vollstreckungshilfe; dienstweg mailbox add …; dienstweg work")

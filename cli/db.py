"""``dienstweg db``."""

from typing import Annotated, Any

import typer

from cli.show import Json, print_json, table
from cli.state import State

app = typer.Typer(help="The database: upgrade, check, copy, orphans.", no_args_is_help=True)


@app.command()
def upgrade(ctx: typer.Context) -> None:
    """Bring the installation's database to the schema this program needs."""
    from engine.service.installation import upgrade_installation

    state: State = ctx.obj
    upgrade_installation(state.folder)
    typer.echo("the schema is up to date")


@app.command()
def check(ctx: typer.Context) -> None:
    """Verify every case's chain, every stored document, and the ledger; exit 1 if something is wrong."""
    from engine.service.verifying import verify_installation

    state: State = ctx.obj
    report = verify_installation(state.app)
    for fault in report.faults:
        typer.echo(f"FAULT {fault}")
    typer.echo(
        f"{report.cases} cases, {report.entries} entries, {report.documents} documents, "
        f"{report.exchanges} exchanges of the ledger checked"
    )
    raise typer.Exit(1 if report.faults else 0)


@app.command()
def copy(
    source: Annotated[
        str, typer.Argument(help="URL of the database to copy, e.g. sqlite:///data/dienstweg.db.")
    ],
    target: Annotated[
        str, typer.Argument(help="URL of a new, empty database, e.g. postgresql://…/dienstweg.")
    ],
    json: Json = False,
) -> None:
    """Copy a database into another, of the same or the other kind; stop all workers first.

    Counts and hashes of every table are compared before anything is kept.
    """
    from rich.console import Console
    from rich.progress import Progress

    from engine.service.moving import copy_database

    with Progress(console=Console(stderr=True)) as progress:
        bars: dict[str, Any] = {}

        def tell(name: str, done: int, total: int) -> None:
            bar = bars.setdefault(name, None)
            if bar is None:
                bar = bars[name] = progress.add_task(name, total=total)
            progress.update(bar, completed=done)

        copied = copy_database(source, target, tell)
    if json:
        print_json(copied)
        return
    table(
        ["Tabelle", "Zeilen", "SHA-256"],
        [(c.table, c.rows, c.digest[:16]) for c in copied],
        "kopiert (copied)",
    )


@app.command()
def orphans(
    ctx: typer.Context,
    remove: Annotated[bool, typer.Option("--remove", help="Delete them.")] = False,
    json: Json = False,
) -> None:
    """List stored content that nothing refers to and that is older than a day."""
    from engine.service.orphans import collect_orphans

    state: State = ctx.obj
    found = collect_orphans(state.app, remove=remove)
    if json:
        print_json(found)
        return
    for digest in found:
        typer.echo(digest)
    typer.echo(f"{len(found)} orphans {'removed' if remove else 'found'}")

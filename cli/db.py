"""``dienstweg db``."""

import typer

from cli.state import State

app = typer.Typer(help="The database: upgrade, check.", no_args_is_help=True)


@app.command()
def upgrade(ctx: typer.Context) -> None:
    """Bring the installation's database to the schema this program needs."""
    from engine.service.installation import upgrade_installation

    state: State = ctx.obj
    upgrade_installation(state.folder)
    typer.echo("the schema is up to date")


@app.command()
def check(ctx: typer.Context) -> None:
    """Verify every case's chain and that every stored document is intact; exit 1 if something is wrong."""
    from engine.service.verifying import verify_installation

    state: State = ctx.obj
    report = verify_installation(state.app)
    for fault in report.faults:
        typer.echo(f"FAULT {fault}")
    typer.echo(f"{report.cases} cases, {report.entries} entries, {report.documents} documents checked")
    raise typer.Exit(1 if report.faults else 0)

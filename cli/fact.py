"""``dienstweg fact``."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.show import Json, cell, print_json, short
from cli.state import State

app = typer.Typer(help="Facts (Tatsachen) about exchanges: record, withdraw.", no_args_is_help=True)


@app.command()
def record(
    ctx: typer.Context,
    exchange: str,
    kind: Annotated[str, typer.Argument(help="received, returned, acknowledged, posted, sent, …")],
    at: Annotated[
        datetime,
        typer.Option(
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M%z"],
            help="Day, or local day and time, it happened.",
        ),
    ],
    reason: Annotated[str, typer.Option(help="How you know.")],
    file: Annotated[
        Path | None, typer.Option(help="Scan of the proof; else a note for the file is kept.")
    ] = None,
    json: Json = False,
) -> None:
    """Record what you know of an exchange; deadlines that hang on it are computed anew at once."""
    from engine.service.exchanges.recording import record_fact

    state: State = ctx.obj
    when: date | datetime = at if at.hour or at.minute or at.tzinfo else at.date()
    line = record_fact(state.app, state.actor, exchange, kind, when, reason, file=file)
    if json:
        print_json(line)
    else:
        typer.echo(f"{short(line.id)}  {line.kind}  {cell(line.at)}")


@app.command()
def withdraw(
    ctx: typer.Context,
    fact: str,
    reason: Annotated[str, typer.Option(help="Why it is wrong.")],
    json: Json = False,
) -> None:
    """Take a wrong fact out of account; it stays in the history."""
    from engine.service.exchanges.recording import withdraw_fact

    state: State = ctx.obj
    line = withdraw_fact(state.app, state.actor, fact, reason)
    if json:
        print_json(line)
    else:
        typer.echo(f"{short(line.id)}  {line.kind}  withdrawn")

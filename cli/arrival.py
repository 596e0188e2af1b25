"""``dienstweg arrival``."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.show import Json, cell, flat, print_json, print_written, read_data, short, table
from cli.state import State

app = typer.Typer(
    help="Arrivals (Eingänge): list, show, files, register, assign, reject.", no_args_is_help=True
)


@app.command("list")
def list_(
    ctx: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Settled ones too.")] = False,
    limit: Annotated[int, typer.Option(min=1)] = 50,
    offset: Annotated[int, typer.Option(min=0)] = 0,
    json: Json = False,
) -> None:
    """List the arrivals somebody must look at."""
    from engine.service.arrivals.registering import list_arrivals

    state: State = ctx.obj
    found = list_arrivals(state.app, state.actor, everything=everything, limit=limit, offset=offset)
    if json:
        print_json(found)
        return
    rows = [
        (
            short(a.id),
            a.received_at,
            a.channel,
            a.sender_id or a.claimed_sender_id,
            a.message_type,
            a.status,
            a.reason,
        )
        for a in found
    ]
    table(
        ["Nummer", "eingegangen", "Kanal", "von", "Nachricht", "Stand", "warum"], rows, "Eingänge (arrivals)"
    )


@app.command()
def show(ctx: typer.Context, arrival: str, json: Json = False) -> None:
    """Show an arrival: what was read of it, its files, what was not understood."""
    from engine.service.arrivals.registering import show_arrival

    state: State = ctx.obj
    found = show_arrival(state.app, state.actor, arrival)
    if json:
        print_json(found)
        return
    for name in (
        "id",
        "channel",
        "received_at",
        "status",
        "reason",
        "message_type",
        "sender_id",
        "claimed_sender_id",
        "assurance",
        "sender_reference",
        "case_id",
        "exchange_id",
    ):
        typer.echo(f"{name:20} {cell(found[name])}")
    table(
        ["Name", "Art", "Rolle"],
        [(p["name"], p["media_type"], p["role"]) for p in found["parts"]],
        "Dateien (files)",
    )
    table(["Name", "Wert"], flat(found["data"] or {}), "Daten (data)")
    for remark in found["remarks"]:
        typer.echo(f"! {remark}")
    if found["signatures"]:
        typer.echo(found["signatures"], nl=False)


@app.command()
def files(
    ctx: typer.Context,
    arrival: str,
    out: Annotated[Path, typer.Option(help="Folder to write them into.")] = Path(),
    json: Json = False,
) -> None:
    """Write out an arrival's files as they came, with what proves how (Nachweise)."""
    from engine.service.arrivals.handing_out import export_arrival

    state: State = ctx.obj
    print_written(export_arrival(state.app, state.actor, arrival, out), json)


@app.command()
def register(
    ctx: typer.Context,
    message: Annotated[str, typer.Argument(help="Message type (Nachrichtentyp).")],
    sender: Annotated[str, typer.Option("--from", help="Key or name of the authority it came from.")],
    data: Annotated[str | None, typer.Option(help="What the letter says: JSON object or @FILE.")] = None,
    code: Annotated[
        list[str] | None, typer.Option(help="A code printed on the letter; repeat for every one.")
    ] = None,
    reference: Annotated[str | None, typer.Option(help="The sender's file reference.")] = None,
    own_reference: Annotated[
        str | None, typer.Option(help="Our file reference, if the letter names it.")
    ] = None,
    received: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day of receipt; default today.")
    ] = None,
    scan: Annotated[list[Path] | None, typer.Option(help="Scanned file; repeatable.")] = None,
    arrival: Annotated[
        str | None, typer.Option(help="The scanned arrival this letter is; its codes count.")
    ] = None,
    answer: Annotated[
        bool, typer.Option("--answer", help="Our own letter came back, and it bears the partner's answer.")
    ] = False,
    long_ago: Annotated[
        bool, typer.Option("--long-ago", help="It did come on that day, more than 180 days ago.")
    ] = False,
    json: Json = False,
) -> None:
    """Register a letter that came in: it answers, continues or begins a case."""
    from engine.service.arrivals.registering import PaperArrival, register

    state: State = ctx.obj
    paper = PaperArrival(
        message_type=message,
        sender=sender,
        data=read_data(data),
        codes=tuple(code or ()),
        received_on=received.date() if received else None,
        sender_reference=reference,
        own_reference=own_reference,
        scans=tuple(scan or ()),
        is_answer=answer,
        long_ago=long_ago,
    )
    _told(register(state.app, state.actor, paper, arrival), json)


@app.command()
def assign(
    ctx: typer.Context,
    arrival: str,
    case: Annotated[
        str | None, typer.Option(help="The case it belongs to; else it is matched again.")
    ] = None,
    as_type: Annotated[
        str | None,
        typer.Option(help="The message type it is, for a partner who does not know ours."),
    ] = None,
    sender: Annotated[
        str | None, typer.Option("--from", help="Who sent it, by key or name, where that is not known.")
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="What nobody but a person can read out of it: JSON object or @FILE.")
    ] = None,
    reason: Annotated[str, typer.Option()] = "sender confirmed",
    json: Json = False,
) -> None:
    """Vouch for an arrival's sender and let it take effect, or file it in a case."""
    from engine.service.arrivals.assigning import Decision, assign

    state: State = ctx.obj
    decision = Decision(case, as_type, sender, read_data(data), reason)
    _told(assign(state.app, state.actor, arrival, decision), json)


@app.command()
def reject(
    ctx: typer.Context, arrival: str, reason: Annotated[str, typer.Option()], json: Json = False
) -> None:
    """Put an arrival aside for good; it is kept with the reason."""
    from engine.service.arrivals.assigning import reject

    state: State = ctx.obj
    _told(reject(state.app, state.actor, arrival, reason), json)


@app.command()
def printed(ctx: typer.Context, arrival: str) -> None:
    """Note that an electronic arrival was printed; such breaks are counted ('dienstweg post figures')."""
    from engine.service.paper_figures import note_print

    state: State = ctx.obj
    typer.echo(note_print(state.app, state.actor, arrival))


def _told(line: object, json: bool) -> None:
    if json:
        print_json(line)
        return
    status, case, reason = (getattr(line, name) for name in ("status", "case_id", "reason"))
    typer.echo(
        f"{short(getattr(line, 'id', None))}: {status}, case {cell(short(case))} {reason or ''}".rstrip()
    )

"""``dienstweg deadline`` list, show, extend, calendar: the deadlines of an installation's cases."""

import sys
from datetime import datetime
from typing import Annotated, Any

import typer

from cli.deadline_table import deadline_table, last_day
from cli.show import ZONE, Json, plain, print_json, table
from cli.state import State


def add_to(app: typer.Typer) -> None:
    """Put the commands into the group."""
    app.command("list")(list_)
    app.command()(show)
    app.command()(extend)
    app.command()(calendar)


def list_(
    ctx: typer.Context,
    state: Annotated[
        str | None, typer.Option(help="unarmed, armed, fired, met, cancelled; default: those that run.")
    ] = None,
    unarmed: Annotated[bool, typer.Option("--unarmed", help="Only those whose start is not known.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Settled ones as well.")] = False,
    case: Annotated[str | None, typer.Option(help="Only those of one case.")] = None,
    due_before: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only those that end before this day.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1)] = 50,
    offset: Annotated[int, typer.Option(min=0)] = 0,
    json: Json = False,
) -> None:
    """List deadlines of cases, the next end first; unarmed ones last, with their watch period."""
    from engine.service.deadlines.listing import list_deadlines

    here: State = ctx.obj
    found = list_deadlines(
        here.app,
        here.actor,
        state="unarmed" if unarmed else state,
        case=case,
        due_before=due_before.replace(tzinfo=ZONE) if due_before else None,
        everything=everything,
        limit=limit,
        offset=offset,
    )
    if json:
        print_json(found)
        return
    deadline_table(found, cases=True)


def show(ctx: typer.Context, deadline: str, json: Json = False) -> None:
    """Show a deadline: where it stands and every change with before, after, reason and who."""
    from engine.service.deadlines.listing import show_deadline

    here: State = ctx.obj
    found = show_deadline(here.app, here.actor, deadline)
    if json:
        print_json(found)
        return
    deadline_table([found["deadline"]], cases=True)
    rows = [
        (
            revision["number"],
            _instant(revision["at"]),
            revision["by"],
            revision["outcome"],
            last_day(_instant(revision["before"])),
            last_day(_instant(revision["after"])),
            revision["reason"],
            len(revision["evidence"]),
        )
        for revision in found["revisions"]
    ]
    columns = ["Nr.", "Zeit", "wer", "was", "vorher", "nachher", "warum", "Nachweise"]
    table(columns, rows, "Änderungen (revisions)")
    for flag in _flags(found["revisions"]):
        typer.echo(flag)


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _flags(revisions: list[Any]) -> list[str]:
    """Return what a person should know of the last computation."""
    explanation = next((r["explanation"] for r in reversed(revisions) if r["explanation"]), None)
    return [flag["text"]["de"] for flag in explanation["flags"]] if explanation else []


def extend(
    ctx: typer.Context,
    deadline: str,
    source: Annotated[
        str,
        typer.Option(
            help="Who extends it: setting-authority, superior-authority, requesting-authority, addressee."
        ),
    ],
    reason: Annotated[str, typer.Option(help="Why; kept in the case's history.")],
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The new last day.")] = None,
    by: Annotated[str | None, typer.Option(help="How much longer, e.g. P1M; from the old end.")] = None,
    json: Json = False,
) -> None:
    """Extend a deadline where its rule allows it."""
    from engine.service.deadlines.listing import extend_deadline

    here: State = ctx.obj
    line = extend_deadline(
        here.app,
        here.actor,
        deadline,
        source=source,
        reason=reason,
        until=until.date() if until else None,
        period=by,
    )
    if json:
        print_json(plain(line))
        return
    deadline_table([line], cases=True)


def calendar(
    ctx: typer.Context,
    person: Annotated[
        str | None, typer.Option(help="Only what concerns this person; default: all of the authority.")
    ] = None,
) -> None:
    """Print deadlines and due tasks as an iCalendar feed: dienstweg deadline calendar > fristen.ics"""
    from engine.service.deadlines.feed import calendar_feed

    here: State = ctx.obj
    sys.stdout.buffer.write(calendar_feed(here.app, here.actor, person=person))
    sys.stdout.buffer.flush()

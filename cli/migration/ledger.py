"""``dienstweg migration ledger``: single bookings, and figures across installations."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.errors import CommandLineError
from cli.migration.scope import District, Procedure, Recipient, Sender, Step, make_scope
from cli.show import Csv, Json, print_csv, print_json, short, table
from cli.state import State

if TYPE_CHECKING:
    from engine.service.migration.exporting import Partner

app = typer.Typer()
ledger = typer.Typer(help="Bookings of exchanges; signed figures across installations.", no_args_is_help=True)
app.add_typer(ledger, name="ledger")

File = Annotated[Path, typer.Argument(help="A report's file.")]


class FingerprintMissingError(CommandLineError):
    """Nobody was there to be asked for the fingerprint, or nobody answered."""


@ledger.command("list")
def list_(
    ctx: typer.Context,
    procedure: Procedure = None,
    step: Step = None,
    sender: Sender = None,
    recipient: Recipient = None,
    district: District = None,
    since: Annotated[str | None, typer.Option(help="First month, YYYY-MM.")] = None,
    until: Annotated[str | None, typer.Option(help="Last month, YYYY-MM.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many.")] = 50,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """List what was booked of each exchange, newest first; it names no person."""
    from engine.service.migration.bookings import BOOKING, list_bookings

    state: State = ctx.obj
    scope = make_scope(procedure, step, sender, recipient, district)
    found = list_bookings(state.app, state.actor, scope, since=since, until=until, limit=limit)
    if json:
        print_json(found)
        return
    if csv:
        print_csv(BOOKING, [[row[name] for name in BOOKING] for row in found])
        return
    rows = [
        (
            short(row["exchange_id"]),
            row["month"],
            row["procedure_key"],
            row["element_id"],
            row["recipient_id"],
            row["state"],
            _channel(row),
            row["level"],
            row["receipt"],
            row["answered_at"],
        )
        for row in found
    ]
    columns = ["Austausch", "Monat", "Verfahren", "Schritt", "an", "Stand", "Kanal", "Stufe"]
    table([*columns, "Beleg", "beantwortet"], rows, "Buchungen (ledger)")


def _channel(row: dict[str, Any]) -> str | None:
    if row["channel"] is None or row["fallback"] is None:
        return None if row["channel"] is None else str(row["channel"])
    return f"{row['channel']} statt {row['intended_channel']} ({row['fallback']})"


@ledger.command()
def export(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where to write; - for standard output.")],
    since: Annotated[str | None, typer.Option(help="First month, YYYY-MM; default all.")] = None,
    until: Annotated[str | None, typer.Option(help="Last month, YYYY-MM.")] = None,
    json: Json = False,
) -> None:
    """Write the signed months of all authorities of this installation, without personal data."""
    from engine.service.migration.exporting import ReportFileError, export_report, own_fingerprint

    state: State = ctx.obj
    text = export_report(state.app, state.actor, since=since, until=until)
    if str(file) == "-":
        typer.echo(text, nl=False)
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ReportFileError(f"cannot write {file}: {error.strerror}") from error
    size, fingerprint = len(text.encode()), own_fingerprint(state.app, state.actor)
    if json:
        print_json({"file": file, "bytes": size, "fingerprint": fingerprint})
    else:
        typer.echo(f"{file}: {size} bytes, signed with {fingerprint}")


@ledger.command("import")
def import_(ctx: typer.Context, file: File, json: Json = False) -> None:
    """Take the report of a trusted partner; only its own sends count, and the same report twice is one."""
    from engine.service.migration.exporting import import_report, read_file

    state: State = ctx.obj
    done = import_report(state.app, state.actor, read_file(file))
    if json:
        print_json(done)
        return
    if not done.months:
        typer.echo(f"{done.partner}: this report is there already, nothing was changed")
        return
    typer.echo(
        f"{done.partner}: {done.exchanges} exchanges in {len(done.months)} months, until {max(done.months)}"
    )


@ledger.command()
def trust(
    ctx: typer.Context,
    file: File,
    fingerprint: Annotated[
        str | None,
        typer.Option(help="What the partner's 'migration ledger key' shows; else it is asked for."),
    ] = None,
    json: Json = False,
) -> None:
    """Trust the installation that signed FILE, after you have compared its fingerprint with the partner."""
    from engine.service.migration.exporting import read_file, trust

    state: State = ctx.obj
    report = read_file(file)
    names = ", ".join(f"{name} ({key})" for key, name in report.senders.items())
    typer.echo(f"{report.installation} reports of {names}", err=json)
    if fingerprint is None:
        typer.echo(
            "Ask the partner on another way, by telephone say, for its fingerprint: migration ledger key",
            err=json,
        )
        fingerprint = _asked_for(err=json)
    partner = trust(state.app, state.actor, report, fingerprint)
    if json:
        print_json(partner)
    else:
        typer.echo(f"{partner.name} is trusted for {', '.join(partner.senders)}")


def _asked_for(*, err: bool) -> str:
    try:
        return str(typer.prompt("fingerprint", err=err))
    except typer.Abort as error:
        raise FingerprintMissingError(
            "no fingerprint was given, so nobody is trusted",
            hint="give it with --fingerprint, as the partner's 'migration ledger key' shows it",
        ) from error


@ledger.command()
def distrust(
    ctx: typer.Context,
    partner: Annotated[str, typer.Argument(help="Number or name.")],
    json: Json = False,
) -> None:
    """Trust a partner no longer, and take its figures out of the status."""
    from engine.service.migration.exporting import distrust

    state: State = ctx.obj
    gone = distrust(state.app, state.actor, partner)
    if json:
        print_json(gone)
    else:
        typer.echo(f"{gone.name} is not trusted any more")


@ledger.command()
def key(ctx: typer.Context, json: Json = False) -> None:
    """Show the fingerprint of this installation's key, to be compared by partners."""
    from engine.service.migration.exporting import own_fingerprint

    state: State = ctx.obj
    fingerprint = own_fingerprint(state.app, state.actor)
    if json:
        print_json({"fingerprint": fingerprint})
    else:
        typer.echo(fingerprint)


@ledger.command()
def partners(ctx: typer.Context, json: Json = False, csv: Csv = False) -> None:
    """List the installations whose reports are taken, and until when each has reported."""
    from engine.service.migration.exporting import list_partners

    state: State = ctx.obj
    found = list_partners(state.app, state.actor)
    if json:
        print_json(found)
        return
    columns = ["Nummer", "Installation", "Fingerabdruck", "für", "vertraut seit", "von", "bis", "gemeldet"]
    rows = [_partner(one) for one in found]
    if csv:
        print_csv(columns, rows)
    else:
        table(columns, rows, "Meldende Installationen (partners)")


def _partner(one: "Partner") -> tuple[Any, ...]:
    return (
        *(short(one.id), one.name, one.fingerprint, one.senders),
        *(one.trusted_at, one.trusted_by, one.until, one.made_at),
    )

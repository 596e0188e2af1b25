"""``dienstweg mailbox``."""

from datetime import datetime, timedelta
from typing import Annotated

import typer

from cli.show import Json, plain, print_json, read_data, table
from cli.state import State

app = typer.Typer(help="Mailboxes (Postfächer): add, end, list, check.", no_args_is_help=True)


@app.command()
def add(
    ctx: typer.Context,
    authority: Annotated[str, typer.Argument(help="Key or name.")],
    channel: Annotated[str, typer.Argument(help="Payload+carrier, e.g. xdomea+folder.")],
    address: Annotated[str, typer.Argument(help="What the carrier needs: a folder, a URI …")],
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Open since this day.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last open day.")] = None,
    format_: Annotated[
        list[str] | None, typer.Option("--format", help="Media type it takes; repeatable, default PDF.")
    ] = None,
    form: Annotated[list[str] | None, typer.Option(help="Form class it takes; repeatable.")] = None,
    max_bytes: Annotated[int | None, typer.Option(help="Largest message in bytes.")] = None,
    accepts_test: Annotated[
        bool, typer.Option("--accepts-test", help="Takes shadow and test sends.")
    ] = False,
    settings: Annotated[
        str | None, typer.Option(help="Terms of the channel as JSON object or @FILE.")
    ] = None,
) -> None:
    """Record an access that an authority has opened, with its terms."""
    from engine.clock import local_day
    from engine.exchange.ports import FormClass, Mailbox
    from engine.service.directory.mailboxes import MailboxRefusedError, add_mailbox

    state: State = ctx.obj
    today = local_day(state.clock.now())
    try:
        forms = tuple(FormClass(name) for name in form or ("none", "confidential"))
    except ValueError as error:
        raise MailboxRefusedError(str(error), hint="form classes: none, confidential, written") from error
    mailbox = Mailbox(
        authority_id=authority,
        channel=channel,
        address=address,
        valid_from=since.date() if since else today,
        valid_until=until.date() if until else None,
        formats=tuple(format_ or ("application/pdf",)),
        max_bytes=max_bytes,
        form_classes=forms,
        accepts_test=accepts_test,
        settings=read_data(settings),
    )
    add_mailbox(state.app, state.actor, mailbox)
    typer.echo(f"{authority}: {channel} at {address}, open since {mailbox.valid_from}")


@app.command()
def end(
    ctx: typer.Context,
    authority: Annotated[str, typer.Argument(help="Key or name.")],
    channel: str,
    last: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last open day; default yesterday.")
    ] = None,
) -> None:
    """End an access: also the way to correct one (end it, then add it anew)."""
    from engine.clock import local_day
    from engine.service.directory.mailboxes import end_mailbox
    from engine.service.migration.switching import rules_naming

    state: State = ctx.obj
    day = last.date() if last else local_day(state.clock.now()) - timedelta(days=1)
    count = end_mailbox(state.app, state.actor, authority, channel, day)
    typer.echo(f"{authority}: {count} on {channel} ended, last day {day}")
    rules = rules_naming(state.app, state.actor, authority, channel)
    if rules:
        typer.echo(
            f"rules that name it: {rules}; their exchanges fall back or are held after that day, "
            "see dienstweg migration rules"
        )


@app.command("list")
def list_(
    ctx: typer.Context,
    authority: Annotated[str | None, typer.Option(help="Key or name.")] = None,
    json: Json = False,
) -> None:
    """List recorded mailboxes."""
    from engine.service.directory.mailboxes import list_mailboxes

    state: State = ctx.obj
    found = list_mailboxes(state.app, state.actor, authority=authority)
    if json:
        print_json(found)
        return
    rows = [
        (b.authority_id, b.channel, b.address, b.valid_from, b.valid_until, [f.value for f in b.form_classes])
        for b in found
    ]
    table(["Behörde", "Kanal", "Adresse", "offen seit", "bis", "Form"], rows, "Postfächer (mailboxes)")


@app.command()
def check(
    ctx: typer.Context,
    authority: Annotated[str | None, typer.Argument(help="Key or name; default all.")] = None,
    channel: Annotated[str | None, typer.Argument(help="Payload+carrier; default all.")] = None,
    json: Json = False,
) -> None:
    """Look whether mailboxes work: connection, certificates, a test dialog. Status 6 where one does not.

    Own mailboxes are tried as they are used; nothing is fetched or acknowledged. Of partners' mailboxes the
    certificates are looked at. What is found is kept and shown by the migration's readiness.
    """
    from engine.service.mailbox_health import check_mailboxes

    state: State = ctx.obj
    found = check_mailboxes(state.app, state.actor, authority=authority, channel=channel)
    if json:
        print_json([{**plain(each), "ends": plain(each.ends)} for each in found])
    for each in () if json else found:
        verdict = "works" if each.ok else "DOES NOT WORK"
        owner = "own" if each.own else "partner"
        typer.echo(f"{each.authority_id} ({owner})  {each.channel}  {verdict}  {each.address}")
        for finding in each.findings:
            ends = f", until {finding.until.date().isoformat()}" if finding.until else ""
            typer.echo(f"    {'FAULT  ' if finding.fault else ''}{finding.message}{ends}")
    if not found and not json:
        typer.echo("No open mailboxes: add one with 'dienstweg mailbox add'.")
    if not all(each.ok for each in found):
        raise typer.Exit(6)

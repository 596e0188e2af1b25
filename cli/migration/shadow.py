"""``dienstweg migration shadow``."""

from datetime import datetime
from typing import Annotated

import typer

from cli.migration.scope import District, Procedure, Recipient, Sender, Step, make_scope
from cli.show import Csv, Json, listing, plain, print_csv, print_json, short
from cli.state import State

app = typer.Typer()
shadow = typer.Typer(help="Shadow sends (Probesendungen): list, show, compare.", no_args_is_help=True)
app.add_typer(shadow, name="shadow")


@shadow.command("list")
def list_(
    ctx: typer.Context,
    procedure: Procedure = None,
    step: Step = None,
    sender: Sender = None,
    recipient: Recipient = None,
    district: District = None,
    state_: Annotated[str | None, typer.Option("--state", help="equal, different, failed, …")] = None,
    limit: Annotated[int, typer.Option(min=1)] = 50,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """List shadow sends, newest first."""
    from engine.service.migration.shadow_results import list_shadows

    state: State = ctx.obj
    scope = make_scope(procedure, step, sender, recipient, district)
    found = list_shadows(state.app, state.actor, scope=scope, state=state_, limit=limit)
    if json:
        print_json(found)
        return
    rows = [
        (
            short(line.id),
            line.created_at,
            line.procedure_key,
            line.element_id,
            line.sender_id,
            line.recipient_id,
            line.channel,
            line.content,
            line.state,
            "; ".join(line.differences or ()) or line.reason,
        )
        for line in found
    ]
    columns = ["Nr.", "am", "Verfahren", "Schritt", "von", "an", "Kanal", "Inhalt", "Ergebnis", "warum"]
    listing(columns, rows, "Probesendungen (shadow sends)", csv=csv)


@shadow.command()
def show(ctx: typer.Context, number: str, json: Json = False, csv: Csv = False) -> None:
    """Show one shadow send with the digests of both sides."""
    from engine.service.migration.shadow_results import show_shadow

    state: State = ctx.obj
    found = show_shadow(state.app, state.actor, number)
    if json:
        print_json(found)
        return
    if csv:
        from json import dumps

        nested = {name: value for name, value in plain(found).items() if isinstance(value, dict | list)}
        said = {name: dumps(value, ensure_ascii=False) for name, value in nested.items()}
        print_csv(["field", "value"], {**plain(found), **said}.items())
        return
    for name, value in plain(found).items():
        if value not in (None, []):
            typer.echo(f"{name}: {value}")


@shadow.command()
def compare(
    ctx: typer.Context,
    procedure: Procedure = None,
    step: Step = None,
    sender: Sender = None,
    recipient: Recipient = None,
    district: District = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Sum up by relation and channel what was sent and what the receivers report to have read."""
    from engine.service.migration.shadow_results import list_comparisons

    state: State = ctx.obj
    scope = make_scope(procedure, step, sender, recipient, district)
    found = list_comparisons(state.app, state.actor, scope)
    if json:
        print_json([{**plain(line), "verdict": line.verdict} for line in found])
        return
    rows = [
        (
            line.procedure_key,
            line.element_id,
            line.sender_id,
            line.recipient_id,
            line.channel,
            line.n,
            line.equal,
            line.different,
            line.received,
            line.without_receipt,
            line.failed,
            line.waiting,
        )
        for line in found
    ]
    columns = ["Verfahren", "Schritt", "von", "an", "Kanal", "n", "gleich", "verschieden", "nur bestätigt"]
    columns += ["ohne Quittung", "gescheitert", "offen"]
    listing(columns, rows, "Vergleich (comparison)", csv=csv)
    if csv:
        return
    for line in found:
        which = f"{line.element_id}, {line.sender_id} → {line.recipient_id}"
        typer.echo(f"{which} on {line.channel}, n = {line.n}: {line.verdict}")
        for text, n in line.differences.items():
            typer.echo(f"{which}: {n} × {text}")


@shadow.command()
def consent(
    ctx: typer.Context,
    partner: Annotated[str, typer.Argument(help="Key or name of the other authority.")],
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Last day.")],
    by: Annotated[str, typer.Option(help="Who decided: name and office.")],
    reason: Annotated[str, typer.Option(help="Where it is written.")],
    from_partner: Annotated[
        bool, typer.Option("--from-partner", help="The partner agrees (its letter is your reason).")
    ] = False,
    receiving: Annotated[
        bool, typer.Option("--receiving", help="About tests from the partner, not to it.")
    ] = False,
    json: Json = False,
) -> None:
    """Record that one side agrees to real content in tests; it takes both sides."""
    from engine.service.migration.consents import consent

    state: State = ctx.obj
    made = consent(
        state.app,
        state.actor,
        partner,
        person=by,
        until=until.date(),
        reason=reason,
        from_partner=from_partner,
        receiving=receiving,
    )
    if json:
        print_json(made)
        return
    typer.echo(f"consent {short(made.id)} of {made.given_by}: tests {made.sender_id} → {made.recipient_id}")


@shadow.command()
def withdraw(ctx: typer.Context, number: str, json: Json = False) -> None:
    """End a consent; tests carry made-up content again from now on."""
    from engine.service.migration.consents import withdraw_consent

    state: State = ctx.obj
    ended = withdraw_consent(state.app, state.actor, number)
    if json:
        print_json(ended)
    else:
        typer.echo(f"consent {short(ended.id)} ended")


@shadow.command()
def consents(ctx: typer.Context, json: Json = False, csv: Csv = False) -> None:
    """List the consents about your authority."""
    from engine.service.migration.consents import list_consents

    state: State = ctx.obj
    found = list_consents(state.app, state.actor)
    if json:
        print_json(found)
        return
    rows = [
        (
            short(line.id),
            line.sender_id,
            line.recipient_id,
            line.given_by,
            line.person,
            line.valid_until,
            line.withdrawn_at,
            line.reason,
        )
        for line in found
    ]
    columns = ["Nr.", "von", "an", "Einwilligung von", "durch", "bis", "widerrufen", "Grund"]
    listing(columns, rows, "Einwilligungen (consents)", csv=csv)

"""``dienstweg migration switch``, ``revert``, ``history`` and ``rules``."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.migration.scope import District, Procedure, Recipient, Sender, Step
from cli.migration.switch_shown import show
from cli.show import ZONE, Csv, DataRefusedError, Json, listing, print_json, short
from cli.state import State

app = typer.Typer()
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would happen; change nothing.")]
List = Annotated[bool, typer.Option("--list", help="Name each relation, case and exchange.")]
_YEARS = (2000, 2999)
_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M%z"]


@app.command()
def switch(
    ctx: typer.Context,
    channel: Annotated[str, typer.Argument(help="Payload+carrier, e.g. xdomea+folder or letter+post.")],
    procedure: Procedure = None,
    step: Step = None,
    sender: Sender = None,
    recipient: Recipient = None,
    district: District = None,
    from_file: Annotated[
        Path | None, typer.Option(help="CSV of relations: procedure, step, sender, recipient.")
    ] = None,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="Accompany real sends with marked tests; nothing else changes.")
    ] = False,
    pilot: Annotated[
        int | None, typer.Option(min=1, max=99, help="Only this share of cases, in percent.")
    ] = None,
    effective: Annotated[
        datetime | None, typer.Option(formats=_FORMATS, help="In force from; local time. Default: now.")
    ] = None,
    revert_if: Annotated[
        list[str] | None,
        typer.Option(help='Take it back by itself: "failures>5%/20", "no-receipt>10%/P3D/20"; repeatable.'),
    ] = None,
    reason: Annotated[str, typer.Option(help="Needed unless --dry-run; stands in the history.")] = "",
    dry_run: DryRun = False,
    list_: List = False,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Put a channel in force for relations: live, as a pilot or in the shadow; no case is touched."""
    from engine.service.migration.switching import Switch, preview, read_relations, switch

    if shadow and pilot:
        raise DataRefusedError("--shadow and --pilot exclude each other", hint="leave one of them out")
    named = (procedure, step, sender, recipient, district)
    if from_file and any(named):
        raise DataRefusedError("--from-file names the relations already", hint="leave the other scopes out")
    state: State = ctx.obj
    wanted = Switch(
        channel=channel,
        procedure=procedure,
        step=step,
        sender=sender,
        recipient=recipient,
        district=district,
        relations=read_relations(_bytes(from_file), str(from_file)) if from_file else (),
        stage="shadow" if shadow else "pilot" if pilot else "live",
        share=pilot or 100,
        reason=reason,
        effective=_instant(effective, state),
        revert_if=revert_if or (),
    )
    act = preview if dry_run else switch
    show(act(state.app, state.actor, wanted), listed=list_, json=json, csv=csv)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataRefusedError(f"cannot read {path}: {error.strerror}") from error


def _instant(given: datetime | None, state: State) -> datetime | None:
    """Return an effective date, local time where it has no offset; today's date alone means now."""
    if given is None:
        return None
    if not _YEARS[0] <= given.year <= _YEARS[1]:
        raise DataRefusedError(f"nothing takes effect in the year {given.year}")
    today = state.app.clock.now().astimezone(ZONE).date()
    if given.tzinfo is None and given.date() == today and given.hour == given.minute == 0:
        return None
    return given


@app.command()
def revert(
    ctx: typer.Context,
    rule: Annotated[str | None, typer.Argument(help="Number of a rule, or of a whole switch.")] = None,
    last: Annotated[bool, typer.Option("--last", help="The last switch not taken back yet.")] = False,
    reason: Annotated[str, typer.Option(help="Needed unless --dry-run; stands in the history.")] = "",
    dry_run: DryRun = False,
    list_: List = False,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Take a switch back: what was in force before holds again. What was sent stays sent."""
    from engine.service.migration.reverting import revert

    if (rule is None) is not last:
        raise DataRefusedError("say what to take back", hint="give a rule's number, or --last")
    state: State = ctx.obj
    show(revert(state.app, state.actor, rule, reason, dry_run=dry_run), listed=list_, json=json, csv=csv)


@app.command()
def history(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 50,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Show who put what in force, when, why, and what it did."""
    from engine.migration.switching import stage_text
    from engine.service.migration.history import list_changes

    state: State = ctx.obj
    found = list_changes(state.app, state.actor, limit=limit)
    if json:
        print_json(found)
        return
    rows = [
        (
            short(line.act_id),
            line.at,
            "selbsttätig (by itself)" if line.automatic else line.by,
            f"{line.kind} {short(line.undoes)}" if line.undoes else line.kind,
            line.sender_id,
            _scopes(line.scope),
            f"{line.channel} {stage_text(line.stage, line.share)}",
            line.effective,
            _moved(line.effects),
            line.reason,
        )
        for line in found
    ]
    columns = ["Nr.", "am", "durch", "was", "von", "Beziehungen", "Kanal", "ab", "bewegt", "Grund"]
    listing(columns, rows, "Umschaltungen (history)", csv=csv)


@app.command()
def rules(
    ctx: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Ended rules too.")] = False,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """List the channel rules of the senders you may see, newest first."""
    from engine.migration.switching import stage_text
    from engine.service.migration.switching import list_rules

    state: State = ctx.obj
    found = list_rules(state.app, state.actor, everything=everything)
    if json:
        print_json(found)
        return
    rows = [
        (
            short(r["id"]),
            r["authority_id"],
            r["procedure_key"] or "alle",
            r["element_id"] or "alle",
            r["recipient_id"] or (f"Kreis {r['district_id']}" if r["district_id"] else "alle"),
            r["channel"],
            stage_text(r["stage"], r["share"]),
            r["valid_from"],
            r["valid_until"],
            r["revert_if"],
            r["closed"],
        )
        for r in found
    ]
    columns = [
        "Regel",
        "von",
        "Verfahren",
        "Schritt",
        "an",
        "Kanal",
        "Stufe",
        "ab",
        "bis",
        "zurück, wenn",
        "Postfach",
    ]
    listing(columns, rows, "Kanalregeln (channel rules)", csv=csv)


def _scopes(scopes: list[dict[str, str | None]]) -> str:
    if len(scopes) != 1:
        return f"{len(scopes)} Beziehungen"
    return ", ".join(value for value in scopes[0].values() if value) or "alle"


def _moved(effects: dict[str, Any]) -> str:
    """Return how many relations, cases and exchanges changed, e.g. ``12/3/0``."""
    counts = []
    for kind in ("relations", "cases", "exchanges"):
        verdicts = effects.get(kind, {})
        counts.append(sum(sum(reasons.values()) for name, reasons in verdicts.items() if name != "stays"))
    return "/".join(map(str, counts))

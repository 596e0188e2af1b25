"""What an act on channel rules does or did, as people, spreadsheets and programs read it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer

from cli.show import ZONE, plain, print_csv, print_json, short, table

if TYPE_CHECKING:
    from engine.exchange.decision import Relation
    from engine.service.migration.effects import RelationEffect
    from engine.service.migration.switching import RuleLine, Switched

_GERMAN = {"relations": "Beziehungen", "cases": "Vorgänge", "exchanges": "Austausche"}
_FEW = 20


def show(done: "Switched", *, listed: bool, json: bool, csv: bool) -> None:
    """Show what an act on rules does or did: counts, and on demand every line."""
    if json:
        shown = plain(done)
        shown["effects"]["counts"] = done.effects.counts()
        print_json(shown)
        return
    if csv:
        print_csv(_COLUMNS, _lines(done))
        return
    dry = done.act_id is None
    typer.echo("dry run, nothing is changed" if dry else f"done: {short(done.act_id)}")
    _show_rules(done, dry=dry, listed=listed)
    counted = [
        (_GERMAN[kind], n, verdict, reason)
        for kind, verdicts in done.effects.counts().items()
        for verdict, reasons in verdicts.items()
        for reason, n in reasons.items()
    ]
    table(["was", "n", "Ergebnis", "warum"], counted, "Wirkung (effects)")
    if listed:
        _show_all(done)
    elif counted:
        typer.echo("every relation, case and exchange by name: --list")
    _show_consequences(done)


_COLUMNS = ["was", "Verfahren", "Schritt", "von", "an", "Vorgang", "Austausch"]
_COLUMNS += ["bisher", "dann", "Ergebnis", "warum"]


def _lines(done: "Switched") -> Iterator[tuple[Any, ...]]:
    """Yield every relation, case, exchange and deadline in the same columns."""
    for one in done.effects.relations:
        yield "Beziehung", *_ends(one.relation), "", "", one.before, one.after, one.verdict, _why(one)
    for case in done.effects.cases:
        yield "Vorgang", "", "", case.sender_id, "", case.own_reference, "", "", "", case.verdict, case.reason
    for each in done.effects.exchanges:
        known = (each.own_reference, each.exchange_id)
        yield "Austausch", *_ends(each.relation), *known, each.before, each.after, each.verdict, each.reason
    for line in done.consequences:
        step = (line.procedure_key, line.element_id)
        before, after = f"{line.before_channel}: {line.before}", f"{line.after_channel}: {line.after}"
        yield "Frist", *step, "", "", "", "", before, after, "", line.about


def _ends(relation: "Relation") -> tuple[str, str, str, str]:
    return relation.procedure_key, relation.element_id, relation.sender_id, relation.recipient_id


def _why(effect: "RelationEffect") -> str:
    return f"{effect.reason}: {short(effect.overruled_by)}" if effect.overruled_by else effect.reason


def _show_rules(done: "Switched", *, dry: bool, listed: bool) -> None:
    from engine.migration.switching import stage_text

    for ends, lines in ((True, done.ended), (False, done.rules)):
        for line in lines if listed else lines[:_FEW]:
            scope = {
                "procedure": line.procedure_key,
                "step": line.element_id,
                "to": line.recipient_id,
                "district": line.district_id,
            }
            said = ", ".join(f"{name} {value}" for name, value in scope.items() if value) or "everything"
            since = line.valid_from.astimezone(ZONE).strftime("%d.%m.%Y %H:%M")
            number = "" if dry and not ends else f" {short(line.id)}"
            replaced = f"; replaces {', '.join(line.replaces)}" if line.replaces else ""
            back = f"; takes itself back if {' or '.join(line.revert_if)}" if line.revert_if else ""
            stage = stage_text(line.stage, line.share)
            typer.echo(
                f"rule{number} {_becomes(done, line, ends=ends, dry=dry)}: from {line.sender_id}, {said}: "
                f"{line.channel} {stage} from {since}{replaced}{back}"
            )
        if len(lines) > _FEW and not listed:
            typer.echo(f"… and {len(lines) - _FEW} rules more")


def _becomes(done: "Switched", line: "RuleLine", *, ends: bool, dry: bool) -> str:
    """Say what becomes of a rule; a planned one begins after the act."""
    planned = line.valid_from > done.at
    if ends:
        return ("would never begin" if dry else "never begins") if planned else "would end" if dry else "ends"
    if planned:
        return "would be planned" if dry else "planned"
    if line.valid_from < done.at:
        return "would go on" if dry else "goes on"
    return "would be in force" if dry else "in force"


def _show_all(done: "Switched") -> None:
    found = done.effects
    relations = [(*_ends(e.relation), e.before, e.after, e.verdict, _why(e)) for e in found.relations]
    columns = ["Verfahren", "Schritt", "von", "an", "bisher", "dann", "Ergebnis", "warum"]
    table(columns, relations, "Beziehungen (relations)")
    cases = [(e.own_reference, e.sender_id, e.verdict, e.reason) for e in found.cases]
    table(["Vorgang", "von", "Ergebnis", "warum"], cases, "Offene Vorgänge (open cases)")
    exchanges = [
        (
            short(e.exchange_id),
            e.own_reference,
            e.relation.element_id,
            e.relation.sender_id,
            e.relation.recipient_id,
            *(e.before, e.after, e.verdict, e.reason),
        )
        for e in found.exchanges
    ]
    columns = ["Austausch", "Vorgang", "Schritt", "von", "an", "bisher", "dann", "Ergebnis", "warum"]
    table(columns, exchanges, "Offene Austausche (exchanges)")


def _show_consequences(done: "Switched") -> None:
    rows = [
        (
            e.procedure_key,
            e.element_id or "alle",
            "Nachweise (proofs)" if e.about == "proofs" else e.about,
            f"{e.before_channel}: {e.before}",
            f"{e.after_channel}: {e.after}",
        )
        for e in done.consequences
    ]
    if rows:
        table(["Verfahren", "Schritt", "worum", "bisher", "dann"], rows, "Fristen (deadlines)")

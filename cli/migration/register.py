"""``dienstweg migration register``."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.migration.scope import NOTHING_SENDS, District, Procedure, Recipient, Sender, Step, make_scope
from cli.show import Csv, Json, plain, print_csv, print_json, table
from cli.state import State

if TYPE_CHECKING:
    from engine.migration.register import Volume
    from engine.service.migration.register import Overview, Page

app = typer.Typer()

KNOWN = {"constant": "Modell", "seen": "gesendet", "imported": "importiert", "directory": "Verzeichnis"}


@app.command()
def register(
    ctx: typer.Context,
    procedure: Procedure = None,
    step: Step = None,
    sender: Sender = None,
    recipient: Recipient = None,
    district: District = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Figures from this day's month on.")
    ] = None,
    used: Annotated[bool, typer.Option("--used", help="Only relations that have figures.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="List the relations, not only the steps.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="With --list: how many.")] = 50,
    offset: Annotated[int, typer.Option(min=0, help="With --list: pass over so many.")] = 0,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Show every relation (Beziehung) that the deployed models can have, with figures, by step.

    Recipients are those the model names, those in history or imported figures, and the whole directory.
    With --list, --csv gives all relations.
    """
    from engine.service.migration.register import Wish, overview, relations

    state: State = ctx.obj
    scope = make_scope(procedure, step, sender, recipient, district)
    wish = Wish(scope, since.date() if since else None, used)
    if list_:
        page = relations(state.app, state.actor, wish, offset=offset, limit=None if csv else limit)
        _show_page(page, offset, json=json, csv=csv)
    else:
        _show_overview(overview(state.app, state.actor, wish), json=json, csv=csv)


def _show_overview(found: "Overview", *, json: bool, csv: bool) -> None:
    from engine.migration.reasons import TITLES

    if json:
        print_json({**plain(found), "volume": _volume(found.volume)})
        return
    columns = [
        "procedure",
        "step",
        "name",
        "form",
        "why",
        "relations",
        "used",
        "n",
        "own",
        "imported",
        "paper",
    ]
    if csv:
        print_csv(
            columns,
            [
                (
                    line.step.procedure,
                    line.step.element,
                    line.step.name,
                    line.step.form,
                    line.reason.why,
                    line.relations,
                    line.used,
                    line.volume.total,
                    line.volume.own,
                    line.volume.imported,
                    line.volume.paper,
                )
                for line in found.steps
            ],
        )
        return
    rows = [
        (
            line.step.procedure,
            line.step.element + (" (ersetzt)" if line.step.retired else ""),
            line.step.form,
            TITLES[line.reason.why],
            line.relations,
            line.used,
            _figures(line.volume),
        )
        for line in found.steps
    ]
    table(
        ["Verfahren", "Schritt", "Form", "warum Papier", "Beziehungen", "genutzt", "n"],
        rows,
        f"Register: {found.relations} Beziehungen, {found.senders} Absender, {found.recipients} Empfänger",
    )
    if not found.steps:
        typer.echo(NOTHING_SENDS)
        return
    months = " bis ".join(found.months) if found.months else "keine Zahlen"
    typer.echo(f"{months}; n = {_figures(found.volume)}")
    why: dict[str, int] = {}
    for line in found.steps:
        for group, count in line.why.items():
            why[TITLES[group]] = why.get(TITLES[group], 0) + count
    typer.echo("; ".join(f"{title}: {count}" for title, count in sorted(why.items())))
    typer.echo("i = importiert, nicht gezählt; P = davon bekannt auf Papier")


def _show_page(page: "Page", offset: int, *, json: bool, csv: bool) -> None:
    from engine.migration.reasons import TITLES

    if json:
        lines = [
            {**plain(line), "volume": _volume(line.volume), "months": plain(page.months.get(_key(line), {}))}
            for line in page.lines
        ]
        print_json({"total": page.total, "offset": offset, "lines": lines})
        return
    names = page.names
    if csv:
        columns = ["procedure", "step", "sender", "recipient", "recipient_name", "known", "why"]
        print_csv(
            [*columns, "n", "own", "imported", "paper"],
            [
                (
                    *_key(line),
                    names.get(line.relation.recipient_id, ""),
                    line.known,
                    line.why,
                    line.volume.total,
                    line.volume.own,
                    line.volume.imported,
                    line.volume.paper,
                )
                for line in page.lines
            ],
        )
        return
    rows = [
        (
            line.relation.procedure_key,
            line.relation.element_id,
            names.get(line.relation.sender_id, line.relation.sender_id),
            names.get(line.relation.recipient_id, f"{line.relation.recipient_id} (unbekannt)"),
            KNOWN[line.known],
            TITLES[line.why],
            _figures(line.volume),
        )
        for line in page.lines
    ]
    last = offset + len(page.lines)
    columns = ["Verfahren", "Schritt", "von", "an", "bekannt aus", "warum Papier", "n"]
    shown = f"{offset + 1} bis {last} von {page.total}" if rows else f"ab {offset + 1} von {page.total}"
    table(columns, rows, f"Beziehungen {shown}")
    if last < page.total:
        typer.echo(f"weiter mit --offset {last}")


def _key(line: Any) -> tuple[str, str, str, str]:
    relation = line.relation
    return relation.procedure_key, relation.element_id, relation.sender_id, relation.recipient_id


def _volume(volume: "Volume") -> dict[str, Any]:
    return {**plain(volume), "total": volume.total}


def _figures(volume: "Volume") -> str:
    parts = [f"{volume.imported} i"] if volume.imported else []
    parts += [f"{volume.paper} P"] if volume.paper else []
    return f"{volume.total}" + (f" ({', '.join(parts)})" if parts else "")

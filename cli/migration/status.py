"""``dienstweg migration status``."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.migration.scope import District, Procedure, Recipient, Sender, Step, make_scope
from cli.show import Csv, Json, plain, print_csv, print_json
from cli.state import State

if TYPE_CHECKING:
    from engine.migration.status import Status

app = typer.Typer()


class HeatColumns(StrEnum):
    """What procedures are held against in a heat map."""

    RECIPIENT = "recipient"
    DISTRICT = "district"
    SENDER = "sender"
    MONTH = "month"


@app.command()
def status(
    ctx: typer.Context,
    by: Annotated[
        list[str] | None,
        typer.Option(help="Split by procedure, step, sender, recipient, district, month; comma or repeated."),
    ] = None,
    procedure: Procedure = None,
    step: Step = None,
    sender: Sender = None,
    recipient: Recipient = None,
    district: District = None,
    since: Annotated[str | None, typer.Option(help="First month, YYYY-MM.")] = None,
    until: Annotated[str | None, typer.Option(help="Last month, YYYY-MM.")] = None,
    heat: Annotated[
        HeatColumns | None, typer.Option(help="Show a heat map of procedures by this; without --by.")
    ] = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Show what really carried the exchanges: A paper, B electronic document, C structured data, D query.

    Every figure has its n. Test and shadow sends and copies do not count, silent falls back to paper do.
    """
    from engine.migration.status import Question
    from engine.service.migration.status import status

    state: State = ctx.obj
    if heat is not None and by:
        raise typer.BadParameter("a heat map is split by procedure and --heat", param_hint="--by")
    names = [name.strip() for text in by or () for name in text.split(",") if name.strip()]
    question = Question(
        scope=make_scope(procedure, step, sender, recipient, district),
        by=tuple(names) or (("procedure", heat.value) if heat else Question().by),
        since=since,
        until=until,
    )
    found = status(state.app, state.actor, question)
    if json:
        print_json(status_data(found))
    elif csv:
        columns, rows = flat_lines(found)
        print_csv(columns, rows)
    elif heat:
        from cli.migration.status_screen import show_heat

        show_heat(found, heat.value)
    else:
        from cli.migration.status_screen import show_status

        show_status(found)


def status_data(found: "Status") -> dict[str, Any]:
    """Return a status as JSON data."""
    from engine.migration.kpis import as_data

    asked = found.question
    return {
        "scope": plain(asked.scope),
        "by": list(asked.by),
        "since": asked.since,
        "until": asked.until,
        "on": found.on.isoformat(),
        "total": as_data(found.total),
        "lines": [{**line.key, **as_data(line.figures)} for line in found.lines],
        "coverage": plain(found.coverage),
        "paper_relations": {why.value: n for why, n in found.why_paper.items()},
        "reported": plain(found.reported),
    }


def flat_lines(found: "Status") -> tuple[list[str], list[list[Any]]]:
    """Return the lines as a spreadsheet's rows; every figure has its n beside it."""
    rows = []
    columns: list[str] = []
    for line in (*found.lines,):
        row = {**line.key, **_flat(line.figures)}
        columns = list(row)
        rows.append(list(row.values()))
    return columns or [*found.question.by, *_flat(found.total)], rows


def _flat(figures: Any) -> dict[str, Any]:
    shares = {name: getattr(figures, name) for name in ("electronic", "claimed", "confirmed", "answered")}
    breaks = {name: getattr(figures, name) for name in ("rejected", "printed", "scanned")}
    ends = {f"deadlines_{name}": getattr(figures, name) for name in ("met", "passed", "deemed")}
    ends["notifications_presumed"] = figures.presumed
    counts = {
        f"{name}{suffix}": value
        for name, share in {**shares, **breaks, **ends}.items()
        for suffix, value in (("", share.count), ("_n", share.n))
    }
    timed = {
        f"{name}_{medium}_{part}": getattr(found, part)
        for name in ("transport", "lead")
        for medium, found in getattr(figures, name).items()
        for part in ("n", "median", "p90")
    }
    money = {
        f"{name}{suffix}": value
        for name, sum_ in (("postage", figures.postage), ("saved", figures.saved))
        for suffix, value in (("_cents", sum_.cents), ("_n", sum_.n), ("_of", sum_.of))
    }
    relations = figures.relations
    return {
        "exchanges": figures.exchanges,
        **{state: figures.states[state] for state in ("sent", "open", "held", "unknown", "withdrawn")},
        **{f"level_{level.lower()}": figures.levels[level] for level in "ABCD"},
        "fallbacks": figures.fallbacks,
        "copies": figures.copies,
        "failed_attempts": figures.failed,
        **counts,
        **timed,
        **money,
        **{f"deadlines_{name}": figures.deadlines[name] for name in ("running", "unarmed", "dropped")},
        **{
            f"relations_{name}": getattr(relations, name) if relations else None
            for name in ("n", "electronic", "paper", "claimed", "pilot", "ruled")
        },
    }

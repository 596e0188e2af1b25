"""The status on a terminal: from 80 columns on, with or without colour."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from cli.migration.drawing import bar, euros, heat, minutes, number, percentage, trend
from cli.show import cell, console_

if TYPE_CHECKING:
    from engine.migration.kpis import Figures, Money, Share
    from engine.migration.status import Status

TITLES = {
    "procedure": "Verfahren",
    "step": "Schritt",
    "sender": "von",
    "recipient": "an",
    "district": "Kreis",
    "month": "Monat",
}
KINDS = {
    "municipality": "Gemeinden",
    "district": "Kreise",
    "land": "Land",
    "elsewhere": "außerhalb des Saarlands",
    "other": "Sonstige",
}
MEDIA = {"paper": "Papier", "electronic": "elektronisch"}
LEVELS = {"A": "Papier", "B": "Dokument", "C": "Daten", "D": "Abruf"}
WIDE = 120
_HEAT_CELL = 6
LONGEST_TREND = 12


def show_status(found: "Status") -> None:
    """Print total, lines and what belongs to them."""
    console = console_()
    wide = console.width >= WIDE
    span = _span(found.total)
    asked = found.question
    console.print(f"Umstellung (migration), tatsächlich gesendet · {asked.scope.describe()}", style="bold")
    console.print(f"Stand {cell(found.on)}{_window(asked)} · n = Zahl der Austausche", style="dim")
    if not found.total.exchanges and not found.lines:
        narrowed = asked.since or asked.until or asked.scope != type(asked.scope)()
        console.print(
            "In diesem Ausschnitt nichts gesendet (nothing sent within this scope)."
            if narrowed
            else "Noch nichts gesendet (nothing sent yet)."
        )
    else:
        _total(console, found.total, span)
        _lines(console, found, span, wide=wide)
        _details(console, found.total, wide=wide)
    _around(console, found)


def _span(figures: "Figures") -> list[str]:
    """Return the months from the first with figures on, without gaps."""
    from engine.migration.ledger import months_between

    months = sorted(figures.months)
    return months_between(months[0], months[-1]) if months else []


def _window(asked: Any) -> str:
    if not (asked.since or asked.until):
        return ""
    return f" · Monate {asked.since or '…'} bis {asked.until or '…'}"


def _total(console: Any, total: "Figures", span: Sequence[str]) -> None:
    states = {"open": "offen", "held": "gehalten", "unknown": "unklar", "withdrawn": "zurückgezogen"}
    unsent = [f"{states[name]} {number(n)}" for name, n in total.states.items() if name in states and n]
    console.print(f"Austausche  {number(total.exchanges)}, gesendet {number(total.sent)}{_more(unsent)}")
    levels = " · ".join(f"{level} {name} {number(total.levels[level])}" for level, name in LEVELS.items())
    console.print(f"Stufen      {levels}")
    actual, claimed = total.electronic, total.claimed
    console.print(f"tatsächlich {bar(actual.percent, 30)} {_share(actual)} elektronisch", style="green")
    console.print(f"nach Regel  {bar(claimed.percent, 30)} {_share(claimed)}", style="cyan")
    if total.relations:
        r = total.relations
        console.print(
            f"Beziehungen {number(r.electronic)} von {number(r.n)} ganz elektronisch; "
            f"heute auf elektronisch geschaltet {number(r.claimed)} von {number(r.ruled)}"
            + (f", im Pilot {number(r.pilot)}" if r.pilot else "")
        )
    if span:
        last = span[-36:]
        console.print(f"Verlauf     {trend(total.months, last)}  {last[0]} bis {last[-1]}, % elektronisch")
    console.print()


def _more(parts: Sequence[str]) -> str:
    return f" · {' · '.join(parts)}" if parts else ""


def _share(share: "Share") -> str:
    return f"{percentage(share.percent)} (n = {number(share.n)})"


def _lines(console: Any, found: "Status", span: Sequence[str], *, wide: bool) -> None:
    """Print a line a group; in a narrow window what is not said of the claim gives way first."""
    by = found.question.by
    trends = "month" not in by and len(span) > 1 and (wide or len(by) < 3)
    drawn = _table()
    for name in by:
        drawn.add_column(TITLES[name], overflow="fold", min_width=8)
    for title in ("n", "A", "B", "C", "D") if wide else ("n",):
        drawn.add_column(title, justify="right", no_wrap=True)
    drawn.add_column("elektronisch", no_wrap=True)
    drawn.add_column("Regel", justify="right", no_wrap=True)
    if trends:
        drawn.add_column("Verlauf", no_wrap=True)
    for title in ("Rückfälle", "bestätigt", "ungesendet") if wide else ("Rückf.",):
        drawn.add_column(title, justify="right", no_wrap=True)
    due = wide and found.total.ended > 0
    if due:
        drawn.add_column("Fristen", justify="right", no_wrap=True)
    for line in found.lines:
        f = line.figures
        if not f.exchanges:  # only arrivals or deadlines: they are in the total below
            continue
        percent = f.electronic.percent
        cells = [_title(found, name, key) for name, key in line.key.items()]
        cells += [number(f.sent), *((number(f.levels[level]) for level in "ABCD") if wide else ())]
        cells += [
            f"{bar(percent, 10 if wide else 6)} {percentage(percent):>6}",
            percentage(f.claimed.percent),
        ]
        if trends:
            cells.append(trend(f.months, span[-LONGEST_TREND:]))
        cells.append(number(f.fallbacks))
        if wide:
            cells += [percentage(f.confirmed.percent), number(f.unsent)]
        if due:
            cells.append(f"{number(f.met.count)}/{number(f.met.n)}" if f.met.n else "")
        drawn.add_row(*cells)
    console.print(drawn)


def _title(found: "Status", dimension: str, key: str) -> str:
    """Return what people call a group: an authority by its name."""
    if dimension in ("sender", "recipient", "district"):
        return found.names.get(key, key) or "–"
    return key or "–"


def _details(console: Any, total: "Figures", *, wide: bool) -> None:
    drawn = _table("Dauer (duration)")
    for title in ("", "", "n", "Median", "p90"):
        drawn.add_column(title, justify="right" if title in ("n", "Median", "p90") else "left", no_wrap=True)
    for title, found in (("Übergabe bis Eingang", total.transport), ("Anlage bis Antwort", total.lead)):
        for medium, name in MEDIA.items():
            t = found[medium]
            drawn.add_row(title, name, number(t.n), minutes(t.median), minutes(t.p90))
            title = ""  # noqa: PLW2901 — said once
    console.print(drawn)
    console.print(
        f"bestätigt   {_share(total.confirmed)} der gesendeten · beantwortet {_share(total.answered)}"
    )
    console.print(f"Porto       {_money(total.postage, 'mit Brief')}")
    console.print(f"erspart     {_money(total.saved, 'elektronischen')}, mindestens")
    console.print(
        f"abgelehnt   {_share(total.rejected)} · Kopien {number(total.copies)} · "
        f"gescheiterte Versuche {number(total.failed)}"
    )
    console.print(
        f"Medienbruch gedruckt {_share(total.printed)} elektronische Eingänge · "
        f"gescannt {_share(total.scanned)} Briefe"
    )
    _deadlines(console, total)
    from engine.migration.ledger import fallback_text

    reasons = [f"{fallback_text(code)} {number(n)}" for code, n in total.fallback_reasons.most_common() if n]
    said = f": {', '.join(reasons)}" if reasons else ""
    console.print(f"Rückfälle   {number(total.fallbacks)} (n = {number(total.sent)}){said}")
    console.print()


def _deadlines(console: Any, total: "Figures") -> None:
    """Print what became of deadlines, where there are any."""
    if not total.deadlines:
        return
    others = {"running": "laufen", "unarmed": "ohne Beginn", "dropped": "entfallen"}
    rest = [
        f"{number(total.deadlines[name])} {said}" for name, said in others.items() if total.deadlines[name]
    ]
    ended = (
        f"eingehalten {_share(total.met)} · abgelaufen {_share(total.passed)}, "
        f"davon mit Fiktion {number(total.deemed.count)}"
        if total.ended
        else "noch keine zu Ende (n = 0)"
    )
    console.print(f"Fristen     {ended}{_more(rest)}")
    if total.presumed.n:
        console.print(f"Bekanntgabe vermutet {_share(total.presumed)} der Fristen nach einer Bekanntgabe")


def _money(money: "Money", what: str) -> str:
    return f"{euros(money.cents)} (bekannt von n = {number(money.n)} der {number(money.of)} {what})"


def _around(console: Any, found: "Status") -> None:
    from engine.migration.reasons import TITLES as WHY

    drawn = _table("Abdeckung (coverage)")
    for title in ("", "n", "Zugang eröffnet", "empfangen elektronisch"):
        drawn.add_column(title, justify="right" if title else "left")
    for reached in found.coverage:
        name = KINDS.get(reached.kind, reached.kind)
        drawn.add_row(name, number(reached.n), number(reached.opened), number(reached.receiving))
    console.print(drawn)
    still = sum(found.why_paper.values())
    reasons = ", ".join(f"{WHY[why]} {number(n)}" for why, n in found.why_paper.items() if n)
    console.print(f"Beziehungen noch auf Papier {number(still)}{f': {reasons}' if reasons else ''}")
    for source in found.reported:
        told = f"bis {source.until}" if source.until else "noch nichts"
        made = f", Meldung vom {cell(source.made_at)}" if source.made_at else ""
        console.print(f"zählt: {source.name} {told}{made}")


def show_heat(found: "Status", columns: str) -> None:
    """Print procedures against recipients, districts or months, in percent electronic."""
    from rich.text import Text

    console = console_()
    rows, across = ("procedure", columns) if columns == "month" else (columns, "procedure")
    cells = {
        (line.key[rows], line.key[across]): line.figures for line in found.lines if line.figures.exchanges
    }
    names = _ordered(key[1] for key in cells)
    hidden = max(0, len(names) - max(1, (console.width - 22) // _HEAT_CELL))
    shown = names[hidden:] if across == "month" else names[: len(names) - hidden]
    months = f", {shown[0]} bis {shown[-1]}" if across == "month" and shown else ""
    drawn = _table(f"Elektronisch gesendet in Prozent, darunter n{months}")
    drawn.add_column(TITLES[rows], overflow="fold", max_width=22)
    for position, name in enumerate(shown, start=1):
        title = name[5:] if across == "month" else f"[{position}]"
        drawn.add_column(title, justify="right", no_wrap=True)
    for row in _ordered(key[0] for key in cells):
        drawn_cells = []
        for name in shown:
            figures = cells.get((row, name))
            text, colour = heat(figures.electronic.percent if figures else None)
            sent = f"\n{number(figures.sent)}" if figures and figures.sent else ""
            drawn_cells.append(Text(text, style=colour) + Text(sent, style="dim"))
        drawn.add_row(_title(found, rows, row), *drawn_cells)
    console.print(drawn)
    if across != "month":
        for position, name in enumerate(shown, start=1):
            console.print(f"[{position}] {name}")
    if hidden:
        console.print(f"{hidden} weitere Spalten passen nicht: breiteres Fenster, oder --json")


def _ordered(names: Iterable[str]) -> list[str]:
    return sorted(set(names))


def _table(title: str | None = None) -> Any:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
        padding=(0, 1, 0, 0),
    )

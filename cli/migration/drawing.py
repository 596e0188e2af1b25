"""Bars, sparklines and heat maps: readable at 80 columns and without colour."""

from collections.abc import Iterable, Mapping, Sequence

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_STEPS = "▁▂▃▄▅▆▇█"
_SHADES = " ░▒▓█"
GAP = "·"
"""A month, or a cell, of which there is nothing to say."""


def bar(percent: float | None, width: int = 10) -> str:
    """Return a bar for 0–100 percent, exact to an eighth of a column; empty space where nothing is known."""
    if percent is None:
        return GAP * width
    eighths = round(max(0.0, min(100.0, percent)) / 100 * width * 8)
    full, rest = divmod(eighths, 8)
    drawn = "█" * full + (_EIGHTHS[rest] if rest else "")
    return drawn + "░" * (width - len(drawn))


def sparkline(values: Iterable[float | None]) -> str:
    """Return one column a value of 0–100; a dot where there is none."""
    return "".join(
        GAP if value is None else _STEPS[min(7, int(max(0.0, min(100.0, value)) / 100 * 8))]
        for value in values
    )


def trend(months: Mapping[str, Sequence[int]], span: Sequence[str]) -> str:
    """Return the share of electronic sends in every month of ``span``."""
    return sparkline(
        100 * months[month][1] / months[month][0] if months.get(month, (0, 0))[0] else None for month in span
    )


def heat(percent: float | None) -> tuple[str, str]:
    """Return a heat map's cell and its colour: the percentage with a shade that needs no colour."""
    if percent is None:
        return f"   {GAP}", ""
    shade = _SHADES[min(4, int(percent / 20))]
    colour = ("red", "dark_orange", "yellow", "green_yellow", "green")[min(4, int(percent / 20))]
    return f"{shade}{percent:3.0f}", colour


def minutes(value: int | None) -> str:
    """Return a duration as people say it: minutes, hours or days."""
    if value is None:
        return "–"
    if value < 1:
        return "< 1 min"
    if value < 120:
        return f"{value} min"
    if value < 48 * 60:
        return f"{value / 60:.1f} h".replace(".", ",")
    return f"{value / 1440:.1f} d".replace(".", ",")


def euros(cents: int) -> str:
    """Write cents as euros, ``1.234,50 €``."""
    return f"{cents / 100:,.2f} €".translate(str.maketrans(",.", ".,"))


def number(value: int) -> str:
    """Write a whole number with its thousands apart."""
    return f"{value:,}".replace(",", ".")


def percentage(value: float | None) -> str:
    """Write a percentage; 100 % and 0 % only where it is all or nothing."""
    if value is None:
        return "–"
    if 99 < value < 100:
        return "> 99 %"
    if 0 < value < 1:
        return "< 1 %"
    return f"{value:.0f} %"

"""The tables of docs/reference/deadlines.md, generated from the rules; run it to renew the page.

``python -m engine.deadlines.reference docs/reference/deadlines.md`` replaces what stands between the marks.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from engine.deadlines.rules import Case, How, Rule, Rules, Version
from engine.deadlines.rules_reading import load_rules

BEGIN = "<!-- generated: begin -->"
END = "<!-- generated: end -->"


def figure_text(rule: Rule, version: Version) -> str:
    """Return a version's figure in a few words."""
    if rule.how is How.WORKDAYS:
        return f"{version.workdays} working days"
    if rule.how is How.NEXT_MONTH_WORKDAY:
        return "first working day of the next month"
    if rule.how is How.DATE:
        return "the day itself"
    if rule.how is How.RECEIPT:
        return "the day of the receipt"
    if not version.cases:
        return "to be named"
    text = "; ".join(dict.fromkeys(_case_text(case) for case in version.cases))
    if version.at_least is not None:
        text += f", at least {version.at_least}"
    return f"{text} after the year's end" if rule.how is How.AFTER_CALENDAR_YEAR else text


def _case_text(case: Case) -> str:
    figure = "none" if case.period is None else str(case.period)
    if case.doubt is not None:
        figure += f" (or {case.doubt.period}: {case.doubt.question})"
    way = [case.channel.value] if case.channel is not None else []
    if case.abroad is not None:
        way.append("abroad" if case.abroad else "inland")
    return f"{figure} {' '.join(way)}".strip()


def figures_text(rule: Rule) -> str:
    """Return the figure in force last."""
    return figure_text(rule, rule.versions[-1])


def rule_json(rule: Rule) -> dict[str, Any]:
    """Return a rule as JSON data."""
    extension = rule.extension
    return {
        "id": rule.id,
        "law": rule.law,
        "title": rule.title.as_json(),
        "procedure": rule.procedure,
        "how": rule.how.value,
        "basis": rule.basis.value,
        "starts": {channel.value if channel else "any": start for channel, start in rule.starts.items()},
        "counts": rule.counts,
        "weekend": rule.weekend,
        "saturday": rule.saturday,
        "calendar": rule.calendar.value,
        "then": rule.then,
        "deemed": rule.deemed,
        "effect": rule.effect.as_json() if rule.effect else None,
        "versions": [
            {
                "from": version.valid_from.isoformat() if version.valid_from else None,
                "until": version.valid_until.isoformat() if version.valid_until else None,
                "source": version.source,
                "figure": figure_text(rule, version),
            }
            for version in rule.versions
        ],
        "extension": None
        if extension is None
        else {
            "by": list(extension.by),
            "source": extension.source,
            "retroactive": extension.retroactive,
            "add": str(extension.add) if extension.add else None,
            "total": str(extension.total) if extension.total else None,
            "firm": extension.firm,
            "note": extension.note.as_json() if extension.note else None,
        },
        "notes": [note.as_json() for note in rule.notes],
        "flags": [flag.as_json() for flag in rule.flags],
    }


def tables(rules: Rules) -> str:
    """Return the generated part of the reference page."""
    parts = [
        "## Rules",
        "",
        _table(
            ("id", "title", "source and validity", "figure", "basis", "weekend", "extension"),
            (row for rule in rules.rules.values() for row in _rows(rule)),
        ),
        "",
        "## Open questions",
        "",
        _table(
            ("id", "question", "answers", "used by default", "source"),
            (
                (
                    f"`{asked.id}`",
                    asked.title.en,
                    "<br>".join(f"`{name}`: {text.en}" for name, text in asked.options.items()),
                    asked.default,
                    asked.source,
                )
                for asked in rules.questions.values()
            ),
        ),
        "",
        "## Uncertain points",
        "",
        *(f"- `{rule.id}`: {flag.en}" for rule in rules.rules.values() for flag in rule.flags),
        "",
        "## Conditions to check",
        "",
        *(f"- `{rule.id}`: {note.en}" for rule in rules.rules.values() for note in rule.notes),
    ]
    return "\n".join(parts)


def _rows(rule: Rule) -> Iterable[tuple[str, ...]]:
    for index, version in enumerate(rule.versions):
        yield (
            f"`{rule.id}`" if index == 0 else "",
            rule.title.en if index == 0 else "",
            _validity(version),
            figure_text(rule, version),
            rule.basis.value,
            rule.weekend,
            _extension(rule) if index == 0 else "",
        )


def _validity(version: Version) -> str:
    if version.valid_from is None and version.valid_until is None:
        return version.source
    begin = version.valid_from.isoformat() if version.valid_from else "…"
    end = version.valid_until.isoformat() if version.valid_until else "…"
    return f"{version.source} ({begin} to {end})"


def _extension(rule: Rule) -> str:
    extension = rule.extension
    if extension is None:
        return "no"
    bounds = [f"by at most {extension.add}"] if extension.add else []
    if extension.total:
        bounds.append(f"to {extension.total} in all{'' if extension.firm else ' as a rule'}")
    if extension.retroactive:
        bounds.append("also afterwards")
    return ", ".join([f"{' or '.join(extension.by)}, {extension.source}", *bounds])


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    columns = list(heads)
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    lines += [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
    return "\n".join(lines)


def renew(page: str, rules: Rules) -> str:
    """Return ``page`` with the generated part replaced."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    assert begin, "the page has lost its first mark"
    assert end, "the page has lost its last mark"
    return f"{head}{BEGIN}\n{tables(rules)}\n{END}{tail}"


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(renew(target.read_text(encoding="utf-8"), load_rules()), encoding="utf-8")

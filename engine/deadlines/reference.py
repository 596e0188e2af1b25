"""The tables of docs/reference/deadlines.md, generated from the rules; run it to renew the page.

``python -m engine.deadlines.reference docs/reference/deadlines.md`` replaces what stands between the marks.
"""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from engine.deadlines.rules import Case, Channel, How, Rule, Rules, Version
from engine.deadlines.rules_reading import load_rules
from engine.deadlines.text import Text

BEGIN = "<!-- generated: begin -->"
END = "<!-- generated: end -->"


def figure_text(rule: Rule, version: Version) -> Text:
    """Return a version's figure in a few words."""
    fixed = _FIXED.get(rule.how)
    if fixed is not None:
        return fixed
    if rule.how is How.WORKDAYS:
        return Text(f"{version.workdays} Werktage", f"{version.workdays} working days")
    if not version.cases:
        return Text("zu nennen", "to be named")
    german = "; ".join(dict.fromkeys(_case_text(case).de for case in version.cases))
    english = "; ".join(dict.fromkeys(_case_text(case).en for case in version.cases))
    if version.at_least is not None:
        german, english = (
            f"{german}, mindestens {version.at_least}",
            f"{english}, at least {version.at_least}",
        )
    if rule.how is How.AFTER_CALENDAR_YEAR:
        german, english = f"{german} nach Jahresende", f"{english} after the year's end"
    return Text(german, english)


_FIXED: Mapping[How, Text] = {
    How.NEXT_MONTH_WORKDAY: Text("erster Arbeitstag des Folgemonats", "first working day of the next month"),
    How.DATE: Text("der Tag selbst", "the day itself"),
    How.RECEIPT: Text("Datum des Empfangsbekenntnisses", "the day of the receipt"),
}
_WAYS: Mapping[Channel, Text] = {
    Channel.POST: Text("Post", "post"),
    Channel.ELECTRONIC: Text("elektronisch", "electronic"),
}


def _case_text(case: Case) -> Text:
    german = english = "" if case.period is None else str(case.period)
    if case.period is None:
        german, english = "keine Fiktion", "none"
    if case.doubt is not None:
        german += f" (oder {case.doubt.period}: {case.doubt.question})"
        english += f" (or {case.doubt.period}: {case.doubt.question})"
    if case.channel is not None:
        german, english = f"{german} {_WAYS[case.channel].de}", f"{english} {_WAYS[case.channel].en}"
    if case.abroad is not None:
        german += " Ausland" if case.abroad else " Inland"
        english += " abroad" if case.abroad else " inland"
    return Text(german, english)


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
                "figure": figure_text(rule, version).as_json(),
                "period": _one_period(version),
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


def _one_period(version: Version) -> str | None:
    """Return the ISO 8601 figure where there is exactly one."""
    found = {str(case.period) if case.period else None for case in version.cases}
    return found.pop() if len(found) == 1 else None


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
            figure_text(rule, version).en,
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

"""``dienstweg deadline``: the legal rules, and deadlines computed by them, which need no installation."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.deadline_of_cases import add_to
from cli.show import Json, print_json, table

if TYPE_CHECKING:
    from engine.deadlines.calendars import Calendar
    from engine.deadlines.computing import Settings
    from engine.deadlines.rules import Channel, Rule

app = typer.Typer(help="Deadlines (Fristen) of cases, and the rules they follow.", no_args_is_help=True)
add_to(app)


@app.command()
def rules(
    law: Annotated[str | None, typer.Option(help="Only rules of this law, e.g. VwVfG.")] = None,
    procedure: Annotated[str | None, typer.Option(help="Only rules of this procedure's key.")] = None,
    json: Json = False,
) -> None:
    """List the legal rules of deadlines: source, figure, basis, extension."""
    from engine.deadlines.reference import figure_text, rule_json
    from engine.deadlines.rules_reading import load_rules

    found = [
        rule
        for rule in load_rules().rules.values()
        if (law is None or rule.law.casefold() == law.casefold())
        and (procedure is None or rule.procedure == procedure)
    ]
    if json:
        print_json([rule_json(rule) for rule in found])
        return
    rows = [
        (
            rule.id,
            rule.title.de,
            rule.versions[-1].source,
            figure_text(rule, rule.versions[-1]).de,
            rule.basis.value,
            _extender(rule),
        )
        for rule in found
    ]
    table(
        ["Regel", "Titel", "Quelle", "Frist", "Grundlage", "verlängerbar"],
        rows,
        "Fristenregeln (deadline rules)",
    )


@app.command()
def explain(
    rule: Annotated[str, typer.Option(help="Rule id; see deadline rules.")],
    start: Annotated[str, typer.Option(help="Day of the start, YYYY-MM-DD; with a time for hours.")],
    period: Annotated[
        str | None, typer.Option(help="ISO 8601 duration, e.g. P1M; needed where the rule has no figure.")
    ] = None,
    authority: Annotated[
        str | None,
        typer.Option(help="AGS of the authority whose holidays count; default the Saarland's."),
    ] = None,
    fiction: Annotated[
        str | None, typer.Option(help="Rule of notification that the start belongs to, e.g. vwvfg-41-2.")
    ] = None,
    channel: Annotated[
        str | None,
        typer.Option(help="How it was sent: post (default, where the rule knows it) or electronic."),
    ] = None,
    abroad: Annotated[bool, typer.Option("--abroad", help="It was sent abroad.")] = False,
    received: Annotated[
        str | None, typer.Option(help="Day of proved receipt, YYYY-MM-DD, where it was notified.")
    ] = None,
    acknowledged: Annotated[
        str | None, typer.Option(help="Date of the return slip or acknowledgement, YYYY-MM-DD.")
    ] = None,
    setting: Annotated[
        list[str] | None, typer.Option(help="QUESTION=ANSWER for an open question; repeatable.")
    ] = None,
    english: Annotated[bool, typer.Option("--english", help="Explain in English.")] = False,
    json: Json = False,
) -> None:
    """Compute a deadline and show every counted and skipped day, and why."""
    from engine.deadlines import computing
    from engine.deadlines.iso import parse_date, parse_period, typed_instant
    from engine.deadlines.rules_reading import load_rules

    request = computing.Request(
        rule=rule,
        start=typed_instant(start) if "T" in start else parse_date(start),
        period=parse_period(period) if period is not None else None,
        fiction=fiction,
        channel=_channel(channel),
        abroad=abroad,
        received=parse_date(received) if received is not None else None,
        acknowledged=parse_date(acknowledged) if acknowledged is not None else None,
    )
    found = computing.explain(load_rules(), request, _calendar(authority), _settings(setting or []))
    if json:
        print_json(found.as_json())
        return
    typer.echo(found.text("en" if english else "de"))


@app.command()
def questions(json: Json = False) -> None:
    """List the questions the law leaves open, their answers, and which end is used by default."""
    from engine.deadlines.rules_reading import load_rules

    found = list(load_rules().questions.values())
    if json:
        print_json(
            [
                {
                    "id": asked.id,
                    "title": asked.title.as_json(),
                    "source": asked.source,
                    "answers": {name: text.as_json() for name, text in asked.options.items()},
                    "default": asked.default,
                }
                for asked in found
            ]
        )
        return
    rows = [
        (asked.id, asked.title.de, ", ".join(asked.options), asked.default, asked.source) for asked in found
    ]
    table(
        ["Frage", "Worum es geht", "Antworten", "angesetzt", "Quelle"], rows, "Offene Fragen (open questions)"
    )


def _extender(rule: "Rule") -> str:
    from engine.deadlines.rules import EXTENDERS

    if rule.extension is None:
        return "nein"
    who = ", ".join(EXTENDERS[name].de for name in rule.extension.by)
    return f"durch {who} ({rule.extension.source})"


def _channel(value: str | None) -> "Channel | None":
    from engine.deadlines.errors import UnsuitableStartError
    from engine.deadlines.rules import Channel

    if value is None:
        return None
    try:
        return Channel(value)
    except ValueError:
        raise UnsuitableStartError(f'"{value}" is no way of sending', hint="post or electronic") from None


def _calendar(authority: str | None) -> "Calendar":
    from engine.deadlines.calendars import RegionalCalendars, region_of
    from engine.deadlines.errors import UnknownRegionError

    if authority is not None and region_of(authority) is None:
        raise UnknownRegionError(
            f'the Land of "{authority}" is not known, so its holidays are not',
            hint="give the AGS, e.g. 10045114, whose first two digits name the Land",
        )
    return RegionalCalendars().for_authority(authority or "")


def _settings(pairs: list[str]) -> "Settings":
    from engine.deadlines.computing import Settings
    from engine.deadlines.errors import UnknownSettingError

    answers: dict[str, str] = {}
    for pair in pairs:
        name, equals, answer = pair.partition("=")
        if not equals:
            raise UnknownSettingError(f'"{pair}" is no setting', hint="write QUESTION=ANSWER")
        answers[name] = answer
    return Settings(answers)

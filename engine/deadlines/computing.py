"""Computes a deadline by a rule and explains it. Pure: the caller brings calendar, settings and facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from engine.deadlines.calendars import Calendar
from engine.deadlines.errors import UnknownSettingError, UnsuitableStartError
from engine.deadlines.explanation import Alternative, Explanation, Flag, FlagKind
from engine.deadlines.iso import ZONE, Period, end_of_day, zone_of
from engine.deadlines.rules import CalendarOf, Channel, How, Rule, Rules
from engine.deadlines.stages import Task, Track, run
from engine.deadlines.text import Language, Text, clock_text, day_text

_NOTIFYING = (How.NOTIFICATION, How.RECEIPT)
_NOTIFIED = Text("Bekanntgabe oder Zustellung", "notification or service")


@dataclass(frozen=True, slots=True)
class Settings:
    """An installation's answers to questions the law leaves open: question id → answer.

    An answer is ``later``, ``earlier`` or one of the question's options; what is not said follows the
    question's default. Whatever is set, every answer is computed and a difference is flagged.
    """

    answers: Mapping[str, str] = field(default_factory=dict)

    def check(self, rules: Rules) -> None:
        """Raise UnknownSettingError for a question or an answer that does not exist."""
        for name, answer in self.answers.items():
            question = rules.questions.get(name)
            if question is None:
                raise UnknownSettingError(
                    f'there is no open question "{name}"', hint="one of " + ", ".join(rules.questions)
                )
            if answer not in question.choices:
                raise UnknownSettingError(
                    f'"{answer}" is no answer to {name}', hint="one of " + ", ".join(question.choices)
                )


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: a rule, a start and what else the rule needs.

    ``fiction`` computes the start of ``rule`` first: ``start`` is then the posting or sending, and
    ``channel`` and ``abroad`` are about it. ``received`` is a proved receipt; it counts where it is later
    than the presumption. ``acknowledged`` is the date of a return slip or acknowledgement, for rules that let
    it decide (``Rule.receipt_decides``), be it earlier or later.
    """

    rule: str
    start: date | datetime
    period: Period | None = None
    fiction: str | None = None
    channel: Channel | None = None
    abroad: bool = False
    received: date | None = None
    acknowledged: date | None = None


def explain(
    rules: Rules,
    request: Request,
    calendar: Calendar,
    settings: Settings | None = None,
    *,
    recipient: Calendar | None = None,
) -> Explanation:
    """Return the deadline with everything that led to it.

    ``calendar`` is that of the place where the declaration or performance is due, ``recipient`` that of the
    place where something is notified (§ 193 BGB; default: the same). An aware ``start`` is taken at the
    calendar's zone; only periods in hours use its time of day.

    Raises:
        UnknownRuleError, RuleNotInForceError, NoFigureError, PeriodNotAllowedError, NoFictionError,
        UnsuitablePeriodError, UnsuitableStartError, UnknownSettingError, OutOfCalendarError.
    """
    settings = settings or Settings()
    settings.check(rules)
    calendars = {CalendarOf.PLACE: calendar, CalendarOf.RECIPIENT: recipient or calendar}
    first, then = _plan(rules, request)
    tracks = run(first.task(calendars), request.start)
    notes: list[Flag] = []
    if request.acknowledged is not None:
        tracks = [_from(track, request.acknowledged) for track in tracks]
        notes.append(_acknowledged_note(request.acknowledged))
    elif request.received is not None:
        tracks = [_from(track, max(track.day, request.received)) for track in tracks]
        notes.append(_received_note(request.received))
    if then is not None:
        follow_up = then.task(calendars)
        tracks = [_joined(track, follow) for track in tracks for follow in run(follow_up, track.day)]
    chosen = _choose(rules, tracks, settings)
    main = then.rule if then is not None and request.fiction else first.rule
    used = [plan.task(calendars).calendar for plan in (first, then) if plan is not None]
    return _explanation(rules, request, used, main, tracks, chosen, notes)


@dataclass(frozen=True, slots=True)
class _Plan:
    """A stage whose calendar is still to come."""

    rule: Rule
    period: Period | None = None
    channel: Channel | None = None
    abroad: bool = False

    def task(self, calendars: Mapping[CalendarOf, Calendar]) -> Task:
        return Task(self.rule, calendars[self.rule.calendar], self.period, self.channel, self.abroad)


def _plan(rules: Rules, request: Request) -> tuple[_Plan, _Plan | None]:
    """Return the stages: one, or a notification and what runs from it."""
    rule = rules.get(request.rule)
    way = {"channel": request.channel, "abroad": request.abroad}
    if request.fiction is not None:
        fiction = rules.get(request.fiction)
        if fiction.how not in _NOTIFYING:
            raise UnsuitableStartError(f"{fiction.id} is no rule of notification")
        if rule.how is not How.PERIOD:
            raise UnsuitableStartError(f"{rule.id} does not run from a notification")
        _check_proof(fiction, request)
        return _Plan(fiction, None, request.channel, request.abroad), _Plan(rule, request.period)
    if rule.how in _NOTIFYING:
        _check_proof(rule, request)
        first = _Plan(rule, None, request.channel, request.abroad)
        if request.period is None:
            return first, None
        assert rule.then is not None
        return first, _Plan(rules.get(rule.then), request.period)
    named = [name for name, value in way.items() if value]
    if named:
        raise UnsuitableStartError(
            f"{rule.id} does not ask how it was sent ({', '.join(named)})",
            hint="name a rule of notification as well, for example vwvfg-41-2",
        )
    if request.received is not None or request.acknowledged is not None:
        raise UnsuitableStartError(f"{rule.id} is no rule of notification, so a receipt changes nothing")
    return _Plan(rule, request.period), None


def _check_proof(rule: Rule, request: Request) -> None:
    """Refuse proofs that the rule does not ask for."""
    if rule.how is How.RECEIPT and (request.received or request.acknowledged):
        raise UnsuitableStartError(
            f"the start of {rule.id} is the receipt itself", hint="give it as the start"
        )
    if request.acknowledged is not None and not rule.receipt_decides:
        raise UnsuitableStartError(
            f"{rule.id} knows no return slip or acknowledgement", hint="give a proved receipt as received"
        )
    start = request.start
    sent = start.astimezone(zone_of(ZONE)).date() if isinstance(start, datetime) else start
    for day in (request.received, request.acknowledged):
        if day is not None and day < sent:
            raise UnsuitableStartError(f"{day} lies before the start, {sent}", hint="is the year right?")


def _from(track: Track, day: date) -> Track:
    """Put a proved day in the place of the presumed one."""
    return replace(track, day=day, notification=day)


def _acknowledged_note(day: date) -> Flag:
    text = Text(
        f"Rückschein oder Empfangsbekenntnis nennt den {day:%d.%m.%Y}; das Datum entscheidet.",
        f"The return slip or acknowledgement names {day}; its date decides.",
    )
    return Flag(FlagKind.NOTE, text)


def _received_note(day: date) -> Flag:
    text = Text(
        f"Nachgewiesener Zugang am {day:%d.%m.%Y}; er entscheidet nur, wenn er später liegt.",
        f"Arrival is proved for {day}; it decides only where it is later.",
    )
    return Flag(FlagKind.NOTE, text)


def _joined(track: Track, follow: Track) -> Track:
    """Put the stage from the notification behind the one to it."""
    stages = tuple(replace(stage, start_text=_NOTIFIED) for stage in follow.stages)
    return replace(
        follow,
        stages=(*track.stages, *stages),
        notification=track.notification,
        answers={**track.answers, **follow.answers},
    )


def _moment(track: Track, zone: str) -> datetime:
    return track.moment if track.moment is not None else end_of_day(track.day, zone)


def _choose(rules: Rules, tracks: Sequence[Track], settings: Settings) -> Track:
    """Return the track that settings and defaults pick, one open question after the other."""
    left = list(tracks)
    for name in tracks[0].answers:
        wanted = settings.answers.get(name, rules.questions[name].default)
        if wanted in ("later", "earlier"):
            pick = max if wanted == "later" else min
            wanted = pick(left, key=_order).answers[name]
        left = [track for track in left if track.answers[name] == wanted]
    return left[0]


def _order(track: Track) -> tuple[date, datetime, date]:
    return (track.day, track.moment or datetime.max.replace(tzinfo=UTC), track.notification or date.min)


def _outcome(track: Track) -> tuple[date, datetime | None, date | None]:
    return (track.day, track.moment, track.notification)


def _explanation(
    rules: Rules,
    request: Request,
    used: Sequence[Calendar],
    main: Rule,
    tracks: Sequence[Track],
    chosen: Track,
    notes: Sequence[Flag],
) -> Explanation:
    concerned = [rules.get(stage.rule) for stage in chosen.stages]
    zone = used[-1].zone
    open_questions = [name for name in chosen.answers if _matters(name, tracks)]
    others = {_outcome(track): track for track in tracks if _outcome(track) != _outcome(chosen)}
    flags = [_open_flag(rules, name, tracks, chosen, zone) for name in open_questions]
    flags += notes
    flags += [Flag(FlagKind.UNCERTAIN, text) for rule in concerned for text in rule.flags]
    remarks = dict.fromkeys(calendar.remark for calendar in used if calendar.remark is not None)
    flags += [Flag(FlagKind.UNCERTAIN, remark) for remark in remarks]
    flags += [Flag(FlagKind.NOTE, text) for rule in concerned for text in rule.notes]
    last = chosen.stages[-1]
    return Explanation(
        rule=main.id,
        title=main.title,
        source="; ".join(stage.source for stage in chosen.stages),
        basis=main.basis.value,
        start=request.start,
        period=last.period,
        stages=chosen.stages,
        notification=chosen.notification,
        end=chosen.day,
        end_instant=_moment(chosen, zone),
        exact=chosen.moment is not None,
        effect=main.effect,
        calendar=_names(used),
        zone=zone,
        answers={name: chosen.answers[name] for name in open_questions},
        alternatives=tuple(
            Alternative(
                track.day,
                _moment(track, zone),
                track.notification,
                {name: track.answers[name] for name in open_questions},
            )
            for track in sorted(others.values(), key=_order)
        ),
        flags=tuple(flags),
    )


def _names(calendars: Sequence[Calendar]) -> Text:
    names = list(dict.fromkeys(calendar.name for calendar in calendars))
    return Text(", ".join(name.de for name in names), ", ".join(name.en for name in names))


def _matters(name: str, tracks: Sequence[Track]) -> bool:
    """Tell whether the answer to a question changes anything while all other answers stay."""
    outcomes: dict[tuple[tuple[str, str], ...], set[tuple[date, datetime | None, date | None]]] = {}
    for track in tracks:
        rest = tuple((other, answer) for other, answer in track.answers.items() if other != name)
        outcomes.setdefault(rest, set()).add(_outcome(track))
    return any(len(found) > 1 for found in outcomes.values())


def _ends(tracks: Sequence[Track], zone: str, language: Language) -> str:
    """Return the different ends of tracks, with the time of day where it matters."""
    ends = [
        day_text(track.day, language)
        if track.moment is None
        else clock_text(track.moment.astimezone(zone_of(zone)), language)
        for track in tracks
    ]
    return ", ".join(dict.fromkeys(ends))


def _open_flag(rules: Rules, name: str, tracks: Sequence[Track], chosen: Track, zone: str) -> Flag:
    """Say what is open, what each answer leads to, and which one is used."""
    asked = rules.questions[name]
    german, english = [], []
    for option, text in asked.options.items():
        led = sorted((track for track in tracks if track.answers[name] == option), key=_order)
        german.append(f"{text.de} → {_ends(led, zone, 'de')}")
        english.append(f"{text.en} → {_ends(led, zone, 'en')}")
    used = Text(_ends([chosen], zone, "de"), _ends([chosen], zone, "en"))
    text = Text(
        f"{asked.title.de} ({asked.source}) {'; '.join(german)}. Angesetzt: {used.de}.",
        f"{asked.title.en} ({asked.source}) {'; '.join(english)}. Used: {used.en}.",
    )
    return Flag(FlagKind.OPEN_QUESTION, text, name)

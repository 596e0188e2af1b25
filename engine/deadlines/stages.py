"""One stage of a computation: from a start by one rule to a day, along every answer the law leaves open."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from engine.deadlines.calendars import SATURDAY, Calendar, days_after
from engine.deadlines.counting import (
    DAY,
    DayGroup,
    DayKind,
    end_of_period,
    move_to_working_day,
    period_groups,
    workday_groups,
)
from engine.deadlines.errors import (
    NoFigureError,
    OutOfCalendarError,
    PeriodNotAllowedError,
    UnsuitablePeriodError,
    UnsuitableStartError,
)
from engine.deadlines.explanation import Stage
from engine.deadlines.iso import Period, add_period, zone_of
from engine.deadlines.rules import (
    COUNTS_OPTIONS,
    HOUR_OPTIONS,
    SATURDAY_OPTIONS,
    START_TEXTS,
    WEEKEND_OPTIONS,
    Channel,
    How,
    Rule,
    Version,
)
from engine.deadlines.text import Text, day_text


@dataclass(frozen=True, slots=True)
class Track:
    """One way through the open questions, as far as it has got."""

    day: date
    stages: tuple[Stage, ...] = ()
    notification: date | None = None
    moment: datetime | None = None
    """The exact end of a period in hours, UTC."""
    answers: Mapping[str, str] = field(default_factory=dict)

    def answered(self, question: str | None, option: str) -> "Track":
        """Return the track with one more answer; without question it is the same."""
        if question is None:
            return self
        return replace(self, answers={**self.answers, question: option})


@dataclass(frozen=True, slots=True)
class Task:
    """What one stage has to compute."""

    rule: Rule
    calendar: Calendar
    period: Period | None = None
    """The period somebody named, not the rule's own."""
    channel: Channel | None = None
    abroad: bool = False


def run(task: Task, start: date | datetime) -> list[Track]:
    """Return every track of one stage from ``start``.

    Raises:
        RefusedError: subclasses from engine.deadlines.errors tell what does not fit.
    """
    rule = task.rule
    if rule.how is How.HOURS:
        return _hours(task, start)
    day = start.astimezone(zone_of(task.calendar.zone)).date() if isinstance(start, datetime) else start
    if day.year == date.max.year:
        raise OutOfCalendarError(f"{day} is the end of the calendar", hint="is the year right?")
    version = rule.version(day)
    return _BY_KIND[rule.how](task, version, day)


def _stage(
    task: Task,
    version: Version,
    start: date | datetime,
    period: object | None,
    groups: Iterable[DayGroup],
    end: date,
) -> Stage:
    return Stage(
        rule=task.rule.id,
        title=task.rule.title,
        source=version.source,
        start=start,
        start_text=START_TEXTS[task.rule.start_of(version, task.channel)],
        period=None if period is None else str(period),
        groups=tuple(groups),
        end=end,
    )


def _answers(value: str, plain: tuple[str, ...], options: tuple[str, ...]) -> list[tuple[str | None, str]]:
    """Return (question, answer) pairs of a rule's field: one where it is settled, else all."""
    if value in plain:
        return [(None, value)]
    return [(value, option) for option in options]


def _weekend(
    task: Task, day: date, groups: tuple[DayGroup, ...]
) -> list[tuple[str | None, str, date, tuple[DayGroup, ...]]]:
    """Return the ends that the rule's way with weekends and holidays leads to."""
    found: list[tuple[str | None, str, date, tuple[DayGroup, ...]]] = []
    for question, answer in _answers(task.rule.weekend, ("shift", "stay"), WEEKEND_OPTIONS):
        if answer == "stay":
            found.append((question, answer, day, groups))
        else:
            moved, over = move_to_working_day(day, task.calendar, task.rule.moves)
            found.append((question, answer, moved, (*groups, *over)))
    return found


def _period(task: Task, version: Version, start: date) -> list[Track]:
    period = _period_of(task, version, start)
    tracks: list[Track] = []
    for question, answer in _answers(task.rule.counts, ("event", "day"), COUNTS_OPTIONS):
        begin = start + DAY if answer == "next-day" else start
        counts = answer != "event"
        end = end_of_period(begin, period, start_counts=counts)
        used, why = period, None
        if version.at_least is not None:
            least = end_of_period(begin, version.at_least, start_counts=counts)
            if least > end:
                why = _shorter(period, end, version.at_least)
                end, used = least, version.at_least
        groups = period_groups(begin, end, start_counts=counts, source=version.source, why=why)
        for moved_question, moved_answer, day, all_groups in _weekend(task, end, groups):
            stage = _stage(task, version, start, used, all_groups, day)
            track = Track(day, (stage,)).answered(question, answer).answered(moved_question, moved_answer)
            tracks.append(track)
    return tracks


def _shorter(period: Period, end: date, least: Period) -> Text:
    return Text(
        f"mindestens {least}; {period} wäre schon am {day_text(end, 'de')} um",
        f"at least {least}; {period} would be over on {day_text(end, 'en')} already",
    )


def _period_of(task: Task, version: Version, start: date) -> Period:
    """Return the rule's figure, or the one somebody named where the rule lets them."""
    case = task.rule.case(start, None, False)
    figure = case.period if case else None
    if figure is None:
        if task.period is None:
            raise NoFigureError(
                f"{version.source} gives no figure, so a period has to be named",
                hint="for example P1M or P14D",
            )
        return task.period
    if task.period is None or task.period == figure:
        return figure
    if not version.longer:
        raise PeriodNotAllowedError(
            f"{version.source} fixes the period at {figure}, so {task.period} cannot be named",
            hint="leave the period out",
        )
    counts = task.rule.counts == "day"
    wanted = end_of_period(start, task.period, start_counts=counts)
    if wanted < end_of_period(start, figure, start_counts=counts):
        raise UnsuitablePeriodError(f"{task.period} is shorter than {figure}, which {version.source} grants")
    return task.period


def _notification(task: Task, version: Version, start: date) -> list[Track]:
    case = task.rule.case(start, task.channel, task.abroad)
    assert case is not None
    assert case.period is not None
    figures: list[tuple[str | None, str, Period]] = [(None, "", case.period)]
    if case.doubt is not None:
        doubt = case.doubt
        figures = [
            (doubt.question, doubt.otherwise, case.period),
            (doubt.question, doubt.option, doubt.period),
        ]
    tracks: list[Track] = []
    for question, answer, period in figures:
        end = end_of_period(start, period, start_counts=False)
        groups = period_groups(start, end, start_counts=False, source=version.source)
        for moved_question, moved_answer, day, all_groups in _weekend(task, end, groups):
            stage = _stage(task, version, start, period, all_groups, day)
            track = Track(day, (stage,), notification=day).answered(question, answer)
            tracks.append(track.answered(moved_question, moved_answer))
    return tracks


def _receipt(task: Task, version: Version, start: date) -> list[Track]:
    return [Track(start, (_stage(task, version, start, None, (), start),), notification=start)]


def _date(task: Task, version: Version, start: date) -> list[Track]:
    _no_period(task, version)
    found = _weekend(task, start, ())
    return [
        Track(day, (_stage(task, version, start, None, groups, day),)).answered(question, answer)
        for question, answer, day, groups in found
    ]


def _workdays(task: Task, version: Version, start: date) -> list[Track]:
    _no_period(task, version)
    assert version.workdays is not None
    tracks: list[Track] = []
    for question, answer in _saturdays(task.rule):
        why_free = _why_free(task.calendar, saturday_counts=answer != "free")
        end, groups = workday_groups(start, version.workdays, why_free, version.source)
        for moved_question, moved_answer, day, all_groups in _weekend(task, end, groups):
            stage = _stage(task, version, start, None, all_groups, day)
            track = Track(day, (stage,)).answered(question, answer).answered(moved_question, moved_answer)
            tracks.append(track)
    return tracks


def _saturdays(rule: Rule) -> list[tuple[str | None, str]]:
    return _answers(rule.saturday, ("counts", "free"), SATURDAY_OPTIONS)


def _why_free(calendar: Calendar, *, saturday_counts: bool) -> Callable[[date], Text | None]:
    """Return why a day is no working day in the sense of a rule, holidays on Saturdays included."""

    def why(day: date) -> Text | None:
        if saturday_counts and day.weekday() == SATURDAY:
            return calendar.holiday(day)
        return calendar.rest_day(day)

    return why


def _next_month(task: Task, version: Version, start: date) -> list[Track]:
    _no_period(task, version)
    first = add_period(start.replace(day=1), Period(months=1))
    tracks: list[Track] = []
    for question, answer in _saturdays(task.rule):
        why_free = _why_free(task.calendar, saturday_counts=answer != "free")
        groups: list[DayGroup] = []
        day = first
        following = days_after(first)
        while (reason := why_free(day)) is not None:
            groups.append(DayGroup(DayKind.SKIPPED, day, day, reason, version.source))
            day = next(following)
        working = Text("erster Arbeitstag des Monats", "first working day of the month")
        groups.append(DayGroup(DayKind.COUNTED, day, day, working, version.source))
        tracks.append(
            Track(day, (_stage(task, version, start, None, groups, day),)).answered(question, answer)
        )
    return tracks


def _after_year(task: Task, version: Version, start: date) -> list[Track]:
    _no_period(task, version)
    case = task.rule.case(start, None, False)
    assert case is not None
    assert case.period is not None
    new_year = add_period(start.replace(month=1, day=1), Period(years=1))
    rest = Text("Rest des Kalenderjahres, nicht mitgerechnet", "rest of the calendar year, not counted")
    end = end_of_period(new_year, case.period, start_counts=True)
    groups = (
        DayGroup(DayKind.NOT_COUNTED, start, new_year - DAY, rest, version.source),
        *period_groups(new_year, end, start_counts=True, source=version.source),
    )
    return [
        Track(day, (_stage(task, version, start, case.period, all_groups, day),)).answered(question, answer)
        for question, answer, day, all_groups in _weekend(task, end, groups)
    ]


def _no_period(task: Task, version: Version) -> None:
    if task.period is not None:
        raise PeriodNotAllowedError(
            f"{version.source} fixes the day, so no period can be named", hint="leave the period out"
        )


def _hours(task: Task, start: date | datetime) -> list[Track]:
    if not isinstance(start, datetime):
        raise UnsuitableStartError(
            f"a period in hours needs a time of day, not only {start}",
            hint=f"write for example {start}T09:30",
        )
    zone = zone_of(task.calendar.zone)
    local = start.astimezone(zone)
    version = task.rule.version(local.date())
    period = task.period
    if period is None:
        raise NoFigureError(f"{version.source} gives no figure, so a period has to be named", hint="PT48H")
    if period.total_days or period.total_months or not period.has_time:
        raise UnsuitablePeriodError(f"{period} is no period in hours", hint="write for example PT48H")
    full = start
    if local.minute or local.second or local.microsecond:
        begun = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        full = start - begun + timedelta(hours=1)
    tracks: list[Track] = []
    for answer, begin in zip(HOUR_OPTIONS, (start, full), strict=True):
        moment = add_period(begin, period).astimezone(UTC)
        end = moment.astimezone(zone).date()
        reason = Text(
            "alle Stunden zählen, auch an Sonn- und Feiertagen und Sonnabenden",
            "every hour counts, on Sundays, holidays and Saturdays as well",
        )
        groups = (DayGroup(DayKind.COUNTED, local.date(), end, reason, version.source),)
        stage = _stage(task, version, local, period, groups, end)
        tracks.append(Track(end, (stage,), moment=moment).answered(task.rule.counts, answer))
    return tracks


_BY_KIND: Mapping[How, Callable[[Task, Version, date], list[Track]]] = {
    How.PERIOD: _period,
    How.PROMPTLY: _period,
    How.NOTIFICATION: _notification,
    How.RECEIPT: _receipt,
    How.DATE: _date,
    How.WORKDAYS: _workdays,
    How.NEXT_MONTH_WORKDAY: _next_month,
    How.AFTER_CALENDAR_YEAR: _after_year,
}

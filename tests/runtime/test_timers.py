"""Timers: due instants, revisions, cycles without drift, deadlines that are not known yet."""

from datetime import UTC, datetime

import pytest

from engine.runtime import FireTimer, ItemKind, RearmTimer, StaleTimerError
from tests.runtime.play import Play


def _due(timer: str, now: datetime, **data: object) -> datetime | None:
    play = Play(f'start s -> t\ncatch t "timer={timer}" -> a\nuser a')
    play.now = now
    return play.start(**data).item("t").due


def test_calendar_and_real_time() -> None:
    winter = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)
    assert _due("P1M", winter) == datetime(2026, 2, 28, 9, 0, tzinfo=UTC)
    before_summer = datetime(2026, 3, 28, 9, 0, tzinfo=UTC)
    assert _due("P1D", before_summer) == datetime(2026, 3, 29, 8, 0, tzinfo=UTC)
    assert _due("PT24H", before_summer) == datetime(2026, 3, 29, 9, 0, tzinfo=UTC)


def test_monthly_cycle_does_not_drift() -> None:
    play = Play("start s -> a\nuser a\nboundary t on=a timer=R3/P1M alongside -> b\nuser b")
    play.now = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)
    play.start()
    seen = []
    while ItemKind.TIMER in {item.kind for item in play.open.values()}:
        seen.append(play.item("t").due)
        play.fire("t")
    assert seen == [
        datetime(2026, 2, 28, 9, 0, tzinfo=UTC),
        datetime(2026, 3, 31, 8, 0, tzinfo=UTC),
        datetime(2026, 4, 30, 8, 0, tzinfo=UTC),
    ]


def test_stale_revisions_and_early_calls_do_not_fire() -> None:
    play = Play("start s -> a\nuser a\nboundary t on=a timer=R/PT1H alongside -> b\nuser b").start()
    item = play.item("t")
    with pytest.raises(StaleTimerError, match="due at"):
        play.do(FireTimer(item.id, item.revision))
    play.fire("t")
    assert play.item("t").id == item.id
    assert play.item("t").revision == 1
    play.turn("P1D")
    with pytest.raises(StaleTimerError, match="revision"):
        play.do(FireTimer(item.id, 0))


def test_an_unknown_deadline_is_unarmed_until_it_is_known() -> None:
    play = Play(
        'start s -> t\ncatch t "timer=date:${deadline(1)}" -> a\nuser a',
        functions={"deadline": lambda _: None},
    ).start()
    item = play.item("t")
    assert item.due is None
    with pytest.raises(StaleTimerError, match="no due instant"):
        play.do(FireTimer(item.id, item.revision))
    due = datetime(2026, 5, 1, tzinfo=UTC)
    (changed,) = play.do(RearmTimer(item.id, due)).changed
    assert (changed.due, changed.revision) == (due, 1)
    with pytest.raises(StaleTimerError):
        play.do(FireTimer(item.id, 0))
    play.fire("t")
    assert play.elements() == ["a"]


def test_functions_handed_in_give_instants() -> None:
    play = Play(
        'start s -> t\ncatch t "timer=date:${deadline(days)}" -> a\nuser a',
        functions={"deadline": lambda days: f"2026-04-{10 + int(days)}"},
    ).start(days=3)
    assert play.item("t").due == datetime(2026, 4, 12, 22, 0, tzinfo=UTC)

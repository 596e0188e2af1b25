"""When a timer that begins cases is due: at one instant or many, counted from a reference and from 1."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.deadlines.iso import ZONE, Cycle, add_period, parse_cycle, parse_instant, parse_period

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Plan:
    """A timer's kind as BPMN names it (``timeDate``, ``timeDuration``, ``timeCycle``), and its ISO 8601 text.

    Every method raises IsoTextError where the text is none of the kind, OutOfCalendarError where an instant
    lies beyond the year 9999.
    """

    kind: str
    value: str
    zone: str = ZONE

    def nth(self, reference: datetime, n: int) -> datetime | None:
        """Return the n-th due instant (UTC), durations counted from ``reference``; None after the last."""
        if self.kind == "timeCycle":
            return self._cycle.nth(reference, n)
        if n > 1:
            return None
        if self.kind == "timeDate":
            return parse_instant(self.value, self.zone)
        return add_period(reference, parse_period(self.value), self.zone)

    def until(self, reference: datetime, instant: datetime) -> int:
        """Return how many due instants lie at or before ``instant``."""
        if self.kind == "timeCycle":
            return self._cycle.until(reference, instant)
        only = self.nth(reference, 1)
        return int(only is not None and only <= instant)

    def first(self, reference: datetime) -> int:
        """Return the number of the first due instant that is not before ``reference``.

        There may be none of that number: ``nth`` tells.
        """
        return self.until(reference, reference - _TICK) + 1

    @property
    def _cycle(self) -> Cycle:
        return parse_cycle(self.value, self.zone)

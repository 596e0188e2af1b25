"""The one clock. All instants are aware datetimes in UTC."""

from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

LOCAL_ZONE = ZoneInfo("Europe/Berlin")
"""Where days begin and end for people, letters and mailboxes."""


class Clock(Protocol):
    """Tells the instant, in UTC."""

    def now(self) -> datetime:
        """Return the present instant as an aware datetime in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the machine's present instant in UTC."""
        return datetime.now(UTC)


class TurnedClock:
    """A clock that stands still until it is turned; for tests, training and simulation."""

    def __init__(self, instant: datetime) -> None:
        """Start at ``instant``, an aware datetime in any zone."""
        self._instant = instant.astimezone(UTC)

    def now(self) -> datetime:
        """Return the instant the clock was last turned to."""
        return self._instant

    def turn(self, by: timedelta) -> None:
        """Move the clock by ``by``, which may be negative."""
        self._instant += by

    def set(self, instant: datetime) -> None:
        """Put the clock to ``instant``, an aware datetime in any zone."""
        self._instant = instant.astimezone(UTC)


def local_day(instant: datetime) -> date:
    """Return the day on which an instant falls here: mailboxes open and end on local days."""
    return instant.astimezone(LOCAL_ZONE).date()

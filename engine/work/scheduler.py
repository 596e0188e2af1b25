"""One wake-up, held by APScheduler, at the next due instant."""

import threading
from datetime import UTC, datetime

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger

_JOB = "next-due"


class Wakeup:
    """Sets an event at the instant it was last given; earlier instants replace later ones."""

    def __init__(self, event: threading.Event) -> None:
        """Start the scheduler; ``event`` is what the work loop waits for."""
        self._event = event
        # misfire_grace_time None: a wake-up that the machine slept through is late, never lost.
        self._scheduler = BackgroundScheduler(timezone=UTC, job_defaults={"misfire_grace_time": None})
        self._scheduler.start()

    def at(self, instant: datetime | None) -> None:
        """Wake at ``instant`` (aware); None takes the wake-up back."""
        if instant is None:
            if self._scheduler.get_job(_JOB):
                self._scheduler.remove_job(_JOB)
            return
        self._scheduler.add_job(
            self._event.set, DateTrigger(run_date=instant), id=_JOB, replace_existing=True
        )

    def close(self) -> None:
        """Stop the scheduler's thread."""
        self._scheduler.shutdown(wait=False)

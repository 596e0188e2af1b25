"""What the global options decided; the installation is opened when a command first needs it."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from cli.errors import CommandLineError
from engine.errors import NotAllowedError

if TYPE_CHECKING:
    from engine.actor import Actor
    from engine.clock import Clock
    from engine.service.installation import Installation


class InstantRefusedError(CommandLineError):
    """This is no instant."""


class NobodyActsError(NotAllowedError):
    """It is not said who acts."""


@dataclass
class State:
    """Global options of one call."""

    home: Path | None
    person: str | None
    at: str | None

    @cached_property
    def folder(self) -> Path:
        """The installation's folder."""
        from engine.service.settings import default_home

        return self.home or default_home()

    @cached_property
    def app(self) -> "Installation":
        """The installation, opened at the first use."""
        from engine.service.installation import open_installation

        return open_installation(self.folder, clock=self.clock)

    @property
    def clock(self) -> "Clock":
        """The machine's clock, or one that stands at ``--at``; local time where no offset is written."""
        from engine.clock import SystemClock, TurnedClock
        from engine.deadlines.errors import IsoTextError, OutOfCalendarError
        from engine.deadlines.iso import typed_instant

        if self.at is None:
            return SystemClock()
        try:
            return TurnedClock(typed_instant(self.at))
        except (IsoTextError, OutOfCalendarError) as error:
            raise InstantRefusedError(
                f"--at: {error.message}", hint=error.hint or "write an instant like 2026-11-23T08:00+01:00"
            ) from error

    @property
    def actor(self) -> "Actor":
        """Who acts; raises NobodyActsError where neither ``--as`` nor the settings say so."""
        person = self.person or self.app.settings.person
        if person is None:
            raise NobodyActsError(
                "it is not said who acts", hint="add --as PERSON, or person = … to dienstweg.toml"
            )
        return self.app.actor(person)

    def close(self) -> None:
        """Give back what was opened."""
        if "app" in self.__dict__:
            self.app.close()

"""What the global options decided; the installation is opened when a command first needs it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import NotAllowedError, RefusedError

if TYPE_CHECKING:
    from engine.actor import Actor
    from engine.clock import Clock
    from engine.service.installation import Installation


class InstantRefusedError(RefusedError):
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
        """The machine's clock, or one that stands at ``--at``."""
        from engine.clock import SystemClock, TurnedClock

        if self.at is None:
            return SystemClock()
        try:
            instant = datetime.fromisoformat(self.at)
        except ValueError as error:
            raise InstantRefusedError(
                f"--at is {self.at!r}", hint="write an instant like 2026-11-23T08:00+01:00"
            ) from error
        return TurnedClock(instant if instant.tzinfo else instant.replace(tzinfo=UTC))

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

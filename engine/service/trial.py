"""Throw-away installations that know each other only through channels: for scenarios and training."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, runtime_checkable

from engine.actor import Actor
from engine.clock import TurnedClock
from engine.definitions.checker import Sandbox
from engine.definitions.package import ProcedurePackage
from engine.errors import RefusedError
from engine.exchange.decision import POST
from engine.exchange.ports import Mailbox, split_channel
from engine.service.directory.authorities import import_authorities, seed_authorities
from engine.service.directory.mailboxes import add_mailbox
from engine.service.directory.people import add_person
from engine.service.installation import Installation, create_installation, open_installation
from engine.service.migration.switching import Switch, switch
from engine.service.procedures import deploy

PERSON = "clerk"


class TrialRefusedError(RefusedError):
    """This channel cannot be tried out in throw-away installations."""


@runtime_checkable
class TrialCarrier(Protocol):
    """A carrier that can make mailboxes in a folder, for scenarios and training."""

    def trial_mailbox(
        self, authority_id: str, payload: str, folder: Path, partners: Sequence[str]
    ) -> Mailbox:
        """Open a mailbox for ``authority_id`` below ``folder``, which all installations of a trial share."""
        ...


@dataclass
class Side:
    """One authority with an installation of its own."""

    app: Installation
    actor: Actor
    role: str


def open_sides(
    folder: Path,
    package: ProcedurePackage,
    authorities: Mapping[str, str],
    channel: str,
    clock: TurnedClock,
    databases: Mapping[str, str] = MappingProxyType({}),
    sandbox: Sandbox | None = None,
) -> dict[str, Side]:
    """Make one installation a role below ``folder``, with the procedure deployed and ``channel`` in force.

    ``authorities`` maps roles to authority keys, ``databases`` roles to URLs of empty databases; by default
    every installation has its own SQLite file. ``sandbox`` may be one that runs already. Raises
    TrialRefusedError for a channel that has no trial mailboxes, and whatever deploying refuses.
    """
    sides: dict[str, Side] = {}
    for number, (role, authority) in enumerate(authorities.items()):
        sides[role] = _open_side(folder / role, f"T{number}", role, authority, clock, databases.get(role, ""))
    with nullcontext(sandbox) if sandbox is not None else Sandbox() as box:
        for side in sides.values():
            deploy(side.app, side.actor, package, sandbox=box)
    for side in sides.values():
        for authority in authorities.values():
            partners = [other for other in authorities.values() if other != authority]
            _introduce(side, authority, channel, folder / "exchange", partners)
        if channel != POST:
            switch(side.app, side.actor, Switch(channel, reason="trial"))
    return sides


def _open_side(
    home: Path, code: str, role: str, authority: str, clock: TurnedClock, database_url: str
) -> Side:
    def prepare(app: Installation) -> None:
        seed_authorities(app, [authority])
        add_person(
            app,
            person_id=PERSON,
            name=f"Sachbearbeitung {role}",
            authority=authority,
            roles=["admin", "clerk", "analyst"],
            by=None,
        )

    create_installation(home, code, person=PERSON, prepare=prepare, database_url=database_url)
    app = open_installation(home, clock=clock)
    return Side(app, app.actor(PERSON), role)


def _introduce(side: Side, authority: str, channel: str, exchange: Path, partners: Sequence[str]) -> None:
    """Tell an installation where an authority lives and which mailbox it has."""
    address = ["Rathausplatz 1", "66000 Musterstadt"]
    import_authorities(side.app, side.actor, [{"id": authority, "address": address}])
    if channel == POST:
        return
    payload, name = split_channel(channel)
    carrier = side.app.adapters.carrier(name)
    if not isinstance(carrier, TrialCarrier):
        raise TrialRefusedError(
            f"channel {channel} cannot be tried out in throw-away installations",
            hint="play the scenario on letter+post or xdomea+folder",
        )
    add_mailbox(side.app, side.actor, carrier.trial_mailbox(authority, payload, exchange, partners))


def begin_clock(instant: datetime) -> TurnedClock:
    """Return the clock that all installations of one trial share."""
    return TurnedClock(instant)

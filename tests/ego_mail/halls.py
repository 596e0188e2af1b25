"""Two town halls that reach each other through a running intermediary alone, as their settings files say."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlalchemy import select

from engine.clock import TurnedClock
from engine.definitions.package import ProcedurePackage, load_package
from engine.exchange.ports import Party
from engine.service import tasks
from engine.service.directory.mailboxes import add_mailbox
from engine.service.installation import open_installation
from engine.service.migration.switching import Switch, switch
from engine.service.trial import Side, open_sides
from engine.service.work import run_until_idle
from processes.bpmn import shipped
from tests.checking import sandbox
from tests.contracts.samples import HOMBURG, SAARBRUECKEN
from tests.ego_mail.conftest import CHANNEL, World

PARTIES = {"requesting": SAARBRUECKEN, "enforcing": HOMBURG}
REFUSAL = {"pruefung": {"annahme": "nein", "grund": "Die Schuldnerin ist nach Neunkirchen verzogen."}}


@dataclass
class Halls:
    sides: dict[str, Side]

    def work(self) -> None:
        while not all(run_until_idle(side.app).nothing for side in self.sides.values()):
            pass

    def complete(self, role: str, name: str, data: dict[str, Any]) -> None:
        side = self.sides[role]
        task = next(t for t in tasks.list_tasks(side.app, side.actor) if t.name == name)
        tasks.complete_task(side.app, side.actor, task.id, data)
        self.work()

    def rows(self, role: str, table: Any) -> list[dict[str, Any]]:
        with self.sides[role].app.read() as tx:
            return [dict(row) for row in tx.execute(select(table)).mappings()]


def configure(world: World, side: Side, party: Party, more: str = "") -> Side:
    """Write the carrier's table into the settings file and open the installation with it."""
    home, keys = side.app.settings.home, world.home(party)
    own = world.settings(party, trust=str(keys / "trust"), tls_ca=str(keys / "trust" / "ca.pem"))
    table = {**own, "senders": str(keys / "senders")}
    lines = ["[adapters.ego_mail]"]
    lines += [f'{key} = "{value}"' for key, value in table.items() if isinstance(value, str)]
    lines = [line.replace('= "osci-', f'= "{keys}/osci-') for line in lines]
    lines += ["timeout = 20", f"[adapters.ego_mail.keys.{party.authority_id}]"]
    lines += [f'signature = "{keys}/signature.p12"', f'cipher = "{keys}/cipher.p12"']
    lines += ['password_env = "TEST_KEY_PASSWORD"']
    with (home / "dienstweg.toml").open("a", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n" + more)
    side.app.close()
    app = open_installation(home, clock=world.clock)
    return Side(app, app.actor("clerk"), side.role)


def written_package(folder: Path) -> ProcedurePackage:
    """Copy the procedure below ``folder``, with the request in written form."""
    source = next(each for each in shipped() if each.name == "vollstreckungshilfe")
    copy = folder / "package" / "vollstreckungshilfe"
    shutil.copytree(Path(str(source)), copy)
    model = copy / "vollstreckungshilfe.bpmn"
    text = model.read_text(encoding="utf-8")
    model.write_text(text.replace('dw:form="confidential"', 'dw:form="written"', 1), encoding="utf-8")
    return load_package(copy)


@contextmanager
def open_halls(
    world: World,
    folder: Path,
    *,
    channel: str = CHANNEL,
    package: ProcedurePackage | None = None,
    toml: str = "",
    databases: Mapping[str, str] = MappingProxyType({}),
    **mailbox: Any,
) -> Iterator[Halls]:
    """Open both installations below ``folder``, switched to eGo-MAIL.

    ``toml`` is more for the settings files, ``mailbox`` what is different in the mailboxes.
    """
    package = package or next(load_package(it) for it in shipped() if it.name == "vollstreckungshilfe")
    clock: TurnedClock = world.clock
    roles = {role: party.authority_id for role, party in PARTIES.items()}
    made = open_sides(folder, package, roles, "letter+post", clock, databases, sandbox())
    sides = {role: configure(world, side, PARTIES[role], toml) for role, side in made.items()}
    for side in sides.values():
        for party in PARTIES.values():
            box = world.mailbox(party, channel=channel, **mailbox)
            add_mailbox(side.app, side.actor, box)
        switch(side.app, side.actor, Switch(channel, reason="test"))
    yield Halls(sides)
    for side in sides.values():
        side.app.close()

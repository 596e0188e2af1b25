"""Two town halls in throw-away installations: real SQLite files, real adapters, one turned clock."""

import copy
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.clock import TurnedClock
from engine.definitions.package import ProcedurePackage, load_package
from engine.exchange.ports import FormClass, Mailbox
from engine.service import tasks
from engine.service.cases import CaseLine, start_case
from engine.service.directory.mailboxes import add_mailbox
from engine.service.migration.switching import Switch, switch
from engine.service.trial import Side, open_sides
from engine.service.work import run_until_idle
from processes.bpmn import shipped
from tests.checking import sandbox
from tests.enforcement import REQUEST

_ALONE = "DIENSTWEG_TESTS_ALONE"


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run tests that fork in a process of their own.

    typst keeps a pool of threads once it has set a letter. A fork does not bring them along: a child of
    a process that has set one would wait for them for ever.
    """
    if pyfuncitem.get_closest_marker("forks") is None or os.environ.get(_ALONE):
        return None
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", pyfuncitem.nodeid]
    done = subprocess.run(
        command,
        cwd=pyfuncitem.config.rootpath,
        env={**os.environ, _ALONE: "1"},
        capture_output=True,
        text=True,
        timeout=1500,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return True


NOON = datetime(2026, 3, 2, 11, tzinfo=UTC)
SAARBRUECKEN, HOMBURG = "10041100", "10045114"
XDOMEA = "xdomea+folder"

REFUSAL = {"pruefung": {"annahme": "nein", "grund": "Die Schuldnerin ist nach Neunkirchen verzogen."}}


@pytest.fixture(scope="session")
def package() -> ProcedurePackage:
    return next(load_package(folder) for folder in shipped() if folder.name == "vollstreckungshilfe")


@dataclass
class Halls:
    """Both sides of the procedure, and what tests do with them again and again."""

    sides: dict[str, Side]
    clock: TurnedClock
    folder: Path

    @property
    def sb(self) -> Side:
        return self.sides["requesting"]

    @property
    def hom(self) -> Side:
        return self.sides["enforcing"]

    def work(self) -> None:
        while not all(run_until_idle(side.app).nothing for side in self.sides.values()):
            pass

    def turn(self, **by: float) -> None:
        self.clock.turn(timedelta(**by))
        self.work()

    def request(self, **changes: object) -> CaseLine:
        """Begin a case in Saarbrücken and send its request on its way."""
        case = start_case(self.sb.app, self.sb.actor, "vollstreckungshilfe")
        self.complete(self.sb, "Ersuchen erfassen", {**copy.deepcopy(REQUEST), **changes})
        return case

    def task(self, side: Side, name: str) -> tasks.TaskLine:
        found = [t for t in tasks.list_tasks(side.app, side.actor, limit=500) if name in (t.name, t.kind)]
        assert found, f"no open task {name!r}"
        return found[-1]

    def complete(self, side: Side, name: str, data: object = None) -> tasks.TaskLine:
        return tasks.complete_task(side.app, side.actor, self.task(side, name).id, data or {})

    def mailbox_folder(self, authority: str, sender: str) -> Path:
        return self.folder / "exchange" / authority / sender

    def go_electronic(self) -> None:
        for side in self.sides.values():
            for owner, sender in ((SAARBRUECKEN, HOMBURG), (HOMBURG, SAARBRUECKEN)):
                self.mailbox_folder(owner, sender).mkdir(parents=True, exist_ok=True)
                mailbox = Mailbox(
                    authority_id=owner,
                    channel=XDOMEA,
                    address=str(self.folder / "exchange" / owner),
                    valid_from=NOON.date(),
                    form_classes=(FormClass.NONE, FormClass.CONFIDENTIAL),
                    settings={"senders": "subfolders"},
                )
                add_mailbox(side.app, side.actor, mailbox)
            switch(side.app, side.actor, Switch(XDOMEA, reason="test"))


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """Which database the installations have; tests are parametrised over it with ``indirect``."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def halls(
    tmp_path: Path, package: ProcedurePackage, database: str, request: pytest.FixtureRequest
) -> Iterator[Halls]:
    clock = TurnedClock(NOON)
    roles = {"requesting": SAARBRUECKEN, "enforcing": HOMBURG}
    databases = {}
    if database == "postgresql":
        postgres = request.getfixturevalue("postgres")
        databases = {role: postgres.fresh() for role in roles}
    sides = open_sides(tmp_path, package, roles, "letter+post", clock, databases, sandbox())
    yield Halls(sides, clock, tmp_path)
    for side in sides.values():
        side.app.close()


@pytest.fixture
def electronic(halls: Halls) -> Halls:
    halls.go_electronic()
    return halls

"""The worker is killed at each point between a signature and its dispatch: once, whole, never unsigned."""

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, select

from adapters.ego_mail.intermediary.tables import delivery
from engine.exchange.signers import ROLE
from engine.service.verifying import verify_installation
from engine.store.tables import arrival_parts, dispatch_parts, evidence, facts, history
from engine.work.embedded import LEASE
from tests.ego_mail.conftest import World
from tests.ego_mail.test_written import Office, opened
from tests.signatures.people import Issuer

ROOT = Path(__file__).parents[2]


def stored(world: World) -> int:
    """Count what the intermediary has taken for delivery, or has delivered."""
    engine = create_engine(f"sqlite:///{world.folder}/intermediary/intermediary.sqlite3")
    with engine.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(delivery)) or 0)


def die(world: World, office: Office, point: str, *task: str | Path) -> None:
    """Let a process do its work until ``point``, and time pass until its work may be taken up."""
    home, now = office.side.app.settings.home, world.clock.now().isoformat()
    call = [sys.executable, "-m", "tests.ego_mail.mortal_clerk", home, now, point, *task]
    done = subprocess.run([str(it) for it in call], cwd=ROOT, capture_output=True, text=True, check=False)
    wanted = 0 if point == "never" else -signal.SIGKILL
    assert done.returncode == wanted, done.stderr[-4000:]
    world.clock.turn(2 * LEASE)


POINTS = (
    ("assembled", "prepared", 0),
    ("prepared", "prepared", 0),
    ("sending", "sending", 0),
    ("transmitted", "sending", 1),
    ("recorded", "handed_over", 1),
)
"""Where the worker dies, what the dispatch is then, and how many messages have left."""


@pytest.mark.parametrize(
    "points",
    [
        pytest.param(POINTS[3:4], id="between sending and recording"),
        pytest.param(POINTS, id="at each point", marks=pytest.mark.long),
    ],
)
def test_killed_it_goes_once_and_signed(
    world: World, tmp_path: Path, points: Sequence[tuple[str, str, int]]
) -> None:
    issuer = Issuer()
    with opened(world, tmp_path, issuer) as office:
        office.ask()
        files = office.sign(issuer.issue("Jutta Groß"))
        task = office.task().id

        die(world, office, "signed", task, *files)
        assert office.dispatch()["state"] == "awaiting_signature"
        assert office.halls.rows("requesting", evidence) == []
        die(world, office, "never", task, *files)
        for point, state, sent in points:
            die(world, office, point)
            assert (office.dispatch()["state"], stored(world)) == (state, sent), point

        office.halls.work()
        (arrival,) = office.arrived()
        assert (arrival["status"], arrival["assurance"], arrival["remarks"]) == ("started", "signature", [])
        frozen = {file.with_suffix("").name for file in files}
        whole = Counter([*frozen, *(file.name for file in files)])
        came = [row for row in office.halls.rows("enforcing", arrival_parts) if row["role"] != "evidence"]
        assert Counter(row["name"] for row in came) == whole
        rows = office.halls.rows
        assert Counter(row["name"] for row in rows("requesting", dispatch_parts)) == whole
        kept = [row["name"] for row in rows("requesting", evidence) if row["kind"] == ROLE]
        assert Counter(kept) == Counter([*(file.name for file in files), "Signaturen.txt"])
        assert [row["kind"] for row in rows("requesting", history)].count("signature") == 1
        known = Counter((row["dispatch_id"], row["kind"]) for row in rows("requesting", facts))
        assert set(known.values()) == {1}
        assert verify_installation(office.side.app).faults == ()

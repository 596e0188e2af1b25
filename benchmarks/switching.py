"""Switching every relation of the Saarland at once: what a dry run, a switch, a long list and a revert take."""

import random
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import insert, update

from benchmarks._bench import CLERK, NOON, installation
from benchmarks.approve import postgres
from benchmarks.result import Row
from engine.actor import Actor, Role
from engine.definitions.package import load_package
from engine.exchange.ports import FormClass
from engine.migration.scope import Scope
from engine.service.installation import Installation
from engine.service.migration.reverting import revert
from engine.service.migration.switching import Switch, Switched, preview, switch
from engine.store.tables import authorities, cases, mailboxes
from processes.bpmn import shipped

DESCRIPTION = "switching: 52 senders x 58 recipients x steps"
CHANNEL = "xdomea+folder"
PROCEDURE = "vollstreckungshilfe"
CASES = {"quick": 500, "full": 20_000}
LISTED = {"quick": 300, "full": 9_000}


def run(scale: str) -> list[Row]:
    rows = _measure("SQLite", "", scale)
    with postgres() as fresh:
        return [*rows, *_measure("PostgreSQL", fresh(), scale)]


def _measure(name: str, url: str, scale: str) -> list[Row]:
    package = next(load_package(folder) for folder in shipped() if folder.name == PROCEDURE)
    rows: list[Row] = []
    with installation(package, database_url=url) as (app, _), TemporaryDirectory() as folder:
        everybody, senders = _directory(app, Path(folder))
        _cases(app, senders, everybody, CASES[scale])
        actor = Actor(CLERK, senders[0], frozenset({Role.INSTALLATION}))

        pilot = Switch(CHANNEL, stage="pilot", share=10, reason="benchmark")
        spent, foreseen = _timed(lambda: preview(app, actor, pilot))
        relations, open_ = len(foreseen.effects.relations), len(foreseen.effects.cases)
        rows.append(Row(f"{name}: dry run, {relations:,} relations, {open_:,} open cases", spent, "s"))
        _turn(app)
        spent, done = _timed(lambda: switch(app, actor, pilot))
        rows.append(Row(f"{name}: pilot for {len(done.rules)} senders, the same relations", spent, "s"))
        _turn(app)
        spent, done = _timed(lambda: revert(app, actor, None, "benchmark"))
        rows.append(Row(f"{name}: revert of {len(done.ended)} rules", spent, "s"))

        scopes = _some_relations(senders, everybody, LISTED[scale])
        listed = Switch(CHANNEL, relations=scopes, reason="benchmark")
        _turn(app)
        spent, done = _timed(lambda: switch(app, actor, listed))
        rows.append(Row(f"{name}: list of {len(done.rules):,} relations, one rule each", spent, "s"))
        _turn(app)
        spent, done = _timed(lambda: revert(app, actor, None, "benchmark"))
        rows.append(Row(f"{name}: revert of {len(done.ended):,} rules", spent, "s"))
    return rows


def _timed(act: Callable[[], Switched]) -> tuple[float, Switched]:
    begun = time.perf_counter()
    found = act()
    return time.perf_counter() - begun, found


def _turn(app: Installation) -> None:
    app.clock.turn(timedelta(minutes=1))  # type: ignore[attr-defined]


def _directory(app: Installation, folder: Path) -> tuple[list[str], list[str]]:
    """Let the installation work for every municipality, and open a mailbox for everybody."""
    with app.write() as tx:
        municipality = authorities.c.kind == "municipality"
        tx.execute(update(authorities).where(municipality).values(own=True))
        tx.execute(
            update(authorities).values(
                address=["Rathausplatz 1", "66000 Musterstadt"], valid_from=NOON.date()
            )
        )
        everybody = sorted(tx.scalars(authorities.select().with_only_columns(authorities.c.id)))
        senders = sorted(
            tx.scalars(authorities.select().with_only_columns(authorities.c.id).where(municipality))
        )
        rows = []
        for authority in everybody:
            (folder / authority).mkdir()
            rows.append(
                {
                    "id": f"box-{authority}",
                    "authority_id": authority,
                    "channel": CHANNEL,
                    "address": str(folder / authority),
                    "valid_from": NOON.date(),
                    "formats": ["application/pdf"],
                    "form_classes": [form.value for form in FormClass],
                    "accepts_test": True,
                    "settings": {},
                }
            )
        tx.execute(insert(mailboxes), rows)
    return everybody, senders


def _cases(app: Installation, senders: list[str], everybody: list[str], count: int) -> None:
    source = random.Random(1)
    rows = []
    for number in range(count):
        sender = source.choice(senders)
        partner = source.choice([one for one in everybody if one != sender])
        rows.append(
            {
                "id": f"case-{number}",
                "authority_id": sender,
                "procedure_key": PROCEDURE,
                "version_id": "none",
                "process_id": "none",
                "title": "benchmark",
                "own_reference": f"BM-{number}",
                "partner_id": partner,
                "status": "open",
                "started_at": NOON,
                "started_by": CLERK,
            }
        )
    with app.write() as tx:
        tx.execute(insert(cases), rows)


def _some_relations(senders: list[str], everybody: list[str], count: int) -> list[Scope]:
    every = [
        Scope(PROCEDURE, step, sender, recipient)
        for sender in senders
        for recipient in everybody
        if sender != recipient
        for step in ("Send_Ersuchen", "Send_Erinnerung", "Send_Antwort")
    ]
    return random.Random(2).sample(every, min(count, len(every)))

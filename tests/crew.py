"""Processes of their own that work on one installation, for tests of what happens between them.

``python -m tests.crew HOME complete TASK``   complete one task when a line comes in; tell what came of it
``python -m tests.crew HOME mill SEED``       work loop and random clerk until no case is open
"""

import random
import sys
import threading
import time
from pathlib import Path

from sqlalchemy import func, select

from engine.errors import ConflictError, NotFoundError
from engine.service.installation import Installation, open_installation
from engine.service.tasks import complete_task
from engine.service.work import run_forever
from engine.store.tables import cases, tasks

PERSON = "clerk"


def complete(app: Installation, task: str) -> None:
    actor = app.actor(PERSON)
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        complete_task(app, actor, task, {"by": "me"})
    except ConflictError as error:
        print(f"lost: {error}", flush=True)
    else:
        print("won", flush=True)


def mill(app: Installation, seed: int) -> None:
    source, actor = random.Random(seed), app.actor(PERSON)
    stop = threading.Event()
    loop = threading.Thread(target=run_forever, args=(app, stop, 2))
    loop.start()
    try:
        while _open_cases(app):
            for task in _some_tasks(app, source):
                try:
                    complete_task(app, actor, task, {"by": seed})
                except (ConflictError, NotFoundError):
                    continue
            time.sleep(0.02)
    finally:
        stop.set()
        app.queue.added.set()
        loop.join()


def _open_cases(app: Installation) -> int:
    with app.read() as tx:
        return int(tx.scalar(select(func.count()).select_from(cases).where(cases.c.status == "open")) or 0)


def _some_tasks(app: Installation, source: random.Random) -> list[str]:
    with app.read() as tx:
        found = [row.id for row in tx.execute(select(tasks.c.id).where(tasks.c.status == "open").limit(40))]
    return source.sample(found, min(3, len(found)))


if __name__ == "__main__":
    installation = open_installation(Path(sys.argv[1]))
    try:
        if sys.argv[2] == "complete":
            complete(installation, sys.argv[3])
        else:
            mill(installation, int(sys.argv[3]))
    finally:
        installation.close()

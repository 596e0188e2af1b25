"""A process that works for an installation and dies at one of the points that ``Installation.probe`` names.

``python -m tests.ego_mail.mortal_clerk HOME INSTANT POINT [TASK FILE...]``: completes the task with the
files, or else works until nothing is due; killed, as in a power cut, when it comes to POINT (``never``).
"""

import os
import signal
import sys
from datetime import datetime
from pathlib import Path

from engine.clock import TurnedClock
from engine.service import tasks
from engine.service.installation import open_installation
from engine.service.work import run_until_idle


def main(home: Path, instant: str, fatal: str, task: str | None, files: list[Path]) -> None:
    def probe(point: str) -> None:
        if point == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    app = open_installation(home, clock=TurnedClock(datetime.fromisoformat(instant)))
    app.probe = probe
    if task is None:
        run_until_idle(app)
    else:
        tasks.complete_task(app, app.actor("clerk"), task, None, files)
    app.close()


if __name__ == "__main__":
    main(
        Path(sys.argv[1]),
        sys.argv[2],
        sys.argv[3],
        next(iter(sys.argv[4:]), None),
        [*map(Path, sys.argv[5:])],
    )

"""``dienstweg demo``: a true story with real parts, told in about a minute."""

import os
import shutil
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from engine.errors import RefusedError

app = typer.Typer()

MARKER = ".dienstweg-demo"


class Way(StrEnum):
    """The electronic ways."""

    EGO_MAIL = "ego-mail"
    FOLDER = "folder"


class DemoFolderRefusedError(RefusedError):
    """The folder holds something that is not a demo's."""


class DemoElsewhereError(RefusedError):
    """The environment sends what the demo stores somewhere else."""


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where the demo's installations are made.")] = Path(
        "demo-data"
    ),
    electronic: Annotated[
        Way | None,
        typer.Option(help="How the second half travels; default ego-mail, where its parts are installed."),
    ] = None,
) -> None:
    """Play one procedure between two authorities: first by post, then electronically.

    By eGo-MAIL the messages go through a trial intermediary on this host, with TLS and keys made on the spot.
    """
    from cli.demo_story import Story
    from cli.demo_ways import choose

    refuse_other_stores()
    make_folder(folder)
    story = Story(folder, datetime.now(UTC), choose(electronic.value if electronic else None))
    try:
        story.tell()
    finally:
        story.close()


def refuse_other_stores() -> None:
    """Raise DemoElsewhereError where the demo would write into somebody's real database or documents."""
    stores = ("DIENSTWEG_DATABASE_URL", "DIENSTWEG_DOCUMENTS", "DIENSTWEG_S3")
    if found := sorted(name for name in os.environ if name.upper().startswith(stores)):
        raise DemoElsewhereError(
            f"{', '.join(found)} is set, and the demo would store its inventions there",
            hint="unset it for the demo, which keeps everything in its folder",
        )


def make_folder(folder: Path) -> None:
    """Make the demo's folder anew; raise DemoFolderRefusedError where it holds anything but a demo."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARKER).exists():
        raise DemoFolderRefusedError(
            f"{folder} is not empty and no earlier demo made it", hint="name another one with --folder"
        )
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / MARKER).write_text("made by 'dienstweg demo', which may delete it\n", encoding="utf-8")

"""Writing stored files out into a folder, for people and other programs; nothing is overwritten."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import RefusedError

if TYPE_CHECKING:
    pass


class NotWrittenError(RefusedError):
    """Files cannot be written out."""


def write_out(named: Sequence[tuple[str, Path]], folder: Path) -> list[Path]:
    """Copy files, given by the name they get and their place, into ``folder``; return where they lie.

    Raises NotWrittenError; where one of them is there already, none is written.
    """
    targets = [folder / name for name, _ in named]
    there = [path for path in targets if path.exists()]
    if there:
        raise NotWrittenError(f"{there[0]} is there already", hint="choose an empty folder with --out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for (_, source), target in zip(named, targets, strict=True):
            shutil.copyfile(source, target)
    except OSError as error:
        raise NotWrittenError(f"cannot write to {folder}: {error.strerror}") from error
    return targets

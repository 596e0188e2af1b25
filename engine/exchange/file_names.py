"""File names that survive mail clients, content ids and file systems."""

import re
from collections.abc import Iterable

_UNSAFE = re.compile(r"[^\w.()+=,-]+")
_LENGTH = 120


def safe_names(names: Iterable[str]) -> list[str]:
    """Return names that can travel as content ids and lie on disk, each one once.

    >>> safe_names(["Bescheid 1.pdf", "../a/b.pdf", "Bescheid 1.pdf"])
    ['Bescheid_1.pdf', 'b.pdf', '2_Bescheid_1.pdf']
    """
    found: list[str] = []
    for number, name in enumerate(names, start=1):
        last = re.split(r"[/\\]", name)[-1]
        stem, dot, suffix = _UNSAFE.sub("_", last).strip("._").rpartition(".")
        safe = f"{stem[:_LENGTH]}{dot}{suffix[:16]}" or f"Datei_{number}"
        while safe.casefold() in {each.casefold() for each in found}:
            safe = f"{number - 1}_{safe}"
        found.append(safe)
    return found

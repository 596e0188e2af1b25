"""One dispatch in several messages, where one message may not hold it: which file travels in which."""

from collections.abc import Sequence

from engine.exchange.ports import Part
from engine.exchange.signers import ROLE, SUFFIX


def split(parts: Sequence[Part], limit: int) -> list[list[Part]]:
    """Return the parts of each message, in order, none above ``limit`` bytes.

    Signatures stay with their file. A file that is too large by itself has a message of its own: the caller
    refuses it.
    """
    messages: list[list[Part]] = []
    room = 0
    for unit in _units(parts):
        size = sum(size_of(part) for part in unit)
        if not messages or size > room:
            messages.append([])
            room = limit
        messages[-1] += unit
        room -= size
    return messages


def size_of(part: Part) -> int:
    """Return a part's size in bytes."""
    return part.path.stat().st_size


def _units(parts: Sequence[Part]) -> list[list[Part]]:
    signatures = [part for part in parts if part.role == ROLE]
    return [
        [part, *(it for it in signatures if _over(it.name, part.name))] for part in parts if part.role != ROLE
    ]


def _over(signature: str, name: str) -> bool:
    """Tell whether a signature is named after a file: ``Brief.pdf.p7s``, ``Brief.pdf.2.p7s``."""
    between = signature.removeprefix(name).removesuffix(SUFFIX)
    return f"{name}{between}{SUFFIX}" == signature and (not between or between[1:].isdigit())

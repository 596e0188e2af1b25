"""The nesting matrix: container × inner container × content × event position, each with what must hold.

The expectations do not come from the runtime: a content reaches its ``mark`` exactly once a run, a container
runs what is inside it a known number of times, and an event position says what it takes away or adds.
"""

from collections.abc import Iterator
from dataclasses import dataclass

CONTENTS = {
    "user": ["user a -> mark"],
    "manual": ["manual a -> mark"],
    "service": ["service a -> mark"],
    "receive": ["receive a message=In -> mark"],
    "send": ["send a message=Out -> mark"],
    "timer": ["catch a timer=PT1H -> mark"],
    "message": ["catch a message=In -> mark"],
    "signal": ["catch a signal=Sig -> mark"],
    "condition": ["catch a cond=True -> mark"],
    "throw-signal": ["throw a signal=Sig -> mark"],
    "all-of-them": ["catch a message=In signal=Sig all -> mark"],
    "exclusive": [
        "user a -> g",
        "xor g -> b if False, c default",
        "user b -> m",
        "user c -> m",
        "xor m -> mark",
    ],
    "parallel": ["and f -> a, b", "user a -> j", "service b -> j", "and j -> mark"],
    "inclusive": [
        "or f -> a if True, b if False, c if True",
        "user a -> j",
        "user b -> j",
        "user c -> j",
        "or j -> mark",
    ],
    "race": ["race r -> a, b", "catch a message=In -> m", "catch b timer=PT2H -> m", "xor m -> mark"],
    "link": ["user a -> t", "throw t link=L", "catch l link=L -> mark"],
    "terminate": [
        "sub q -> mark",
        "    and f -> a, b",
        "    user a -> x",
        "    receive b message=Never",
        "    end x terminate",
    ],
    "error": ["sub q", "    user a -> x", "    end x error=Oops", "boundary bq on=q error=Oops -> mark"],
    "escalation": [
        "sub q -> mark",
        "    user a -> x",
        "    end x escalation=Up",
        "boundary bq on=q escalation=Up alongside -> d",
        "user d",
    ],
    "work-error": ["sub q -> mark", "    service a", "    boundary bq on=a timer=P50D -> y", "    user y"],
    "compensation": [
        "user a -> t",
        "boundary ba on=a compensate=ua",
        "user ua undo",
        "throw t compensate=a -> mark",
    ],
    "multi-task": ["user a multi=parallel count=3 -> mark"],
    "sequential-task": ["user a multi=sequential count=2 -> mark"],
    "loop-task": ["user a loop=True max=2 -> mark"],
    "inner-event-sub": [
        "user a -> mark",
        "esub i",
        "    start is message=Inner alongside -> ia",
        "    user ia",
    ],
    "empty-sub": ["sub q -> mark"],
}
"""Content → drawing; every one of them reaches ``mark`` once."""

TIMES = {
    "sub": 1,
    "tx": 1,
    "call": 1,
    "adhoc": 1,
    "multi": 2,
    "sequential": 2,
    "loop": 2,
    "esub": 1,
    "multi-call": 2,
}
"""Container → how often it runs what is inside."""

HEADS = {
    "sub": "sub {id}",
    "tx": "tx {id}",
    "adhoc": "adhoc {id}",
    "multi": "sub {id} multi=parallel count=2",
    "sequential": "sub {id} multi=sequential count=2",
    "loop": "sub {id} loop=True max=2",
    "call": "call {id} process=Called_{id}",
    "multi-call": "call {id} process=Called_{id} multi=parallel count=2",
}

POSITIONS = ("none", "interrupting", "alongside", "esub", "esub-alongside", "terminate")
"""Where an event stands: on the outer container, in an event sub-process inside it, or beside it."""


@dataclass(frozen=True)
class Cell:
    """One combination."""

    outer: str
    inner: str | None
    content: str
    position: str

    @property
    def name(self) -> str:
        """The combination in words."""
        return "/".join(part for part in (self.outer, self.inner, self.content, self.position) if part)

    @property
    def marks(self) -> int:
        """How often the content's end is reached when nothing interrupts."""
        return TIMES[self.outer] * (TIMES[self.inner] if self.inner else 1)


def cells() -> Iterator[Cell]:
    """Yield all combinations that BPMN allows."""
    for outer in TIMES:
        for content in CONTENTS:
            for position in POSITIONS:
                if _possible(outer, position):
                    yield Cell(outer, None, content, position)
        for inner in TIMES:
            for content in (
                "user",
                "parallel",
                "inclusive",
                "timer",
                "race",
                "error",
                "compensation",
                "multi-task",
            ):
                for position in POSITIONS:
                    if _possible(outer, position):
                        yield Cell(outer, inner, content, position)


def _possible(outer: str, position: str) -> bool:
    if outer == "esub":
        return position in ("none", "terminate")
    if outer in ("adhoc", "multi-call"):
        return not position.startswith("esub")
    return True


def drawing(cell: Cell) -> tuple[str, dict[str, str]]:
    """Return the main process and the called ones."""
    called: dict[str, str] = {}
    lines = [*CONTENTS[cell.content], 'script mark code="seen = 1"']
    if cell.inner is not None:
        lines = _wrapped(cell.inner, "Q", lines, called, after="")
    lines = _wrapped(cell.outer, "P", lines, called, after=" -> after", position=cell.position)
    top = ["start s -> " + ("open" if cell.outer == "esub" else "P")]
    if cell.position == "terminate":
        top = [
            "start s -> split",
            "and split -> " + ("open" if cell.outer == "esub" else "P") + ", kill",
            "receive kill message=Kill -> killed",
            "end killed terminate",
        ]
    if cell.outer == "esub":
        lines += ["user open -> after"]
    if cell.position == "interrupting":
        lines += ["boundary late on=P message=Stop -> taken", "user taken"]
    if cell.position == "alongside":
        lines += ["boundary late on=P message=Stop alongside -> taken", "user taken"]
    return "\n".join([*top, *lines, "user after"]), called


def _wrapped(
    kind: str, name: str, lines: list[str], called: dict[str, str], *, after: str, position: str = "none"
) -> list[str]:
    inside = list(lines)
    if position.startswith("esub"):
        beside = " alongside" if position == "esub-alongside" else ""
        inside += ["esub E", f"    start es message=Stop{beside} -> taken", "    user taken"]
    if kind == "esub":
        head = [
            f"esub {name}",
            f"    start {name}s message=Begin{name} alongside -> {name}r",
            f"    task {name}r -> {name}b",
        ]
        body = [f"    sub {name}b", *("        " + line for line in inside)]
        listening = [] if name == "P" else [f"user {name}w"]
        return [*head, *body, *listening]
    first = HEADS[kind].format(id=name) + after
    if kind.endswith("call"):
        called[f"Called_{name}"] = "\n".join(inside)
        return [first]
    return [first, *("    " + line for line in inside)]

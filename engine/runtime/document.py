"""The case document: JSON text without the model, finished work spliced out.

Its size follows what is open. Data are written as patches over frames (engine/runtime/data.py), and only
frames that two or more readers share are kept. Lists keep their order; nothing depends on the order of keys.
``state_format`` numbers the shape; ``upgrades.py`` turns older shapes into this one.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from engine.runtime.api import ItemKind, Json
from engine.runtime.case import Case
from engine.runtime.compensation import Plan
from engine.runtime.data import Data, Frame, patch_between
from engine.runtime.errors import DataRefusedError, StateUnreadableError
from engine.runtime.services import Services
from engine.runtime.specs import Program
from engine.runtime.tokens import Inside, Record, Scope, Token, Wait
from engine.runtime.upgrades import STATE_FORMAT, upgraded
from engine.runtime.waiting import note

Document = dict[str, Any]

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


# --- writing ---------------------------------------------------------------------------------------------


def dump(case: Case) -> str:
    """Return the case as text."""
    if case.over:
        return _text({**_head(case), "over": True})
    writer = _Writer(case)
    return _text(
        {
            **_head(case),
            "rounds": case.rounds,
            "correlation": case.correlation,
            "frames": writer.frames(),
            "scopes": [writer.scope(scope) for scope in writer.scopes],
            "tokens": [writer.token(token) for token in case.tokens.values()],
            "waits": [writer.wait(wait) for wait in case.open_waits.values()],
        }
    )


def _head(case: Case) -> Document:
    return {
        "state_format": STATE_FORMAT,
        "process": case.program.process_id,
        "ids": case.prefix,
        "number": case.number,
    }


def _text(document: Document) -> str:
    try:
        return _ENCODER.encode(document)
    except (TypeError, ValueError) as error:
        raise DataRefusedError(f"the case's data are not JSON: {error}") from error


class _Writer:
    """Writes one case; knows which frames are shared."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.scopes: list[Scope] = [case, *case.subprocesses.values()]
        self.kept = _shared_frames(case, self.scopes)

    def anchor(self, frame: Frame) -> Frame:
        """Return the nearest frame at or above ``frame`` that is written."""
        while id(frame) not in self.kept and frame.up is not None:
            frame = frame.up
        return frame

    def frames(self) -> list[Document]:
        rows = []
        for frame, number in self.kept.values():
            row: Document = {"n": number}
            base: Data = {}
            if frame.up is not None:
                up = self.anchor(frame.up)
                row["up"] = self.kept[id(up)][1]
                base = up.data
            _put_patch(row, base, frame.data)
            rows.append(row)
        return rows

    def data(self, row: Document, frame: Frame, data: Data) -> None:
        anchor = self.anchor(frame)
        row["frame"] = self.kept[id(anchor)][1]
        _put_patch(row, anchor.data, data)

    def scope(self, scope: Scope) -> Document:
        row: Document = {"owner": 0 if scope.owner is None else scope.owner.id}
        self.data(row, scope.frame, scope.data)
        if scope.objects:
            row["objects"] = scope.objects
        if scope.memory:
            row["memory"] = scope.memory
        if scope.sent:
            row["sent"] = scope.sent
        if scope.arrivals:
            row["arrivals"] = {name: [token.id for token in found] for name, found in scope.arrivals.items()}
        if scope.records:
            row["records"] = self.records(scope.records)
        if scope.plans:
            row["plans"] = [
                {
                    "n": plan.number,
                    "thrower": plan.thrower,
                    "records": self.records(plan.records),
                    **({"outwards": True} if plan.outwards else {}),
                }
                for plan in scope.plans.values()
            ]
        return row

    def records(self, records: Iterable[Record]) -> list[Document]:
        rows = []
        for record in records:
            row: Document = {"at": record.element}
            if record.index is not None:
                row["index"] = record.index
            self.data(row, record.frame, record.data)
            if record.inner is not None:
                row["inner"] = self.records(record.inner)
            if record.inside is not None:
                row["inside"] = _inside_row(record.inside, record.data)
            rows.append(row)
        return rows

    def token(self, token: Token) -> Document:
        owner = token.scope.owner
        row: Document = {"n": token.id, "at": token.element.name, "state": token._state}
        if owner is not None:
            row["in"] = owner.id
        self.data(row, token.frame, token.data)
        if token.flow is not None:
            row["flow"] = token.flow
        if token._parent is not None:
            row["holder"] = token._parent
        if token.index is not None:
            row["index"] = token.index
        if token.local:
            row["local"] = token.local
        if token.memory:
            row["memory"] = token.memory
        if token.item is not None:
            row["item"] = token.item
        if token.sent:
            row["sent"] = sorted(token.sent)
        if token.records is not None:
            row["records"] = self.records(token.records)
        if token.inside is not None:
            row["inside"] = _inside_row(token.inside, token.data)
        if token.origin is not None:
            row["origin"] = token.origin
        return row

    def wait(self, wait: Wait) -> Document:
        row: Document = {"n": wait.number, "kind": wait.kind.value, "at": wait.element.name}
        if wait.token is not None:
            row["token"] = wait.token.id
        elif wait.scope.owner is not None:
            row["in"] = wait.scope.owner.id
        if wait.due is not None:
            row["due"] = wait.due.isoformat()
        for name in _PLAIN_FIELDS:
            value = getattr(wait, name)
            if value:
                row[name] = value
        return row


_PLAIN_FIELDS = (
    "trigger",
    "event",
    "revision",
    "expression",
    "cycle",
    "correlation",
    "answers",
    "error",
    "true",
)


def _inside_row(inside: Inside, base: Data) -> Document:
    row: Document = {}
    _put_patch(row, base, inside.data)
    if inside.objects:
        row["objects"] = inside.objects
    return row


def _put_patch(row: Document, base: Data, data: Data) -> None:
    patch = patch_between(base, data)
    if patch.values:
        row["set"] = patch.values
    if patch.removed:
        row["del"] = list(patch.removed)


def _shared_frames(case: Case, scopes: list[Scope]) -> dict[int, tuple[Frame, int]]:
    """Return the frames to write, numbered, parents before children."""
    count: dict[int, int] = {}
    found: dict[int, Frame] = {}

    def refer(frame: Frame | None, weight: int) -> None:
        while frame is not None:
            key = id(frame)
            known = count.get(key)
            if known is not None:
                count[key] = known + weight
                return
            count[key] = weight
            found[key] = frame
            frame, weight = frame.up, 1

    for scope in scopes:
        refer(scope.frame, 2)
        for plan in scope.plans.values():
            _refer_records(plan.records, refer)
        _refer_records(scope.records, refer)
    for token in case.tokens.values():
        refer(token.frame, 1)
        if token.records is not None:
            _refer_records(token.records, refer)
    kept = [frame for key, frame in found.items() if count[key] > 1 or frame.up is None]
    kept.sort(key=lambda frame: frame.depth)
    return {id(frame): (frame, number) for number, frame in enumerate(kept, 1)}


def _refer_records(records: Iterable[Record], refer: Any) -> None:
    for record in records:
        refer(record.frame, 1)
        if record.inner is not None:
            _refer_records(record.inner, refer)


# --- reading ---------------------------------------------------------------------------------------------


def load(program: Program, text: str, services: Services) -> Case:
    """Return the case that ``text`` describes; raise StateUnreadableError."""
    try:
        document: Document = upgraded(json.loads(text))
        case = Case(program, services, document["ids"])
        case.number = document["number"]
        case.over = document.get("over", False)
        if not case.over:
            _Reader(case, document).read()
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise StateUnreadableError(
            f"the case document cannot be read: {type(error).__name__} {error}",
            hint="it was written for another version of the procedure, or damaged",
        ) from error
    return case


class _Reader:
    """Reads one case."""

    def __init__(self, case: Case, document: Document) -> None:
        self.case = case
        self.document = document
        self.frames: dict[int, Frame] = {}
        self.homes: dict[int, Scope] = {0: case}

    def read(self) -> None:
        case, document = self.case, self.document
        case.rounds = document["rounds"]
        case.correlation = document["correlation"]
        for row in document["frames"]:
            up = self.frames[row["up"]] if "up" in row else None
            self.frames[row["n"]] = Frame(up, _patched({} if up is None else up.data, row))
        rows = {row["owner"]: row for row in document["scopes"]}
        self.scope(case, rows[0])
        for row in document["tokens"]:
            token = self.token(row)
            inside = rows.get(token.id)
            if inside is not None:
                self.open(token, inside)
        for scope in self.homes.values():
            self.arrivals(scope, rows[0 if scope.owner is None else scope.owner.id])
        for row in document["waits"]:
            self.wait(row)

    def data(self, row: Document) -> tuple[Data, Frame]:
        frame = self.frames[row["frame"]]
        return _patched(frame.data, row), frame

    def open(self, owner: Token, row: Document) -> None:
        element = owner.element
        spec = element.inside_spec(self.case)
        from engine.runtime.tokens import InnerScope

        scope = InnerScope(self.case, spec, owner, {}, None)
        owner.child = scope
        self.case.subprocesses[owner.id] = scope
        self.homes[owner.id] = scope
        self.scope(scope, row)

    def scope(self, scope: Scope, row: Document) -> None:
        if scope is self.case:
            scope.begin(scope, None, {}, None)
        scope.data, scope.frame = self.data(row)
        scope.objects = row.get("objects", {})
        scope.memory = row.get("memory", {})
        scope.sent = row.get("sent", {})
        scope.records = self.records(row.get("records", ()))
        for plan in row.get("plans", ()):
            records = self.records(plan["records"])
            outwards = plan.get("outwards", False)
            scope.plans[plan["n"]] = Plan(plan["n"], plan["thrower"], records, outwards=outwards)

    def records(self, rows: Iterable[Document]) -> list[Record]:
        found = []
        for row in rows:
            data, frame = self.data(row)
            inner = self.records(row["inner"]) if "inner" in row else None
            found.append(Record(row["at"], row.get("index"), data, frame, inner, _inside(row, data)))
        return found

    def token(self, row: Document) -> Token:
        scope = self.homes[row.get("in", 0)]
        data, frame = self.data(row)
        holder = scope.tasks[row["holder"]] if "holder" in row else None
        token = Token(
            scope,
            scope.spec.task_specs[row["at"]],
            row["n"],
            data,
            frame,
            flow=row.get("flow"),
            holder=holder,
            index=row.get("index"),
            sent=frozenset(row["sent"]) if "sent" in row else frozenset(),
            state=row["state"],
        )
        token.local = row.get("local", {})
        token.memory = row.get("memory", {})
        token.item = row.get("item")
        if "records" in row:
            token.records = self.records(row["records"])
        token.inside = _inside(row, data)
        token.origin = row.get("origin")
        self.case.tokens[token.id] = token
        return token

    def arrivals(self, scope: Scope, row: Document) -> None:
        for name, numbers in row.get("arrivals", {}).items():
            scope.arrivals[name] = [scope.tasks[number] for number in numbers]

    def wait(self, row: Document) -> None:
        case = self.case
        token = case.tokens[row["token"]] if "token" in row else None
        scope = self.homes[row.get("in", 0)] if token is None else token.scope
        if token is None:
            element = next(sub.start for sub in scope.spec.event_subs if sub.start.name == row["at"])
        else:
            element = scope.spec.task_specs[row["at"]]
        wait = Wait(row["n"], ItemKind(row["kind"]), element, scope, token)
        if "due" in row:
            wait.due = datetime.fromisoformat(row["due"])
        for name in _PLAIN_FIELDS:
            if name in row:
                setattr(wait, name, row[name])
        note(case, wait)


def _inside(row: Document, base: Data) -> Inside | None:
    if "inside" not in row:
        return None
    return Inside(_patched(base, row["inside"]), row["inside"].get("objects", {}))


def _patched(base: Data, row: Document) -> Data:
    data = dict(base)
    changes: Json = row.get("set")
    if changes:
        data.update(changes)
    for name in row.get("del", ()):
        data.pop(name, None)
    return data

"""Figures from before there was a history: imported from files, marked as such, replaced by their source."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, insert, select, update

from engine.actor import Actor, Role
from engine.errors import ConflictError, EnvironmentFaultError, NotFoundError, RefusedError
from engine.migration.event_logs import is_event_log, read_xes
from engine.migration.ledger import month_of
from engine.migration.volume_files import read_csv
from engine.migration.volume_rows import UNKNOWN, ColumnMap, Fault, Progress, Tally, level_of
from engine.service.access import require
from engine.service.migration.scope import senders
from engine.service.migration.volume_words import Words, load_words
from engine.store.tables import audit, imported_volumes, volume_imports

if TYPE_CHECKING:
    from engine.service.installation import Installation

MAX_RELATIONS = 2_000_000
"""Most relations × months of one file."""
_SHOWN = 5


class VolumesRefusedError(RefusedError):
    """Some lines could not be understood; nothing was imported."""

    def __init__(self, plan: "Plan") -> None:
        """Keep what would have been imported."""
        self.plan = plan
        first = "; ".join(f"line {f.line}: {f.message}" for f in plan.faults[:_SHOWN])
        super().__init__(
            f"{plan.fault_count} lines could not be understood: {first}",
            hint="mend them, or import the others with --skip-faults",
        )


class FiguresRefusedError(RefusedError):
    """The file gives no figures, or more than one import takes."""


class AlreadyCountedError(ConflictError):
    """Another import has figures for the same relation and month."""


class ImportUnknownError(NotFoundError):
    """There is no such import."""


class FileMissingError(EnvironmentFaultError):
    """The file cannot be read."""


Cell = tuple[str, str, str, str, str, str]
"""Sender, procedure, element, recipient, month, level."""


@dataclass(frozen=True, slots=True)
class Order:
    """What shall be imported, and how."""

    file: Path
    mapping: ColumnMap = field(default_factory=ColumnMap)
    source: str = ""
    """Name of where the figures come from; default the file's name. The same source replaces itself."""
    skip_faults: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import comes to."""

    source: str
    cells: Mapping[Cell, int]
    faults: Sequence[Fault]
    """The first ones."""
    fault_count: int
    left_out: Mapping[str, int]
    """What is no send, e.g. other activities of a log."""
    notes: Sequence[str]
    replaces: int | None
    """How many exchanges the same source had before; None: it is new."""
    unchanged: bool
    """True where exactly this was imported already: nothing is done."""
    imported: bool = False
    unclear: Mapping[str, int] = field(default_factory=dict)
    """Texts of channels that were not understood → exchanges."""

    @property
    def counted(self) -> int:
        """How many exchanges."""
        return sum(self.cells.values())

    def by_step(self) -> dict[tuple[str, str], int]:
        """Return exchanges by procedure and step."""
        return dict(self._sums(lambda cell: cell[1:3]))

    def by_level(self) -> dict[str, int]:
        """Return exchanges by evidence level; ``?`` where the channel was not understood."""
        return dict(self._sums(lambda cell: cell[5]))

    def months(self) -> tuple[str, str]:
        """Return the first and the last month."""
        found = [cell[4] for cell in self.cells]
        return min(found), max(found)

    def _sums(self, key: Any) -> Counter[Any]:
        sums: Counter[Any] = Counter()
        for cell, count in self.cells.items():
            sums[key(cell)] += count
        return sums


def import_volumes(
    app: "Installation", actor: Actor, order: Order, progress: Progress = lambda _bytes: None
) -> Plan:
    """Import the figures of a file, or only say what that would come to (``dry_run``).

    All or nothing: a line that cannot be understood refuses the file unless ``skip_faults``. The same source
    again replaces what it gave before; the same content again changes nothing. In months in which a sender
    has exchanges of its own in a step, its imported figures of that step do not count.

    Raises VolumesRefusedError, FiguresRefusedError, AlreadyCountedError, VolumeFileRefusedError,
    MappingRefusedError, FileMissingError, RoleMissingError.
    """
    require(actor, Role.ADMIN, Role.INSTALLATION)
    digest = _digest(order)
    with app.read() as tx:
        words = load_words(app, tx, actor)
        earlier = _in_force(tx, actor, _source(order))
    tally = Tally()
    cells = _cells(order, words, tally, progress, month_of(app.clock.now()))
    plan = Plan(
        source=_source(order),
        cells=cells,
        faults=tally.faults,
        fault_count=tally.fault_count,
        left_out=tally.left_out,
        notes=tally.notes,
        replaces=earlier["counted"] if earlier else None,
        unchanged=earlier is not None and earlier["sha256"] == digest,
        unclear=tally.unclear,
    )
    if order.dry_run or plan.unchanged:
        return plan
    if plan.fault_count and not order.skip_faults:
        raise VolumesRefusedError(plan)
    if not cells:
        raise FiguresRefusedError(
            "the file gives no figures",
            where=order.file.name,
            hint="try --dry-run: it says what was left out",
        )
    _keep(app, actor, order, plan, digest)
    return replace(plan, imported=True)


def _source(order: Order) -> str:
    return (order.source or order.file.name)[:120]


def _digest(order: Order) -> str:
    """Return a hex SHA-256 over the file and how it is read."""
    try:
        with order.file.open("rb") as source:
            content = hashlib.file_digest(source, "sha256").hexdigest()
    except OSError as error:
        raise FileMissingError(f"cannot read {order.file}: {error.strerror}") from error
    mapping = repr(sorted(order.mapping.to_json().items()))
    return hashlib.sha256(f"{content}\n{mapping}\n{order.skip_faults}".encode()).hexdigest()


def _cells(order: Order, words: Words, tally: Tally, progress: Progress, latest: str) -> dict[Cell, int]:
    """Add up what the file says; nothing was sent yet after the month ``latest``."""
    read = read_xes if is_event_log(order.file) else read_csv
    cells: Counter[Cell] = Counter()
    for row in read(order.file, order.mapping, tally, progress):
        understood = words.understand(row, tally)
        if understood is None:
            continue
        if row.month > latest:
            tally.fault(row.line, "month", f"{row.month} is yet to come")
            continue
        sender, procedure, element, recipient = understood
        channel = row.texts.get("channel", "")
        level = level_of(channel)
        if level == UNKNOWN:
            tally.unexplained(channel, row.count)
        cells[sender, procedure, element, recipient, row.month, level] += row.count
        if len(cells) > MAX_RELATIONS:
            raise FiguresRefusedError(
                f"more than {MAX_RELATIONS} relations and months",
                where=order.file.name,
                hint="split it by year",
            )
    return dict(cells)


def _keep(app: "Installation", actor: Actor, order: Order, plan: Plan, digest: str) -> None:
    now = app.clock.now()
    import_id = str(app.ids.new())
    details = {"source": plan.source, "file": order.file.name, "counted": plan.counted}
    with app.write() as tx:
        _replace(tx, actor, plan.source, now)
        _refuse_overlap(tx, plan)
        tx.execute(
            insert(volume_imports).values(
                id=import_id,
                authority_id=actor.authority_id,
                source=plan.source,
                file_name=order.file.name,
                sha256=digest,
                mapping=order.mapping.to_json(),
                counted=plan.counted,
                left_out=plan.fault_count,
                imported_at=now,
                imported_by=actor.person_id,
            )
        )
        for rows in _batches(import_id, plan.cells):
            tx.execute(insert(imported_volumes), rows)
        _audit(app, tx, actor, "migration.volumes.import", details)


def _batches(import_id: str, cells: Mapping[Cell, int]) -> Iterator[list[dict[str, Any]]]:
    names = ("authority_id", "procedure_key", "element_id", "recipient_id", "month", "level")
    rows = (
        {"import_id": import_id, **dict(zip(names, cell, strict=True)), "count": count}
        for cell, count in sorted(cells.items())
    )
    while batch := list(islice(rows, 5_000)):
        yield batch


def _refuse_overlap(tx: Connection, plan: Plan) -> None:
    """Refuse figures for a relation and month that another import has: they would count twice."""
    known: dict[tuple[str, ...], str] = {}
    for sender in sorted({cell[0] for cell in plan.cells}):
        rows = tx.execute(
            select(imported_volumes, volume_imports.c.source)
            .join(volume_imports, volume_imports.c.id == imported_volumes.c.import_id)
            .where(imported_volumes.c.authority_id == sender)
        )
        for row in rows:
            key = (row.authority_id, row.procedure_key, row.element_id, row.recipient_id, row.month)
            known[key] = row.source
    for cell in plan.cells:
        if cell[:5] in known:
            sender, procedure, element, recipient, month = cell[:5]
            raise AlreadyCountedError(
                f"{known[cell[:5]]!r} has figures already for {procedure} {element} from {sender} to "
                f"{recipient} in {month}",
                hint="import with the same --source to replace them, or remove them first",
            )


def _in_force(tx: Connection, actor: Actor, source: str) -> Mapping[str, Any] | None:
    row = (
        tx.execute(
            select(volume_imports).where(
                volume_imports.c.authority_id == actor.authority_id,
                volume_imports.c.source == source,
                volume_imports.c.replaced_at.is_(None),
            )
        )
        .mappings()
        .one_or_none()
    )
    return dict(row) if row is not None else None


def _replace(tx: Connection, actor: Actor, source: str, now: datetime) -> bool:
    """Take back what the source gave before; the import itself stays as history."""
    earlier = _in_force(tx, actor, source)
    if earlier is None:
        return False
    tx.execute(delete(imported_volumes).where(imported_volumes.c.import_id == earlier["id"]))
    tx.execute(update(volume_imports).where(volume_imports.c.id == earlier["id"]).values(replaced_at=now))
    return True


def remove_import(app: "Installation", actor: Actor, source: str) -> None:
    """Take back the figures of a source; raises ImportUnknownError, RoleMissingError."""
    require(actor, Role.ADMIN, Role.INSTALLATION)
    with app.write() as tx:
        if not _replace(tx, actor, source, app.clock.now()):
            raise ImportUnknownError(
                f"there are no figures of source {source!r}",
                hint="'dienstweg migration volumes list' shows which there are",
            )
        _audit(app, tx, actor, "migration.volumes.remove", {"source": source})


@dataclass(frozen=True, slots=True)
class Import:
    """One import; ``replaced_at`` tells that a later one, or a removal, took its place."""

    source: str
    file_name: str
    counted: int
    left_out: int
    imported_at: datetime
    imported_by: str
    replaced_at: datetime | None


def list_imports(app: "Installation", actor: Actor) -> list[Import]:
    """Return the imports of the authorities whose sends the actor may see, newest first.

    Raises RoleMissingError.
    """
    with app.read() as tx:
        rows = tx.execute(
            select(volume_imports)
            .where(volume_imports.c.authority_id.in_(senders(tx, actor)))
            .order_by(volume_imports.c.imported_at.desc(), volume_imports.c.id)
        ).mappings()
        return [Import(**{name: row[name] for name in Import.__dataclass_fields__}) for row in rows]


def _audit(
    app: "Installation", tx: Connection, actor: Actor, action: str, details: Mapping[str, Any]
) -> None:
    tx.execute(
        insert(audit).values(
            id=str(app.ids.new()),
            authority_id=actor.authority_id,
            at=app.clock.now(),
            actor=actor.person_id,
            action=action,
            details=dict(details),
        )
    )

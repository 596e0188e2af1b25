"""Figures from event logs in XES (IEEE 1849), as process mining tools write them; read as a stream.

A log knows cases (traces) and events with attributes; which of them is a send is a matter of mapping.
"""

import gzip
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from lxml import etree

from engine.definitions.xml import UnreadableFileError, refuse_doctype, split
from engine.migration.volume_rows import (
    FIELDS,
    ColumnMap,
    MappingRefusedError,
    Progress,
    Row,
    Tally,
    VolumeFileRefusedError,
)

MAX_BYTES = 4_000_000_000
"""Most bytes of XML that are read, unpacked."""
MAX_RATIO = 300
"""A gzip stream that unpacks to more than this many times its size is refused; logs reach about 40."""
MAX_ATTRIBUTES = 1_000
"""Most attributes of one case or event."""
_RATIO_FROM = 10_000_000
_CHUNK = 1 << 16
_HEAD = 1 << 20
ZONE = ZoneInfo("Europe/Berlin")
DEFAULTS = {"case": "concept:name", "time": "time:timestamp", "step": "concept:name"}
_VALUES = frozenset({"string", "date", "int", "float", "boolean", "id"})


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a field stands: the attribute, and whether in the event, the trace, or either."""

    attribute: str
    level: str | None

    def find(self, trace: Mapping[str, str], event: Mapping[str, str]) -> str | None:
        if self.level == "trace":
            return trace.get(self.attribute)
        if self.level == "event":
            return event.get(self.attribute)
        return event.get(self.attribute, trace.get(self.attribute))


def read_xes(path: Path, mapping: ColumnMap, tally: Tally, progress: Progress) -> Iterator[Row]:
    """Yield one row a send: an event whose step is known, or each case once where the step is a constant.

    A step is known where ``mapping.values`` translates it; other activities are left out and counted.
    Of an event's life cycle only ``complete`` counts. Raises VolumeFileRefusedError, MappingRefusedError.
    """
    sources = _sources(mapping)
    per_case = "step" in mapping.constants and "step" not in mapping.columns
    if not per_case and "step" not in mapping.values:
        raise MappingRefusedError(
            "it is not said which activities send something",
            hint="--value 'step:ACTIVITY=ELEMENT', or --set step=ELEMENT for one send a case",
        )
    for line, trace, events in _traces(path, progress):
        counted = [(line, events[0][1] if events else {})] if per_case else events
        for at, event in counted:
            row = _row(at, trace, event, sources, mapping, tally, per_case=per_case)
            if row is not None:
                yield row


def _sources(mapping: ColumnMap) -> Mapping[str, _Source]:
    wanted = {**DEFAULTS, **mapping.columns}
    if "month" in wanted or "count" in wanted:
        raise MappingRefusedError("a log has neither month nor count", hint="map time instead")
    for name in ("procedure", "recipient"):
        if name not in wanted and name not in mapping.constants:
            raise MappingRefusedError(
                f"it is not said what gives the {name}",
                hint=f"--map {name}=ATTRIBUTE, or --set {name}=KEY for the whole log",
            )
    found = {}
    for name, attribute in wanted.items():
        level, slash, key = attribute.partition("/")
        inside = level if slash and level in ("trace", "event") else None
        found[name] = _Source(key if inside else attribute, inside)
    if "case" not in mapping.columns:
        found["case"] = _Source(DEFAULTS["case"], "trace")
    return found


def _row(
    line: int,
    trace: Mapping[str, str],
    event: Mapping[str, str],
    sources: Mapping[str, _Source],
    mapping: ColumnMap,
    tally: Tally,
    *,
    per_case: bool,
) -> Row | None:
    if not per_case:
        if event.get("lifecycle:transition", "complete").lower() != "complete":
            return None
        activity = sources["step"].find(trace, event) or ""
        if activity not in mapping.values["step"]:
            tally.leave_out(activity or "(no name)")
            return None
    instant = sources["time"].find(trace, event)
    month = _month(instant)
    if month is None:
        tally.fault(line, "time", f"{instant!r} is no instant of {sources['time'].attribute}")
        return None
    fields = {
        name: mapping.text(name, sources[name].find(trace, event) if name in sources else None)
        for name in FIELDS
        if not (per_case and name == "step")
    }
    return Row(line, month, {"step": mapping.constants.get("step", ""), **fields})


def _month(text: str | None) -> str | None:
    try:
        instant = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    local = instant.astimezone(ZONE) if instant.tzinfo else instant
    return f"{local:%Y-%m}" if 1990 <= local.year <= 2100 else None


Event = tuple[int, dict[str, str]]


def _traces(path: Path, progress: Progress) -> Iterator[tuple[int, dict[str, str], list[Event]]]:
    """Yield line, attributes and events of each trace; what was read is forgotten."""
    parser = etree.XMLPullParser(
        events=("start", "end"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    reader = _TraceReader(path.name)
    try:
        for number, chunk in enumerate(_chunks(path, progress)):
            if number == 0:
                refuse_doctype(chunk, path.name)
            parser.feed(chunk)
            yield from reader.read(parser)
        parser.close()
        yield from reader.read(parser)
    except etree.XMLSyntaxError as error:
        raise VolumeFileRefusedError(
            f"not well-formed XML: {error.msg}", where=path.name, hint="is it a XES file?"
        ) from error
    except UnreadableFileError as error:
        raise VolumeFileRefusedError(error.reason, where=error.where, hint=error.hint) from error


class _TraceReader:
    """Follows the parser; holds one trace at most."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.depth = 0
        self.trace: dict[str, str] | None = None
        self.event: dict[str, str] | None = None
        self.events: list[Event] = []

    def read(self, parser: Any) -> Iterator[tuple[int, dict[str, str], list[Event]]]:
        for kind, element in parser.read_events():
            _, name = split(element.tag)
            if kind == "start":
                self._begin(element, name)
                continue
            self.depth -= 1
            if name == "event" and self.event is not None:
                self.events.append((element.sourceline or 0, self.event))
                self.event = None
            elif name == "trace" and self.depth == 1 and self.trace is not None:
                yield element.sourceline or 0, self.trace, self.events
                self.trace, self.events = None, []
            if self.depth <= 3:
                _forget(element)

    def _begin(self, element: Any, name: str) -> None:
        self.depth += 1
        if self.depth == 1:
            if element.getroottree().docinfo.doctype:
                raise VolumeFileRefusedError("the file has a DOCTYPE", where=self.file)
            if name != "log":
                raise VolumeFileRefusedError(f"<{name}> is no event log", where=self.file, hint="is it XES?")
        elif name == "trace" and self.depth == 2:
            self.trace, self.events = {}, []
        elif name == "event" and self.depth == 3 and self.trace is not None:
            self.event = {}
        elif name in _VALUES:
            self._attribute(element)

    def _attribute(self, element: Any) -> None:
        """Keep an attribute of the trace (depth 3) or of the event (depth 4), not one of an attribute."""
        kept = self.event if self.depth == 4 else self.trace if self.depth == 3 else None
        if kept is None or (self.depth == 3 and self.event is not None):
            return
        if len(kept) >= MAX_ATTRIBUTES:
            raise VolumeFileRefusedError(
                f"a case or event has more than {MAX_ATTRIBUTES} attributes",
                where=f"{self.file}:{element.sourceline}",
            )
        kept[element.get("key", "")] = element.get("value", "")


def _forget(element: Any) -> None:
    """Give back what an element holds, and its older siblings."""
    element.clear()
    parent = element.getparent()
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]


def _chunks(path: Path, progress: Progress) -> Iterator[bytes]:
    """Yield the XML, unpacked where it is gzip; the first piece holds what comes before the root element."""
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        source: Any = gzip.GzipFile(fileobj=raw) if packed else raw
        total, told = 0, 0
        try:
            while chunk := source.read(_HEAD if total == 0 else _CHUNK):
                total += len(chunk)
                _limit(path, total, raw.tell(), packed=packed)
                progress(raw.tell() - told)
                told = raw.tell()
                yield chunk
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise VolumeFileRefusedError(f"the gzip stream is damaged: {error}", where=path.name) from error


def _limit(path: Path, total: int, read: int, *, packed: bool) -> None:
    if total > MAX_BYTES:
        raise VolumeFileRefusedError(
            f"the log is larger than {MAX_BYTES} bytes", where=path.name, hint="split it by year"
        )
    if packed and total > _RATIO_FROM and total > MAX_RATIO * read:
        raise VolumeFileRefusedError(
            f"the gzip stream unpacks to more than {MAX_RATIO} times its size", where=path.name
        )


def is_event_log(path: Path) -> bool:
    """Tell from the name whether a file is an event log, packed or not."""
    name = path.name.lower()
    return name.endswith((".xes", ".xes.gz", ".xml", ".xml.gz"))

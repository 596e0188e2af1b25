"""``dienstweg model check``: judge BPMN files before anything runs them."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from engine.errors import EnvironmentFaultError, NotFoundError, RefusedError

if TYPE_CHECKING:
    from engine.definitions.checker.findings import Finding, Report

_SUFFIXES = (".bpmn", ".bpmn2", ".bpmn20.xml")


class ModelFileMissingError(NotFoundError):
    """There is no such file or folder."""


class ModelFileUnreadableError(EnvironmentFaultError):
    """The file cannot be read from disk."""


class TwoFormatsError(RefusedError):
    """Only one format can be printed at a time."""


def check(files: Sequence[Path], json_: bool = False, sarif: bool = False) -> int:
    """Print what the checker says about ``files`` (folders: their .bpmn files); return the exit status.

    The status is 0 where all are accepted and 1 where at least one is refused, whatever the files hold.

    Raises:
        ModelFileMissingError: there is no such file, or a folder holds none.
        ModelFileUnreadableError: the disk or its permissions do not let it be read.
        TwoFormatsError: both formats were asked for.
    """
    from engine.definitions.checker.findings import sarif as sarif_log
    from engine.definitions.checker.sandbox import Sandbox

    if json_ and sarif:
        raise TwoFormatsError("--json and --sarif were both given", hint="choose one")
    paths = list(_expanded(files))
    with Sandbox() as sandbox:
        reports = []
        for path in paths:
            report = sandbox.check(_read(path), str(path))
            reports.append(report)
            if not (json_ or sarif):
                _show(report)
    if json_:
        _dump({"accepted": _all(reports), "files": [report.to_dict() for report in reports]})
    elif sarif:
        _dump(sarif_log(reports))
    elif len(reports) > 1:
        refused = sum(not report.accepted for report in reports)
        typer.echo(f"{len(reports)} files: {len(reports) - refused} accepted, {refused} refused")
    return 0 if _all(reports) else 1


def _all(reports: Sequence["Report"]) -> bool:
    return all(report.accepted for report in reports)


def _expanded(files: Sequence[Path]) -> Iterator[Path]:
    for path in files:
        if path.is_dir():
            inside = [
                item
                for item in sorted(path.rglob("*"))
                if item.name.lower().endswith(_SUFFIXES) and item.is_file()
            ]
            if not inside:
                raise ModelFileMissingError("the folder holds no .bpmn file", where=str(path))
            yield from inside
        elif path.exists():
            yield path
        else:
            raise ModelFileMissingError("there is no such file", where=str(path))


def _read(path: Path) -> bytes:
    from engine.definitions.xml import MAX_BYTES

    try:
        with path.open("rb") as source:
            return source.read(MAX_BYTES + 1)  # one more tells that it is too large
    except OSError as error:
        raise ModelFileUnreadableError(error.strerror or str(error), where=str(path)) from error


def _show(report: "Report") -> None:
    verdict = "accepted" if report.accepted else "refused"
    counts = f"{len(report.errors)} errors, {len(report.warnings)} warnings"
    typer.echo(_plain(f"{report.file}: {verdict} ({counts})"))
    for finding in report.findings:
        for line in _lines(finding):
            typer.echo(_plain(line))


def _lines(finding: "Finding") -> Iterator[str]:
    who = " ".join(part for part in (finding.element, f"“{finding.name}”" if finding.name else None) if part)
    place = f"  {finding.line}: " + (f"{who}: " if who else "")
    yield f"{place}{finding.severity} {finding.rule} ({finding.category})"
    yield f"      {finding.message}"
    yield f"      → {finding.hint}"


def _plain(text: str) -> str:
    """Return the text without what could drive a terminal: names come from strangers' files."""
    return "".join(char if char.isprintable() else " " if char in "\r\n\t" else "�" for char in text)


def _dump(value: object) -> None:
    import json

    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")

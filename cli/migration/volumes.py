"""``dienstweg migration volumes``: figures from before there was a history."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.show import Csv, Json, listing, plain, print_csv, print_json, table
from cli.state import State

if TYPE_CHECKING:
    from engine.migration.volume_rows import ColumnMap, Progress
    from engine.service.migration.volumes import Plan

app = typer.Typer()
volumes = typer.Typer(
    help="Figures from before there was a history: import, list, remove.", no_args_is_help=True
)
app.add_typer(volumes, name="volumes")

SHOWN = 20


@volumes.command("import")
def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV, or an event log in XES (.xes, .xes.gz).")],
    source: Annotated[
        str, typer.Option(help="Name of where it comes from; the same again replaces. Default: file name.")
    ] = "",
    map_: Annotated[
        list[str] | None, typer.Option("--map", help="FIELD=COLUMN or FIELD=ATTRIBUTE; repeatable.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="FIELD=TEXT for the whole file; repeatable.")
    ] = None,
    value: Annotated[
        list[str] | None, typer.Option(help="FIELD:TEXT=MEANING, e.g. 'channel:Desk=A'; repeatable.")
    ] = None,
    skip_faults: Annotated[
        bool, typer.Option("--skip-faults", help="Import the lines that can be understood.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would come to.")] = False,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Import how much was sent before Dienstweg counted; every figure made of it is marked as imported.

    Fields: procedure, step, sender, recipient, channel; CSV also month, count; logs also case, time.
    An attribute may be written trace/KEY or event/KEY.
    """
    from engine.service.migration.volumes import Order, VolumesRefusedError, import_volumes

    state: State = ctx.obj
    order = Order(file, _mapping(map_ or (), set_ or (), value or ()), source, skip_faults, dry_run)
    try:
        with _progress(file) as progress:
            plan = import_volumes(state.app, state.actor, order, progress)
    except VolumesRefusedError as refused:
        _show(refused.plan, json=json, csv=csv)
        raise
    _show(plan, json=json, csv=csv)


def _mapping(columns: Sequence[str], constants: Sequence[str], values: Sequence[str]) -> "ColumnMap":
    from engine.migration.volume_rows import ColumnMap, MappingRefusedError

    meanings: dict[str, dict[str, str]] = {}
    for pair in values:
        name, colon, rest = pair.partition(":")
        text, equals, meaning = rest.rpartition("=")
        if not (colon and equals and name and text):
            raise MappingRefusedError(f"--value {pair!r} says nothing", hint="write FIELD:TEXT=MEANING")
        meanings.setdefault(name, {})[text] = meaning
    return ColumnMap(_pairs("--map", columns), _pairs("--set", constants), meanings)


def _pairs(option: str, pairs: Sequence[str]) -> dict[str, str]:
    from engine.migration.volume_rows import MappingRefusedError

    found = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not (equals and name and text):
            raise MappingRefusedError(f"{option} {pair!r} says nothing", hint="write FIELD=TEXT")
        found[name] = text
    return found


@contextmanager
def _progress(file: Path) -> Iterator["Progress"]:
    """Show a bar on a terminal; piped output stays clean."""
    if not sys.stderr.isatty() or not file.is_file():
        yield lambda _bytes: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(file.name, total=file.stat().st_size)
        yield lambda read: bar.advance(task, read)


def _show(plan: "Plan", *, json: bool, csv: bool) -> None:
    if json:
        print_json(_plain(plan))
        return
    if csv:
        print_csv(["was", "Verfahren", "Schritt", "n", "Zeile", "Text"], _lines(plan))
        return
    if plan.cells:
        rows = [(procedure, step, count) for (procedure, step), count in sorted(plan.by_step().items())]
        first, last = plan.months()
        typer.echo(f"{plan.source}: {first} bis {last}, n = {plan.counted}")
        table(["Verfahren", "Schritt", "n"], rows)
        levels = ", ".join(f"{level}: {count}" for level, count in sorted(plan.by_level().items()))
        typer.echo(f"by level: {levels}")
        _show_unclear(plan)
    for note in plan.notes:
        typer.echo(f"note: {note}")
    if plan.left_out:
        most = sorted(plan.left_out.items(), key=lambda one: -one[1])
        typer.echo(f"no sends, left out: {sum(plan.left_out.values())} in {len(most)} activities")
        for what, count in most[:SHOWN]:
            typer.echo(f"    {count:>7} {what}")
    if plan.fault_count:
        typer.echo(f"not understood: {plan.fault_count}")
        for fault in plan.faults[:SHOWN]:
            typer.echo(f"    line {fault.line}: {fault.message}")
        if plan.fault_count > SHOWN:
            typer.echo("    …")
    if plan.unchanged:
        typer.echo("unchanged: exactly this is imported already")
    elif plan.imported:
        before = f", in place of {plan.replaces} before" if plan.replaces is not None else ""
        typer.echo(f"imported as {plan.source!r}{before}")
    elif not plan.fault_count:
        typer.echo("nothing was written")


def _show_unclear(plan: "Plan") -> None:
    most = sorted(plan.unclear.items(), key=lambda one: -one[1])
    texts = [f"{text!r} ({count})" for text, count in most if text]
    if texts:
        more = ", …" if len(texts) > SHOWN else ""
        typer.echo(f"? = channel not understood: {', '.join(texts[:SHOWN])}{more}")
        typer.echo("    explain it with --value 'channel:TEXT=A', where A, B, C or D is its level")
    if "" in plan.unclear:
        typer.echo(f"? = no channel given: {plan.unclear['']}; --set channel=A where all were alike")


def _lines(plan: "Plan") -> Iterator[tuple[Any, ...]]:
    """Yield what was counted, what was left out and what was not understood, in the same columns."""
    for (procedure, step), count in sorted(plan.by_step().items()):
        yield "gezählt", procedure, step, count, "", ""
    for what, count in sorted(plan.left_out.items()):
        yield "ausgelassen", "", "", count, "", what
    for fault in plan.faults:
        yield "nicht verstanden", "", "", "", fault.line, fault.message
    for text, count in sorted(plan.unclear.items()):
        yield "Kanal nicht verstanden", "", "", count, "", text
    for note in plan.notes:
        yield "Hinweis", "", "", "", "", note


def _plain(plan: "Plan") -> dict[str, Any]:
    return {
        "source": plan.source,
        "imported": plan.imported,
        "unchanged": plan.unchanged,
        "replaces": plan.replaces,
        "n": plan.counted,
        "months": plan.months() if plan.cells else None,
        "by_step": [
            {"procedure": procedure, "step": step, "n": count}
            for (procedure, step), count in sorted(plan.by_step().items())
        ],
        "by_level": plan.by_level(),
        "left_out": dict(plan.left_out),
        "notes": list(plan.notes),
        "unclear_channels": dict(plan.unclear),
        "faults": plain(plan.faults),
        "fault_count": plan.fault_count,
    }


@volumes.command("list")
def list_(ctx: typer.Context, json: Json = False, csv: Csv = False) -> None:
    """List what was imported, newest first."""
    from engine.service.migration.volumes import list_imports

    state: State = ctx.obj
    found = list_imports(state.app, state.actor)
    if json:
        print_json(found)
        return
    rows = [
        (
            each.source,
            each.file_name,
            each.counted,
            each.left_out,
            each.imported_at,
            each.imported_by,
            each.replaced_at,
        )
        for each in found
    ]
    columns = ["Quelle", "Datei", "n", "nicht verstanden", "am", "von", "ersetzt am"]
    listing(columns, rows, "Importierte Zahlen (volumes)", csv=csv)


@volumes.command()
def remove(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(help="Name of the source.")],
    json: Json = False,
) -> None:
    """Take back the figures of a source."""
    from engine.service.migration.volumes import remove_import

    state: State = ctx.obj
    remove_import(state.app, state.actor, source)
    if json:
        print_json({"source": source, "removed": True})
    else:
        typer.echo(f"the figures of {source!r} are taken back")

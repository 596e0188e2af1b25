"""``dienstweg post``."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.clock import LOCAL_ZONE, local_day
from engine.errors import RefusedError

if TYPE_CHECKING:
    from adapters.post.runs import Plan, PrintRuns
    from engine.service.arrivals.registering import ArrivalLine

app = typer.Typer(help="Post: print runs, posting, reprints, scans.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


class ScanRefusedError(RefusedError):
    """There is nothing to scan."""


class LetterRefusedError(RefusedError):
    """There is no letter."""


@app.command("list")
def list_(ctx: typer.Context, as_json: Json = False) -> None:
    """List this authority's print runs and how many letters wait."""
    from engine.service.exchanges.posting import open_postings

    runs, folder, authority = _runs(ctx.obj)
    # What was posted by hand may still lie there: nobody is asked to post it any more.
    known = open_postings(ctx.obj.app, ctx.obj.actor)
    waiting = sum(1 for letter in folder.waiting(authority) if letter.dispatch in known)
    plans = runs.plans()
    _warn_of_tariffs(ctx.obj, ctx.obj.app.clock.now().astimezone(LOCAL_ZONE).date())
    if as_json:
        _print({"waiting": waiting, "runs": [_summary(runs, plan) for plan in plans]})
        return
    for plan in plans:
        typer.echo(_line(runs, plan))
    told = "1 Brief wartet (letter waiting)" if waiting == 1 else f"{waiting} Briefe warten (letters waiting)"
    typer.echo(told)


@app.command()
def run(
    ctx: typer.Context,
    day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Day of the tariffs; default today."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make one print file of all waiting letters, with separator sheets and posting list."""
    from rich.progress import Progress

    from engine.service.exchanges.posting import open_postings

    runs, _, _ = _runs(ctx.obj)
    now = ctx.obj.app.clock.now()
    chosen = day.date() if day else local_day(now)
    _warn_of_tariffs(ctx.obj, chosen)
    with Progress(transient=True, disable=as_json) as bar:
        task = bar.add_task("drucken (printing)")
        # A letter nobody is asked to post was posted by hand, or its hand-over is not recorded yet.
        known = open_postings(ctx.obj.app, ctx.obj.actor)
        plans = runs.run(
            now,
            chosen,
            ctx.obj.actor.person_id,
            lambda done, of: bar.update(task, completed=done, total=of),
            lambda letter: letter.dispatch in known,
        )
    if as_json:
        _print([_summary(runs, plan) for plan in plans])
        return
    for plan in plans:
        typer.echo(_line(runs, plan))
        typer.echo(f"  {runs.path(plan.run) / 'druck.pdf'}")
        for it in plan.letters:
            if it.remark:
                typer.echo(f"  ! {it.position} {it.letter.name}: {it.remark}")
        typer.echo(f"  then: dienstweg post confirm {plan.run}")


@app.command()
def confirm(
    ctx: typer.Context,
    run: Annotated[str, typer.Argument(help="Print run, e.g. 2026-11-23-01.")],
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day of posting; default today.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Record that all letters of a run were posted."""
    from adapters.post.confirming import confirm_run

    runs, _, _ = _runs(ctx.obj)
    plan = runs.printed(run)
    done = confirm_run(ctx.obj.app, ctx.obj.actor, plan, on.date() if on else None)
    if as_json:
        _print(
            {
                "run": run,
                "confirmed": list(done.confirmed),
                "before": list(done.before),
                "claimed": list(done.claimed),
            }
        )
        return
    typer.echo(f"{run}: {len(done.confirmed)} aufgegeben (posted), {len(done.before)} schon vorher (before)")
    for dispatch in done.claimed:
        typer.echo(f"! {dispatch}: die Aufgabe hat eine Kollegin oder ein Kollege (claimed by a colleague)")


@app.command()
def reprint(
    ctx: typer.Context,
    letter: Annotated[
        str, typer.Argument(help="Beginning of the dispatch's id, or part of the printed code.")
    ],
    out: Annotated[Path | None, typer.Option(help="Copy the letter to this file.")] = None,
    as_json: Json = False,
) -> None:
    """Find a printed letter again; the reprint is noted with its run."""
    from shutil import copyfile

    runs, _, _ = _runs(ctx.obj)
    path = runs.reprint(letter, ctx.obj.app.clock.now(), ctx.obj.actor.person_id)
    if out is not None:
        copyfile(path, out)
        path = out
    if as_json:
        _print({"file": str(path)})
    else:
        typer.echo(path)


@app.command()
def scan(
    ctx: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="Scanned PDF, PNG, TIFF or JPEG files, or folders.")],
    device: Annotated[str | None, typer.Option(help="The scanner; recorded with the scan.")] = None,
    as_json: Json = False,
) -> None:
    """Read scans, show what is in them, and take them in."""
    from tempfile import TemporaryDirectory

    from adapters.post.files import sha256_of
    from adapters.post.scan_intake import lay_scan, tell
    from adapters.post.settings import read_settings
    from engine.service.arrivals.scanned import take_in_scans

    installation, actor = ctx.obj.app, ctx.obj.actor
    settings = read_settings(installation.settings.adapters.get("post", {}), installation.settings.home)
    target = settings.scan_folder / actor.authority_id
    told = []
    for path in _scans(files):
        with TemporaryDirectory() as work:
            found = tell(path, Path(work), installation.settings.code, installation.secret)
        lay_scan(path, target, operator=actor.person_id, device=device or settings.scan_device)
        told.append((found, f"scan:{sha256_of(path)[:32]}:"))
    taken = take_in_scans(installation, actor)
    if as_json:
        _print([{**found.data, "arrivals": _became(taken, key)} for found, key in told])
        return
    for found, key in told:
        typer.echo(found.text)
        for it in _became(taken, key) or ():
            typer.echo(f"  Eingang (arrival) {it['id'][:8]}: {it['status']}  {it['reason'] or ''}".rstrip())
    if taken is None:
        typer.echo(f"{len(told)} Dateien liegen in (files lie in) {target}; the work loop takes them in")


@app.command()
def letter(
    ctx: typer.Context,
    task: Annotated[str, typer.Argument(help="Task of signing or posting a letter, or its beginning.")],
    out: Annotated[Path, typer.Option(help="Write the letter to this file.")],
) -> None:
    """Write out the letter behind a task, byte for byte as it goes: to print it for the signature."""
    from shutil import copyfile

    from engine.service.exchanges.signing import letter_of
    from engine.service.tasks import show_task

    data = show_task(ctx.obj.app, ctx.obj.actor, task).data
    if "dispatch" not in data:
        raise LetterRefusedError("no letter belongs to this task", hint="'dienstweg task list' shows them")
    _, path = letter_of(ctx.obj.app, str(data["dispatch"]))
    copyfile(path, out)
    typer.echo(out)


@app.command()
def figures(ctx: typer.Context, as_json: Json = False) -> None:
    """Sum up what paper cost: letters, postage, pages, days, and how often paper and file change places."""
    from dataclasses import asdict

    from adapters.post.tariffs import euros
    from engine.service import paper_figures

    sent = paper_figures.letters(ctx.obj.app, ctx.obj.actor)
    breaks = paper_figures.breaks(ctx.obj.app, ctx.obj.actor)
    posting = paper_figures.average(it.days_to_posting for it in sent)
    answer = paper_figures.average(it.days_to_answer for it in sent)
    cents, pages = sum(it.postage_cents or 0 for it in sent), sum(it.pages or 0 for it in sent)
    if as_json:
        lines = [
            {**asdict(it), "days_to_posting": it.days_to_posting, "days_to_answer": it.days_to_answer}
            for it in sent
        ]
        totals = {"letters": len(sent), "cents": cents, "pages": pages}
        days = {"days_to_posting": posting, "days_to_answer": answer}
        _print({**totals, **days, "breaks": asdict(breaks), "dispatches": lines})
        return
    typer.echo(f"{len(sent)} Briefe (letters), {pages} Seiten (pages), {euros(cents)} Entgelt (postage)")
    typer.echo(f"Tage bis zur Aufgabe (days to posting): {_days(posting)}")
    typer.echo(f"Tage von der Aufgabe bis zur Antwort (days to answer): {_days(answer)}")
    typer.echo(
        f"Medienbrüche (breaks): {breaks.printed} von {breaks.electronic} elektronischen Eingängen gedruckt, "
        f"{breaks.scanned} von {breaks.paper} Papiereingängen gescannt"
    )


def _days(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _became(taken: "dict[str, ArrivalLine] | None", key: str) -> list[dict[str, Any]] | None:
    """Return what became of the documents of one file; None where the work loop is at them."""
    if taken is None:
        return None
    return [
        {"id": line.id, "status": line.status, "reason": line.reason, "case": line.case_id}
        for reference, line in taken.items()
        if reference.startswith(key)
    ]


def _runs(state: Any) -> tuple["PrintRuns", Any, str]:
    from adapters.post.print_folder import PrintFolder
    from adapters.post.runs import PrintRuns
    from adapters.post.settings import read_settings
    from adapters.post.tariffs import read_tariffs
    from engine.actor import Role
    from engine.service.access import require

    installation, actor = state.app, state.actor
    require(actor, Role.CLERK)
    settings = read_settings(installation.settings.adapters.get("post", {}), installation.settings.home)
    folder = PrintFolder(settings.print_folder)
    runs = PrintRuns(folder, actor.authority_id, read_tariffs(settings.tariffs), duplex=settings.duplex)
    return runs, folder, actor.authority_id


def _warn_of_tariffs(state: Any, on: date) -> None:
    """Say on stderr, where it disturbs no JSON, that the tariff table ends soon."""
    from adapters.post.settings import read_settings
    from adapters.post.tariffs import ending, read_tariffs

    settings = read_settings(state.app.settings.adapters.get("post", {}), state.app.settings.home)
    warning = ending(read_tariffs(settings.tariffs), on, settings.tariffs)
    if warning is not None:
        typer.echo(f"! {warning}", err=True)


def _scans(paths: list[Path]) -> list[Path]:
    from adapters.letter.decoding import ENDINGS

    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found.extend(sorted(item for item in path.iterdir() if item.suffix.lower() in ENDINGS))
        elif path.is_file():
            found.append(path)
        else:
            raise ScanRefusedError(f"{path} is neither file nor folder")
    if not found:
        raise ScanRefusedError("no scan found", hint=f"files ending in {', '.join(ENDINGS)}")
    return found


def _summary(runs: "PrintRuns", plan: "Plan") -> dict[str, Any]:
    folder = runs.path(plan.run)
    return {
        "run": plan.run,
        "day": plan.day.isoformat(),
        "by": plan.planned_by,
        "letters": len(plan.letters),
        "pages": sum(it.letter.pages for it in plan.letters),
        "cents": plan.cents,
        "printed": (folder / "druck.pdf").exists(),
        "folder": str(folder),
        "dispatches": [it.letter.dispatch for it in plan.letters],
    }


def _line(runs: "PrintRuns", plan: "Plan") -> str:
    from adapters.post.tariffs import euros

    state = "gedruckt (printed)" if (runs.path(plan.run) / "druck.pdf").exists() else "abgebrochen (cut off)"
    pages = sum(it.letter.pages for it in plan.letters)
    letters = "1 Brief" if len(plan.letters) == 1 else f"{len(plan.letters)} Briefe"
    return f"{plan.run}  {letters}, {pages} Seiten, {euros(plan.cents)}  {state}"


def _print(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))

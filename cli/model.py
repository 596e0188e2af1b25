"""``dienstweg model``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.show import Json, print_json, short, table
from cli.state import State

app = typer.Typer(help="Procedures (Verfahren): check, deploy, list, show, test.", no_args_is_help=True)


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="BPMN files, or folders of procedures.")],
    json: Json = False,
    sarif: Annotated[bool, typer.Option("--sarif", help="Print SARIF 2.1.0 for editors and CI.")] = False,
) -> None:
    """Check BPMN files or whole procedure folders. Exit status 0: all accepted; 1: at least one refused."""
    from cli.model_check import check as check_files

    status = check_files(files, json, sarif)
    if any(is_package(path) for path in files):
        from engine.service.procedures import check_whole

        for path in files:
            if is_package(path):
                check_whole(package_at(str(path)))
    raise typer.Exit(status)


@app.command()
def deploy(
    ctx: typer.Context,
    procedure: Annotated[str, typer.Argument(help="Key of a shipped procedure, or a package's folder.")],
    json: Json = False,
) -> None:
    """Check a procedure and deploy it as a new version; unchanged content stays the version it is."""
    from engine.service.procedures import deploy

    state: State = ctx.obj
    version = deploy(state.app, state.actor, package_at(procedure))
    if json:
        print_json(version)
        return
    word = "deployed as" if version.new else "is already"
    typer.echo(f"{version.procedure_key} {word} version {version.number}")


def is_package(path: Path) -> bool:
    """Tell whether ``path`` is the folder of a procedure package."""
    return (path / "procedure.yaml").is_file()


def package_at(procedure: str) -> Any:
    """Load a package from a folder, or a shipped one by key."""
    from engine.definitions.package import load_package
    from processes.bpmn import shipped

    for folder in shipped():
        if folder.name == procedure and not Path(procedure).is_dir():
            return load_package(folder)
    return load_package(Path(procedure))


@app.command("list")
def list_(
    ctx: typer.Context, procedure: Annotated[str | None, typer.Option()] = None, json: Json = False
) -> None:
    """List deployed versions."""
    from engine.service.procedures import list_versions

    state: State = ctx.obj
    found = list_versions(state.app, state.actor, procedure)
    if json:
        print_json(found)
        return
    rows = [(v.procedure_key, v.number, v.title, v.deployed_at, v.deployed_by, short(v.id)) for v in found]
    table(["Verfahren", "Version", "Titel", "seit", "von", "Nummer"], rows, "Verfahren (procedures)")


@app.command()
def show(ctx: typer.Context, procedure: str, json: Json = False) -> None:
    """Show a procedure's newest version: processes, exchange steps, message types, forms."""
    from engine.service.procedures import show_procedure

    state: State = ctx.obj
    found = show_procedure(state.app, state.actor, procedure)
    if json:
        print_json(found)
        return
    typer.echo(f"{found['title']}  ({found['key']}, version {found['number']})")
    rows = [
        (p["name"], p["process_id"], "ja" if p["manual_start"] else ", ".join(p["start_messages"]), _times(p))
        for p in found["processes"]
    ]
    table(["Prozess", "Id", "Start von Hand oder durch", "Zeitstart"], rows, "Prozesse (processes)")
    steps = [
        (p["process_id"], s["name"], s["element_id"], s["message"], s["form"], s["fallback"])
        for p in found["processes"]
        for s in p["exchange_steps"]
    ]
    table(["Prozess", "Schritt", "Id", "Nachricht", "Form", "Rückfall"], steps, "Austauschschritte (steps)")
    types = [(m["key"], m["version"], m["title"], m["form"]) for m in found["message_types"]]
    table(["Schlüssel", "Version", "Titel", "Form"], types, "Nachrichtentypen (message types)")


def _times(process: Mapping[str, Any]) -> str:
    """Return the timer starts of a process as a table shows them."""
    return ", ".join(f"{start['element_id']}: {start['time']}" for start in process["start_timers"])


@app.command("test")
def play(
    procedure: Annotated[str, typer.Argument(help="Key of a shipped procedure, or a package's folder.")],
    scenario: Annotated[str | None, typer.Option(help="Only this scenario file.")] = None,
    json: Json = False,
) -> None:
    """Play a procedure's scenarios on every channel, in throw-away installations; exit 1 if one fails."""
    from engine.service.scenarios import run_scenarios

    results = run_scenarios(package_at(procedure), scenario)
    if json:
        print_json(results)
    else:
        for result in results:
            verdict = "PASS" if result.passed else "FAIL"
            typer.echo(f"{verdict} {result.name} [{result.channel}] {result.why or ''}".rstrip())
        passed = sum(result.passed for result in results)
        typer.echo(f"{passed} passed, {len(results) - passed} failed")
    raise typer.Exit(0 if results and all(result.passed for result in results) else 1)

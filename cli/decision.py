"""``dienstweg decision``: try DMN decisions without an installation."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.show import ZONE, Json, print_json, read_data, table
from cli.state import State

if TYPE_CHECKING:
    from engine.decisions import Decisions

app = typer.Typer(help="DMN decisions: evaluate, list.", no_args_is_help=True)
File = Annotated[Path, typer.Argument(help="The DMN file.", metavar="FILE.dmn")]


@app.command()
def evaluate(
    ctx: typer.Context,
    file: File,
    name: Annotated[str, typer.Argument(help="Name or id of the decision.")],
    data: Annotated[str, typer.Option(help="Input data as a JSON object, or @FILE to read it from.")] = "{}",
    json: Json = False,
) -> None:
    """Evaluate one decision. With --json the value alone is printed."""
    decisions = _read(file)
    given = read_data(data)
    state: State = ctx.obj
    moment = state.clock.now().astimezone(ZONE)
    functions = {"now": lambda: moment, "today": moment.date}
    value = decisions.evaluate(name, given, functions=functions)
    if json:
        print_json(value)
        return
    found = decisions.find(name)
    wants = decisions.wants(found)
    rows = [(key, kind, _shown(given.get(key))) for key, kind in wants.items()]
    table(["input", "type", "value"], rows, f"{found.name} ({file.name})")
    typer.echo(f"result: {_shown(value)}")


@app.command("list")
def list_(file: File, json: Json = False) -> None:
    """List the decisions of a file with the input data they need."""
    decisions = _read(file)
    found: list[dict[str, Any]] = [
        {
            "id": one.id,
            "name": one.name,
            "line": one.line,
            "type": one.type.name,
            "inputs": decisions.wants(one),
        }
        for one in decisions.decisions.values()
    ]
    if json:
        print_json(found)
        return
    rows = [
        (
            one["name"],
            one["id"],
            one["type"],
            ", ".join(f"{k}: {v}" for k, v in one["inputs"].items()),
            one["line"],
        )
        for one in found
    ]
    table(["decision", "id", "type", "inputs", "line"], rows, f"{file.name}: DMN {decisions.version}")


def _read(file: Path) -> "Decisions":
    from engine.decisions import read_decisions
    from engine.errors import EnvironmentFaultError

    try:
        content = file.read_bytes()
    except OSError as error:
        raise EnvironmentFaultError(f"{file} cannot be read: {error.strerror}") from None
    return read_decisions(content, str(file))


def _shown(value: Any) -> str:
    from json import dumps

    return dumps(value, ensure_ascii=False)

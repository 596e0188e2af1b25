"""``dienstweg document``."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from cli.show import Json, print_json, short, table
from cli.state import State

app = typer.Typer(help="Documents (Dokumente) of a case: add, list, open.", no_args_is_help=True)


@app.command()
def add(
    ctx: typer.Context,
    case: str,
    file: Path,
    role: Annotated[str, typer.Option(help="How models name it in dw:documents.")] = "document",
) -> None:
    """Take a file into a case."""
    from engine.service.files import add_document

    state: State = ctx.obj
    document = add_document(state.app, state.actor, case, file, role=role)
    typer.echo(f"{document.id}  {document.name}  {document.size} bytes")


@app.command("list")
def list_(ctx: typer.Context, case: str, json: Json = False) -> None:
    """List a case's documents."""
    from engine.service.files import list_documents

    state: State = ctx.obj
    found = list_documents(state.app, state.actor, case)
    if json:
        print_json(found)
        return
    rows = [(short(d.id), d.name, d.media_type, d.size, d.role, d.added_at, d.added_by) for d in found]
    table(["Nummer", "Name", "Art", "Bytes", "Rolle", "seit", "von"], rows, "Dokumente (documents)")


@app.command("open")
def open_(
    ctx: typer.Context, document: str, to: Annotated[Path, typer.Argument(help="File to write.")]
) -> None:
    """Write a document's content to a file."""
    from engine.service.files import FileRefusedError, open_document

    state: State = ctx.obj
    found, content = open_document(state.app, state.actor, document)
    try:
        with content, to.open("xb") as target:
            shutil.copyfileobj(content, target)
    except OSError as error:
        raise FileRefusedError(f"cannot write {to}: {error.strerror}") from error
    typer.echo(f"{to}: {found.name}")

"""``dienstweg xdomea``: look into containers without an installation."""

import json
import os
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from adapters.xdomea.message import Message
    from adapters.xdomea.reading import ContainerReader, Opened

app = typer.Typer(no_args_is_help=True, help="xdomea messages and containers: check, show, unpack.")

File = Annotated[Path, typer.Argument(help="A container (.zip) or a message (.xml).", show_default=False)]
SchemaFolder = Annotated[
    Path | None,
    typer.Option("--schemas", help="Folder with the official schemas; else DIENSTWEG_XDOMEA_SCHEMAS."),
]
_WIDE = 10_000
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def check(file: File, schemas: SchemaFolder = None, as_json: Json = False) -> None:
    """Check names, limits, schema, references and digests; exit status 1 where something is wrong."""
    from engine.exchange.errors import UnreadableError

    try:
        opened = _opened(file, schemas)
    except UnreadableError as error:
        if not as_json:
            raise
        _print_json({"file": file.name, "ok": False, "error": type(error).__name__, "reason": str(error)})
        raise typer.Exit(error.exit_status) from error
    message = opened.message
    found: dict[str, Any] = {
        "file": file.name,
        "ok": True,
        "version": message.version,
        "message": message.element,
        "process": message.process_id,
        "documents": sum(1 for _ in message.documents()),
        "files": sum(1 for _ in message.formats()),
        "official_schema": opened.validated,
        "remarks": opened.remarks,
    }
    if as_json:
        _print_json(found)
        return
    schema = "valid by the official schema" if opened.validated else "no official schema at hand"
    print(f"in order: {message.element}, xdomea {message.version}, {schema}")
    print(f"ProzessID {message.process_id}, {found['documents']} documents, {found['files']} files")
    for remark in opened.remarks:
        print(f"remark: {remark}")


@app.command()
def show(file: File, as_json: Json = False) -> None:
    """Show what a message says, as a tree; what is not understood is shown as it came."""
    from adapters.xdomea.interpret import summary
    from adapters.xdomea.message import kept_in

    message = _message(file)
    if as_json:
        kept = [{"path": path, "name": part.name, "xml": part.xml} for path, part in kept_in(message)]
        _print_json({**summary(message), "kept": kept})
        return
    from rich.console import Console

    from adapters.xdomea.tree import tree_of

    # Into a file or a pipe, nothing is wrapped or cut.
    Console(width=None if sys.stdout.isatty() else _WIDE).print(tree_of(message))


@app.command()
def unpack(
    file: File,
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.", show_default=False)],
    schemas: SchemaFolder = None,
) -> None:
    """Check a container and write its documents, under the names people know, and its message to a folder."""
    from adapters.xdomea.container import open_container
    from adapters.xdomea.interpret import reading_of

    _present(file)
    _empty(folder)
    reader = _reader(schemas)
    with TemporaryDirectory(dir=folder, prefix=".unpack-") as scratch:
        opened = reader.read(file, file.name, Path(scratch))
        reading = reading_of(opened.message, opened.files, opened.remarks)
        for document in reading.documents:
            target = _free(folder, document.name)
            with document.open() as source, target.open("xb") as copy:
                shutil.copyfileobj(source, copy)
            print(f"{document.size:>12}  {document.sha256[:16]}  {target.name}")
    name = f"{file.stem}.xml"
    with open_container(file, reader.limits, only=name) as container:
        message = container.unpack(name, folder / name)
    print(f"{message.size:>12}  {message.sha256[:16]}  {message.name}")


def _reader(schemas: Path | None) -> "ContainerReader":
    from adapters.xdomea.container import Limits
    from adapters.xdomea.payload import SCHEMAS_VARIABLE
    from adapters.xdomea.reading import ContainerReader
    from adapters.xdomea.schemas import Schemas

    folder = schemas or os.environ.get(SCHEMAS_VARIABLE)
    return ContainerReader(Limits(), Schemas(Path(folder)) if folder else None)


def _opened(file: Path, schemas: Path | None) -> "Opened":
    _present(file)
    reader = _reader(schemas)
    if file.suffix.lower() == ".xml":
        return reader.check_message(file)
    with TemporaryDirectory() as scratch:
        return reader.check(file, file.name, Path(scratch))


def _message(file: Path) -> "Message":
    from adapters.xdomea.codec import read_file

    _present(file)
    if file.suffix.lower() == ".xml":
        return read_file(file)
    with TemporaryDirectory() as scratch:
        return _reader(None).message(file, file.name, Path(scratch))


def _present(file: Path) -> None:
    from engine.errors import NotFoundError

    if not file.is_file():
        raise NotFoundError("no such file", where=str(file))


def _empty(folder: Path) -> None:
    from engine.errors import RefusedError

    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise RefusedError("the folder is not empty", where=str(folder), hint="name a new one")


def _free(folder: Path, name: str) -> Path:
    target = folder / name
    number = 1
    while target.exists():
        number += 1
        target = folder / f"{Path(name).stem} ({number}){Path(name).suffix}"
    return target


def _print_json(value: Any) -> None:
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")

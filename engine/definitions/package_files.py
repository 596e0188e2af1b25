"""The files of a procedure package: found in a folder, bounded, hashed."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from importlib.resources.abc import Traversable
from pathlib import Path

from engine.definitions.package_errors import (
    PackageMissingError,
    PackageRefusedError,
    PackageUnreadableError,
)
from engine.yaml_text import Problem, YamlFault, read_yaml

MAX_FILES = 500
MAX_FILE_BYTES = 5_000_000
MAX_DEPTH = 3

PROCEDURE = "procedure.yaml"
_IGNORED = frozenset({"__pycache__", "__init__.py", "README.md"})
_FOLDERS = {"forms": (".form",), "decisions": (".dmn",), "scenarios": (".yaml",)}
_MESSAGE_FILES = frozenset({"message.yaml", "schema.json", "letter.jinja", "registration.form"})


def read_folder(root: Path | Traversable) -> dict[str, bytes]:
    """Read the files of a package folder: path inside the package → content.

    Files that are no part of the format are refused, not skipped; hidden files, ``README.md`` and what
    Python leaves behind do not count.

    Raises:
        PackageMissingError: no folder, or no ``procedure.yaml`` in it.
        PackageUnreadableError: the disk or its permissions do not let a file be read.
        PackageRefusedError: unknown, too many or too large files.
    """
    name = getattr(root, "name", str(root))
    if not root.is_dir() or not root.joinpath(PROCEDURE).is_file():
        raise PackageMissingError(
            f"there is no {PROCEDURE}",
            where=str(root),
            hint="name the folder that holds the procedure, e.g. processes/bpmn/vollstreckungshilfe",
        )
    found: dict[str, bytes] = {}
    problems: list[Problem] = []
    for path, item in _walk(root, "", 1):
        fault = _file_fault(path, item)
        if fault is None and len(found) >= MAX_FILES:
            problems.append(Problem(path, None, "", f"is one of more than {MAX_FILES} files", "split it"))
            break
        content = b"" if fault else _read(item)
        if len(content) > MAX_FILE_BYTES:
            fault = Problem(path, None, "", f"is larger than {MAX_FILE_BYTES} bytes", "make it smaller")
        if fault:
            problems.append(fault)
        else:
            found[path] = content
    if problems:
        raise PackageRefusedError(problems, where=name)
    return found


def _walk(folder: Path | Traversable, prefix: str, depth: int) -> Iterator[tuple[str, Path | Traversable]]:
    items: list[Path | Traversable] = sorted(folder.iterdir(), key=lambda item: item.name)
    for item in items:
        if item.name.startswith(".") or item.name in _IGNORED:
            continue
        path = f"{prefix}{item.name}"
        if item.is_dir() and depth < MAX_DEPTH:
            yield from _walk(item, f"{path}/", depth + 1)
        else:
            yield path, item


def _read(item: Path | Traversable) -> bytes:
    try:
        with item.open("rb") as source:
            return source.read(MAX_FILE_BYTES + 1)  # one more tells that it is too large
    except OSError as error:
        raise PackageUnreadableError(error.strerror or str(error), where=str(item)) from error


def _file_fault(path: str, item: Path | Traversable) -> Problem | None:
    parts = path.split("/")
    known = (
        path in (PROCEDURE, "paper.yaml")
        or (len(parts) == 1 and path.endswith(".bpmn"))
        or (len(parts) == 2 and parts[1].endswith(_FOLDERS.get(parts[0], ("\0",))))
        or (len(parts) == 3 and parts[0] == "messages" and parts[2] in _MESSAGE_FILES)
    )
    if known and item.is_file():
        return None
    return Problem(
        path,
        None,
        "",
        "is no file of a procedure package",
        "move it out; known are procedure.yaml, paper.yaml, *.bpmn, forms/*.form, decisions/*.dmn, "
        "scenarios/*.yaml, messages/KEY/{message.yaml, schema.json, letter.jinja, registration.form}",
    )


def content_hash(files: Mapping[str, bytes]) -> str:
    """Return the hex SHA-256 that stands for what a package *does*.

    Scenarios test a procedure and are no part of it, so they do not count. YAML and JSON count by their
    content, other text by its lines: comments, indentation and line ends make no new version.
    """
    digest = hashlib.sha256(b"dienstweg procedure package 1\n")
    for path in sorted(files):
        if not path.startswith("scenarios/"):
            part = hashlib.sha256(_canonical(path, files[path])).hexdigest()
            digest.update(f"{path}\0{part}\n".encode())
    return digest.hexdigest()


def _canonical(path: str, content: bytes) -> bytes:
    try:
        if path.endswith(".yaml"):
            return _json(read_yaml(content, path).data)
        if path.endswith((".json", ".form")):
            return _json(json.loads(content))
    except (YamlFault, ValueError):
        pass  # Unreadable files keep a hash of their own; reading them is refused elsewhere.
    return content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")


def _json(data: object) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

"""Scans that a person brings: what is in them is told at once, taking in is left to the work loop."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.letter.codes import understand
from adapters.letter.reading import reading_of
from adapters.post.files import copy_synced, settle, sha256_of, write_atomically
from adapters.post.scanner_folder import sidecar
from adapters.post.scans import split_scan
from engine.exchange.codes import Code, read_code
from engine.exchange.errors import UnreadableError


@dataclass(frozen=True, slots=True)
class Told:
    """What was found in one file."""

    text: str
    data: dict[str, Any]


def tell(path: Path, work: Path, installation: str, secret: bytes) -> Told:
    """Read a scanned file and say which documents and codes are in it; never raises for its content."""
    try:
        documents = split_scan(path, work)
    except UnreadableError as error:
        data = {"file": str(path), "unreadable": str(error), "documents": []}
        return Told(
            f"{path.name}: nicht lesbar, geht an die Sachbearbeitung (unreadable): {error.message}", data
        )
    lines = [f"{path.name}: {len(documents)} Schriftstücke (documents)"]
    listed = []
    for document in documents:
        codes = [understand(content) for content in document.stack.contents]
        judged = [read_code(code.text, installation, secret) for code in codes if isinstance(code, Code)]
        found = {it.code.whole().text: it.standing.value for it in judged if it.code is not None}
        read = reading_of(document.stack.contents, installation, secret)
        remarks = [*document.remarks, *read.remarks]
        listed.append({"pages": document.pages, "codes": found, "remarks": remarks})
        shown = ", ".join(f"{code} ({standing})" for code, standing in found.items()) or "ohne Code (no code)"
        lines.append(f"  {document.number}: Seiten {document.pages[0]} bis {document.pages[-1]}, {shown}")
        lines.extend(f"     ! {remark}" for remark in remarks)
    return Told("\n".join(lines), {"file": str(path), "unreadable": None, "documents": listed})


def lay_scan(path: Path, folder: Path, *, operator: str, device: str | None) -> Path:
    """Copy a scan into the watched folder, whole or not at all, with who scanned it on what.

    The same content laid down twice is there once. Returns where it lies.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{sha256_of(path)[:16]}_{path.name}"
    if not target.exists():
        temporary = folder / f".{target.name}.part"
        copy_synced(path, temporary)
        note = json.dumps({"operator": operator, "device": device}, ensure_ascii=False)
        write_atomically(sidecar(target), note.encode())
        settle(temporary, target)
    return target

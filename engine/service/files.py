"""Files that people bring: documents of a case, and what is in the store."""

import mimetypes
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from sqlalchemy import insert, or_, select

from engine.actor import Actor, Role
from engine.errors import NotFoundError, RefusedError
from engine.service.access import require
from engine.service.cases import find_case
from engine.service.stories import Entry, note
from engine.store.scope import visible_to
from engine.store.tables import case_documents

if TYPE_CHECKING:
    from engine.service.installation import Installation


class FileRefusedError(RefusedError):
    """This file cannot be taken in."""


class CaseDocumentUnknownError(NotFoundError):
    """There is no such document."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on disk that somebody wants taken in."""

    path: Path
    name: str
    media_type: str


@dataclass(frozen=True, slots=True)
class CaseDocument:
    """A document of a case."""

    id: str
    case_id: str
    name: str
    media_type: str
    size: int
    role: str
    sha256: str
    added_at: datetime
    added_by: str


_LINE = [case_documents.c[name] for name in CaseDocument.__dataclass_fields__]


def read_upload(path: Path) -> Upload:
    """Look at a file somebody names; raise FileRefusedError where it is none or empty."""
    if not path.is_file():
        raise FileRefusedError(f"{path} is no file")
    if path.stat().st_size == 0:
        raise FileRefusedError(f"{path} is empty")
    guessed, _ = mimetypes.guess_type(path.name)
    return Upload(path, path.name, guessed or "application/octet-stream")


def add_document(
    app: "Installation", actor: Actor, case_key: str, path: Path, *, role: str = "document"
) -> CaseDocument:
    """Take a file into a case; ``role`` is how models name it in ``dw:documents``.

    Raises CaseUnknownError, FileRefusedError, DocumentStoreFullError.
    """
    require(actor, Role.CLERK)
    upload = read_upload(path)
    with upload.path.open("rb") as source:
        blob = app.documents.put(source)
    with app.write() as tx:
        case = find_case(tx, actor, case_key)
        now = app.clock.now()
        document = CaseDocument(
            id=str(app.ids.new()),
            case_id=case["id"],
            name=upload.name,
            media_type=upload.media_type,
            size=blob.size,
            role=role,
            sha256=blob.sha256,
            added_at=now,
            added_by=actor.person_id,
        )
        row = {name: getattr(document, name) for name in CaseDocument.__dataclass_fields__}
        tx.execute(insert(case_documents).values(authority_id=case["authority_id"], **row))
        command = {"document": document.id, "role": role, "sha256": blob.sha256}
        note(tx, app.ids, case["id"], Entry(now, actor.person_id, "document", command))
    return document


def list_documents(app: "Installation", actor: Actor, case_key: str) -> list[CaseDocument]:
    """Return a case's documents, oldest first; raise CaseUnknownError."""
    with app.read() as tx:
        case = find_case(tx, actor, case_key)
        rows = tx.execute(
            select(*_LINE)
            .where(case_documents.c.case_id == case["id"], visible_to(actor, case_documents))
            .order_by(case_documents.c.added_at, case_documents.c.name, case_documents.c.id)
        )
        return [CaseDocument(*row) for row in rows]


def open_document(app: "Installation", actor: Actor, key: str) -> tuple[CaseDocument, BinaryIO]:
    """Return a document and its open content; raise CaseDocumentUnknownError."""
    with app.read() as tx:
        rows = tx.execute(
            select(*_LINE)
            .where(
                visible_to(actor, case_documents),
                or_(case_documents.c.id == key, case_documents.c.id.startswith(key)),
            )
            .limit(2)
        ).all()
    if len(rows) != 1 or len(key) < 6:
        raise CaseDocumentUnknownError(
            f"no document {key!r}", hint="'dienstweg document list CASE' shows a case's documents"
        )
    document = CaseDocument(*rows[0])
    return document, app.documents.open(document.sha256)

"""Writing out what is to be signed elsewhere, byte by byte as it was frozen."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from engine.actor import Actor
from engine.errors import RefusedError
from engine.exchange.signers import ROLE
from engine.service.exchanges import signing
from engine.service.tasks import show_task
from engine.service.writing_out import write_out
from engine.store.tables import dispatch_parts

if TYPE_CHECKING:
    from engine.service.installation import Installation


class NothingToSignError(RefusedError):
    """The task asks for no signature."""


def export_files(app: "Installation", actor: Actor, key: str, folder: Path) -> list[Path]:
    """Write the frozen files of a task of kind *sign* into ``folder``; return where they lie.

    Raises TaskUnknownError, NothingToSignError, NotWrittenError.
    """
    view = show_task(app, actor, key)
    if view.task.kind != signing.SIGN:
        raise NothingToSignError(f"{view.task.name}: nothing is signed here", hint="look at 'task show'")
    with app.read() as tx:
        rows = tx.execute(
            select(dispatch_parts.c.name, dispatch_parts.c.sha256)
            .where(dispatch_parts.c.dispatch_id == view.data["dispatch"], dispatch_parts.c.role != ROLE)
            .order_by(dispatch_parts.c.position)
        ).all()
    return write_out([(row.name, app.documents.local_path(row.sha256)) for row in rows], folder)

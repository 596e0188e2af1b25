"""Service tasks: outside work done by handlers that adapters bring (entry-point group ``dienstweg.work``)."""

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from engine.errors import EnvironmentFaultError
from engine.runtime import api
from engine.runtime.peek import read_item
from engine.service.advance import lock_case, move
from engine.store.tables import cases
from engine.work.ports import Job

if TYPE_CHECKING:
    from engine.service.installation import Installation

GROUP = "dienstweg.work"
SYSTEM = "system"

WorkHandler = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Takes the data the task sees and returns what it adds; raises ``BpmnError`` for what a model may catch."""


class NoWorkHandlerError(EnvironmentFaultError):
    """Nothing is installed that does this service task's work."""


class BpmnError(Exception):
    """A business error that the model may catch by its code."""

    def __init__(self, code: str, message: str = "") -> None:
        """Keep the error code of the model and a text for people."""
        super().__init__(message or code)
        self.code = code


def pass_on(_data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Do nothing; for service tasks that stand for work done elsewhere."""
    return {}


BUILT_IN: Mapping[str, WorkHandler] = {"pass": pass_on}


def handler_for(name: str | None) -> WorkHandler:
    """Return the handler that a service task names; raise NoWorkHandlerError where none is installed."""
    if name is not None and name in BUILT_IN:
        return BUILT_IN[name]
    for point in entry_points(group=GROUP):
        if point.name == name:
            handler: WorkHandler = point.load()
            return handler
    raise NoWorkHandlerError(
        f"no handler does the work {name!r}", hint=f"install a package with an entry point in {GROUP}"
    )


def handle_work(app: "Installation", job: Job) -> None:
    """Do the work of one service task and let its case go on; work that is no longer open is left."""
    case_id, item_id = job.arguments["case"], job.arguments["item"]
    with app.read() as tx:
        locked = lock_case(tx, case_id)
        if locked.case.status != "open":
            return
        program = app.programs.program(tx, locked.case.version_id, locked.case.process_id)
        item = read_item(program, locked.document, item_id)
        nodes = app.programs.nodes(tx, locked.case.version_id)
    if item is None:
        return
    node = nodes[item.element_id]
    handler = handler_for(node.attributes.get("work") or node.implementation)
    command: api.Command
    try:
        command = api.CompleteWork(item_id, handler(item.data))
    except BpmnError as error:
        command = api.FailWork(item_id, error.code, str(error))
    with app.write() as tx:
        status = tx.scalar(select(cases.c.status).where(cases.c.id == case_id))
        if status == "open" and read_item(program, lock_case(tx, case_id).document, item_id) is not None:
            move(app, tx, case_id, command, SYSTEM)

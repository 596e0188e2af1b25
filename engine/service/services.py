"""Service tasks: outside work done by handlers that adapters bring (entry-point group ``dienstweg.work``)."""

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from engine.definitions.model import Node
from engine.errors import EnvironmentFaultError
from engine.runtime import api
from engine.runtime.peek import read_item
from engine.service.advance import Locked, lock_case, move_locked, read_case
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


def known_workers() -> frozenset[str]:
    """Return the names of all kinds of work that are done here."""
    return frozenset(BUILT_IN) | {point.name for point in entry_points(group=GROUP)}


def kind_of_work(node: Node | None) -> str:
    """Return the kind of job for a service task: ``step`` where its work reaches nothing outside."""
    return "step" if node is not None and _handler_name(node) in BUILT_IN else "work"


def _handler_name(node: Node) -> str | None:
    return node.attributes.get("work") or node.implementation


def handle_step(app: "Installation", tx: Connection, job: Job) -> None:
    """Do the work of one service task whose handler is built in, and let its case go on."""
    item_id = job.arguments["item"]
    locked = lock_case(tx, job.arguments["case"])
    found = _work_of(app, tx, locked, item_id)
    if found is not None:
        item, handler = found
        move_locked(app, tx, locked, _outcome(item, handler), SYSTEM)


def handle_work(app: "Installation", job: Job) -> None:
    """Do the work of one service task and let its case go on; work that is no longer open is left."""
    case_id, item_id = job.arguments["case"], job.arguments["item"]
    with app.read() as tx:
        found = _work_of(app, tx, read_case(tx, case_id), item_id)
    if found is None:
        return
    command = _outcome(*found)
    app.probe("worked")
    with app.write() as tx:
        locked = lock_case(tx, case_id)
        if _work_of(app, tx, locked, item_id) is not None:
            move_locked(app, tx, locked, command, SYSTEM)


def _work_of(
    app: "Installation", tx: Connection, locked: Locked, item_id: str
) -> tuple[api.OpenItem, WorkHandler] | None:
    """Return the item and who does its work, or None where the case no longer waits for it."""
    if locked.case.status != "open":
        return None
    program = app.programs.program(tx, locked.case.version_id, locked.case.process_id)
    item = read_item(program, locked.document, item_id)
    if item is None:
        return None
    node = app.programs.nodes(tx, locked.case.version_id)[item.element_id]
    return item, handler_for(_handler_name(node))


def _outcome(item: api.OpenItem, handler: WorkHandler) -> api.Command:
    try:
        return api.CompleteWork(item.id, handler(item.data))
    except BpmnError as error:
        return api.FailWork(item.id, error.code, str(error))

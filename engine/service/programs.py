"""Deployed procedures as the services use them: package, models, programs; kept per version."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from engine.definitions.model import Model, Node, walk
from engine.definitions.package import ProcedurePackage, build_package
from engine.definitions.reader import read_model
from engine.errors import NotFoundError
from engine.exchange.ports import MessageType
from engine.runtime import DecisionEvaluator, Program, compile_program
from engine.service.deadlines.due_dates import written
from engine.store.tables import package_files, procedure_versions

if TYPE_CHECKING:
    from engine.decisions import Decisions


class ProcedureUnknownError(NotFoundError):
    """No such procedure or version is deployed."""


@dataclass
class Deployed:
    """One version of a procedure, parsed. Threads share it: it never changes."""

    package: ProcedurePackage
    programs: dict[str, Program] = field(default_factory=dict)

    @cached_property
    def models(self) -> tuple[Model, ...]:
        """The package's BPMN files."""
        return tuple(read_model(content, file) for file, content in self.package.models.items())

    @cached_property
    def nodes(self) -> Mapping[str, Node]:
        """Every flow node of the package by id."""
        return {
            node.id: node
            for model in self.models
            for process in model.processes
            for _, node in walk(process.scope)
        }

    @cached_property
    def has_deadlines(self) -> bool:
        """Whether anything in it names a legal deadline or a due date."""
        return any(
            written(node) is not None
            or any(event.expression and "deadline" in event.expression.text for event in node.events)
            for node in self.nodes.values()
        )

    @cached_property
    def decisions(self) -> tuple["Decisions", ...]:
        """The package's DMN files."""
        from engine.decisions import read_decisions

        return tuple(read_decisions(content, file) for file, content in self.package.decisions.items())

    def program(self, process_id: str) -> Program:
        """Return one process, compiled with the processes it can call."""
        if process_id not in self.programs:
            called = {process.id: model for model in self.models for process in model.processes}
            if process_id not in called:
                raise ProcedureUnknownError(f"{self.package.key} has no process {process_id!r}")
            self.programs[process_id] = compile_program(called[process_id], process_id, called)
        return self.programs[process_id]

    def decide(
        self,
        decision: str,
        data: Mapping[str, Any],
        *,
        functions: Mapping[str, Callable[..., Any]] | None = None,
    ) -> Any:
        """Evaluate a decision, named by id or name, over ``data``; it may call ``functions`` (today …)."""
        for decisions in self.decisions:
            if decision in decisions:
                return decisions.evaluate(decision, data, functions=functions or {})
        raise ProcedureUnknownError(
            f"{self.package.key} has no decision {decision!r}", hint="add its .dmn file to decisions/"
        )


class Programs:
    """The versions that were used since the program began."""

    def __init__(self) -> None:
        """Begin empty."""
        self._lock = threading.RLock()
        self._deployed: dict[str, Deployed] = {}

    def deployed(self, tx: Connection, version_id: str) -> Deployed:
        """Return a deployed version; raise ProcedureUnknownError where it is not there."""
        with self._lock:
            if version_id not in self._deployed:
                self._deployed[version_id] = Deployed(_load(tx, version_id))
            return self._deployed[version_id]

    def package(self, tx: Connection, version_id: str) -> ProcedurePackage:
        """Return the package of a deployed version."""
        return self.deployed(tx, version_id).package

    def program(self, tx: Connection, version_id: str, process_id: str) -> Program:
        """Return one process of a deployed version, ready to run."""
        with self._lock:
            return self.deployed(tx, version_id).program(process_id)

    def nodes(self, tx: Connection, version_id: str) -> Mapping[str, Node]:
        """Return the flow nodes of a deployed version by id."""
        with self._lock:
            return self.deployed(tx, version_id).nodes

    def decisions(self, tx: Connection, version_id: str) -> DecisionEvaluator:
        """Return what evaluates the version's decisions."""
        return self.deployed(tx, version_id).decide

    def message_type(self, tx: Connection, version_id: str, key: str) -> MessageType:
        """Return a message type as the version's package has it; raise ProcedureUnknownError."""
        found = self.package(tx, version_id).message_types.get(key)
        if found is None:
            raise ProcedureUnknownError(f"version {version_id[:8]} has no message type {key!r}")
        return found


def _load(tx: Connection, version_id: str) -> ProcedurePackage:
    rows = tx.execute(
        select(package_files.c.path, package_files.c.content).where(package_files.c.version_id == version_id)
    )
    files = {row.path: row.content for row in rows}
    if not files:
        raise ProcedureUnknownError(f"no procedure version {version_id}")
    return build_package(files)


def latest_version(tx: Connection, procedure_key: str) -> str:
    """Return the id of the newest version of a procedure; raise ProcedureUnknownError where none is."""
    found: str | None = tx.scalar(
        select(procedure_versions.c.id)
        .where(procedure_versions.c.procedure_key == procedure_key)
        .order_by(procedure_versions.c.number.desc())
        .limit(1)
    )
    if found is None:
        raise ProcedureUnknownError(
            f"no procedure {procedure_key!r} is deployed", hint="'dienstweg model list' shows what is"
        )
    return found

"""Compiled procedures, kept per version and process; immutable, so threads share them."""

import threading
from collections.abc import Mapping

from sqlalchemy import Connection, select

from engine.decisions import Decisions
from engine.definitions.package import ProcedurePackage, load_files
from engine.errors import NotFoundError
from engine.runtime import Program, compile_program
from engine.store.tables import package_files, procedure_versions


class ProcedureUnknownError(NotFoundError):
    """No such procedure or version is deployed."""


class Programs:
    """Loads packages from the store and compiles their processes, once each."""

    def __init__(self) -> None:
        """Begin empty."""
        self._lock = threading.Lock()
        self._packages: dict[str, ProcedurePackage] = {}
        self._programs: dict[tuple[str, str], Program] = {}

    def package(self, connection: Connection, version_id: str) -> ProcedurePackage:
        """Return a deployed version's package; raise ProcedureUnknownError where it is not there."""
        with self._lock:
            if version_id not in self._packages:
                self._packages[version_id] = _load(connection, version_id)
            return self._packages[version_id]

    def program(self, connection: Connection, version_id: str, process_id: str) -> Program:
        """Return one process of a deployed version, ready to run."""
        package = self.package(connection, version_id)
        with self._lock:
            key = (version_id, process_id)
            if key not in self._programs:
                self._programs[key] = compile_process(package, process_id)
            return self._programs[key]


def compile_process(package: ProcedurePackage, process_id: str) -> Program:
    """Compile one process of ``package`` with the processes and decisions it calls."""
    models = package.models
    home = next(model for model in models if any(p.id == process_id for p in model.processes))
    called = {process.id: model for model in models for process in model.processes}
    return compile_program(home, process_id, called)


def _load(connection: Connection, version_id: str) -> ProcedurePackage:
    rows = connection.execute(
        select(package_files.c.path, package_files.c.content).where(package_files.c.version_id == version_id)
    )
    files: Mapping[str, bytes] = {row.path: row.content for row in rows}
    if not files:
        raise ProcedureUnknownError(f"no procedure version {version_id}")
    return load_files(files)


def latest_version(connection: Connection, procedure_key: str) -> str:
    """Return the id of the newest version of a procedure; raise ProcedureUnknownError where none is."""
    found: str | None = connection.scalar(
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


__all__ = ["Decisions", "ProcedureUnknownError", "Programs", "compile_process", "latest_version"]

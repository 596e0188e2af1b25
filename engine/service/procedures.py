"""Deploying procedures: checked, versioned by content, immutable afterwards."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, insert, select

from engine.actor import Actor, Role
from engine.definitions.checker import CheckContext, Report, Sandbox, check_package
from engine.definitions.message_types import fingerprint
from engine.definitions.model import EventKind, Process, walk
from engine.definitions.package import PackageRefusedError, ProcedurePackage
from engine.definitions.paper import PAPER
from engine.definitions.scenarios import read_scenarios
from engine.errors import ConflictError, RefusedError
from engine.exchange.abilities import ChecksMappings
from engine.exchange.ports import MessageType
from engine.runtime import FUNCTIONS, Program
from engine.service.access import require
from engine.service.programs import Deployed
from engine.service.schedules import managing
from engine.service.schedules.starts import starts_of
from engine.service.services import known_workers
from engine.store.tables import message_types, package_files, procedure_versions, processes
from engine.yaml_text import Problem

if TYPE_CHECKING:
    from engine.service.installation import Installation


class ModelRefusedError(RefusedError):
    """The checker refused a model of this procedure."""

    def __init__(self, reports: list[Report]) -> None:
        """Keep the reports; the message lists what was refused."""
        self.reports = reports
        found = [finding for report in reports for finding in report.errors]
        lines = "; ".join(f"{f.file}:{f.line} {f.rule} {f.message}" for f in found[:10])
        super().__init__(
            f"the model was refused: {lines}", hint="'dienstweg model check FILE' shows all of it"
        )


class MappingsRefusedError(RefusedError):
    """A message type says something to a payload that it cannot carry out."""


class MessageTypeChangedError(ConflictError):
    """A message type was changed without a new version."""


@dataclass(frozen=True, slots=True)
class Version:
    """A deployed version of a procedure."""

    id: str
    procedure_key: str
    number: int
    title: str
    deployed_at: Any
    deployed_by: str
    new: bool = True


@dataclass(frozen=True, slots=True)
class ExchangeStep:
    """A step of a model that sends a message to another authority."""

    element_id: str
    name: str
    message: str
    form: str | None
    fallback: str


def deploy(
    app: "Installation",
    actor: Actor,
    package: ProcedurePackage,
    *,
    sandbox: Sandbox | None = None,
    workers: frozenset[str] = frozenset(),
) -> Version:
    """Check and deploy a procedure package; the same content twice is one version.

    ``sandbox`` may be one that runs already, where many packages are deployed in a row; ``workers`` names
    service tasks whose work is done by other means than the installed handlers.

    Raises ModelRefusedError, PackageRefusedError, MappingsRefusedError, MessageTypeChangedError,
    RoleMissingError. Nothing is deployed then.
    """
    require(actor, Role.ADMIN, Role.ANALYST)
    check(package, sandbox, workers)
    check_mappings(app, package)
    deployed = Deployed(package)
    played = {role.process for role in package.roles.values()}
    runnable = [
        process
        for model in deployed.models
        for process in model.processes
        if process.executable or process.id in played
    ]
    for process in runnable:
        deployed.program(process.id)
    check_paper(package, runnable)
    now = app.clock.now()
    with app.write() as tx:
        same = _same(tx, package)
        if same is not None:
            return same
        newest = tx.scalar(
            select(func.max(procedure_versions.c.number)).where(
                procedure_versions.c.procedure_key == package.key
            )
        )
        version = Version(
            str(app.ids.new()), package.key, (newest or 0) + 1, package.title, now, actor.person_id
        )
        tx.execute(
            insert(procedure_versions).values(
                id=version.id,
                procedure_key=version.procedure_key,
                number=version.number,
                title=version.title,
                content_hash=package.content_hash,
                deployed_at=now,
                deployed_by=version.deployed_by,
            )
        )
        for path, content in package.files.items():
            tx.execute(insert(package_files).values(version_id=version.id, path=path, content=content))
        for process in runnable:
            tx.execute(insert(processes).values(**_process_row(version, package, process, deployed)))
        for message_type in package.message_types.values():
            _register(tx, message_type, now)
        managing.follow(app, tx, package.key, deployed, [process.id for process in runnable], actor.person_id)
    return version


def check(
    package: ProcedurePackage, sandbox: Sandbox | None = None, workers: frozenset[str] = frozenset()
) -> list[Report]:
    """Run the checker over every model of ``package``; raise ModelRefusedError where one is refused."""
    known = CheckContext(functions=frozenset(FUNCTIONS), workers=known_workers() | workers)
    reports = check_package(package, known, sandbox=sandbox)
    if not all(report.accepted for report in reports):
        raise ModelRefusedError(reports)
    return reports


def check_mappings(app: "Installation", package: ProcedurePackage) -> None:
    """Ask every installed payload about the message types' mappings; raises MappingsRefusedError."""
    able = [payload for payload in app.adapters.payloads() if isinstance(payload, ChecksMappings)]
    found = [
        fault
        for payload in able
        for message_type in package.message_types.values()
        for fault in payload.check_mapping(message_type)
    ]
    if found:
        raise MappingsRefusedError("; ".join(found), where=f"procedure {package.key}")


def check_paper(package: ProcedurePackage, processes: Iterable[Process]) -> None:
    """Raise PackageRefusedError where ``paper.yaml`` speaks of an element that sends nothing."""
    sending = {step.element_id for process in processes for step in exchange_steps(process)}
    hint = f"one of: {', '.join(sorted(sending))}"
    problems = [
        Problem(PAPER, None, f"steps.{element}", "is no send of the model", hint)
        for element in package.paper
        if element not in sending
    ]
    if problems:
        raise PackageRefusedError(problems, where=package.key)


def check_whole(package: ProcedurePackage) -> None:
    """Check a package as deploying would, and its scenarios as playing them would; changes nothing.

    Raises ModelRefusedError, PackageRefusedError.
    """
    check(package)
    read_scenarios(package)


def _same(tx: Connection, package: ProcedurePackage) -> Version | None:
    row = (
        tx.execute(
            select(procedure_versions).where(
                procedure_versions.c.procedure_key == package.key,
                procedure_versions.c.content_hash == package.content_hash,
            )
        )
        .mappings()
        .one_or_none()
    )
    return _version(dict(row), new=False) if row is not None else None


def _version(row: Mapping[str, Any], *, new: bool) -> Version:
    return Version(
        row["id"],
        row["procedure_key"],
        row["number"],
        row["title"],
        row["deployed_at"],
        row["deployed_by"],
        new,
    )


def _process_row(
    version: Version, package: ProcedurePackage, process: Process, deployed: Deployed
) -> dict[str, Any]:
    role = package.role_of(process.id)
    file = next(model.file for model in deployed.models if process in model.processes)
    program = deployed.program(process.id)
    return {
        "version_id": version.id,
        "process_id": process.id,
        "procedure_key": package.key,
        "name": role.title if role else process.name or process.id,
        "file": file,
        "manual_start": bool(program.root.starts),
        "start_messages": _start_messages(program),
        "exchange_steps": [
            {name: getattr(step, name) for name in ExchangeStep.__dataclass_fields__}
            for step in exchange_steps(process)
        ],
    }


def _start_messages(program: Program) -> dict[str, str]:
    """Return the elements at which messages begin a case, by message type, else by the message's name."""
    return {
        name: point.element_id
        for point in program.starts
        if point.kind == EventKind.MESSAGE.value and (name := point.attributes.get("message") or point.event)
    }


def exchange_steps(process: Process) -> list[ExchangeStep]:
    """Return the steps of a process that send to another authority (those with ``dw:recipient``)."""
    return [
        ExchangeStep(
            element_id=node.id,
            name=node.name or node.id,
            message=node.attributes.get("message", ""),
            form=node.attributes.get("form"),
            fallback=node.attributes.get("fallback", "post"),
        )
        for _, node in walk(process.scope)
        if "recipient" in node.attributes
    ]


def _register(tx: Connection, message_type: MessageType, now: Any) -> None:
    """Keep a message type's version; the same version with other content is refused."""
    content = {"fingerprint": fingerprint(message_type), "title": message_type.title}
    known = tx.execute(
        select(message_types.c.content).where(
            message_types.c.key == message_type.key, message_types.c.version == message_type.version
        )
    ).scalar_one_or_none()
    if known is None:
        tx.execute(
            insert(message_types).values(
                key=message_type.key, version=message_type.version, content=content, deployed_at=now
            )
        )
    elif known["fingerprint"] != content["fingerprint"]:
        raise MessageTypeChangedError(
            f"message type {message_type.key} {message_type.version} is deployed with other content",
            hint="partners rely on it: raise its version in message.yaml",
        )


def list_versions(app: "Installation", actor: Actor, procedure: str | None = None) -> list[Version]:
    """Return deployed versions by procedure and number."""
    query = select(procedure_versions).order_by(
        procedure_versions.c.procedure_key, procedure_versions.c.number
    )
    if procedure:
        query = query.where(procedure_versions.c.procedure_key == procedure)
    with app.read() as tx:
        return [_version(dict(row), new=False) for row in tx.execute(query).mappings()]


def show_procedure(app: "Installation", actor: Actor, procedure: str) -> dict[str, Any]:
    """Return the newest version of a procedure with its processes, steps and message types."""
    from engine.service.programs import latest_version

    with app.read() as tx:
        version_id = latest_version(tx, procedure)
        row = (
            tx.execute(select(procedure_versions).where(procedure_versions.c.id == version_id))
            .mappings()
            .one()
        )
        parts = tx.execute(select(processes).where(processes.c.version_id == version_id)).mappings().all()
        package = app.programs.package(tx, version_id)
        timed = starts_of(app.programs.deployed(tx, version_id), [part["process_id"] for part in parts])
    starts: dict[str, list[dict[str, str]]] = {}
    for start in timed:
        about = {"element_id": start.element_id, "kind": start.timer.value, "time": start.expression.text}
        starts.setdefault(start.process_id, []).append(about)
    return {
        "key": procedure,
        "title": row["title"],
        "number": row["number"],
        "version_id": version_id,
        "content_hash": row["content_hash"],
        "deployed_at": row["deployed_at"],
        "deployed_by": row["deployed_by"],
        "processes": [{**part, "start_timers": starts.get(part["process_id"], [])} for part in parts],
        "message_types": [
            {"key": m.key, "version": m.version, "title": m.title, "form": m.form.value}
            for m in package.message_types.values()
        ],
        "forms": sorted(package.forms),
    }

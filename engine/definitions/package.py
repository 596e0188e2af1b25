"""A procedure package: model, forms, decisions, message types, letters and scenarios in one folder.

``load_package`` reads a folder (also one inside a wheel), ``build_package`` the same files from anywhere
else, e.g. the store. The format is described in ``docs/reference/procedure-package.md``. BPMN and DMN are
kept as bytes; the reader and the checker judge them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from engine.definitions.forms import Form, FormFileRefusedError, read_form
from engine.definitions.message_types import judge_schema
from engine.definitions.package_errors import PackageMissingError, PackageRefusedError
from engine.definitions.package_files import PROCEDURE, content_hash, read_folder
from engine.definitions.paper import PAPER, PaperReason, read_paper
from engine.definitions.schema_faults import faults
from engine.definitions.schemas import schema
from engine.exchange.ports import FormClass, MessageType
from engine.yaml_text import Problem, YamlFault, YamlText, field_name, read_yaml

__all__ = [
    "LegalBasis",
    "PackageMissingError",
    "PackageRefusedError",
    "Problem",
    "ProcedurePackage",
    "ProcessRole",
    "Retention",
    "build_package",
    "load_package",
]


@dataclass(frozen=True, slots=True)
class LegalBasis:
    """A law that the procedure stands on."""

    law: str
    paragraphs: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class ProcessRole:
    """The part an authority plays in the procedure, and the executable process that plays it."""

    key: str
    process: str
    title: str
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long a finished case is kept."""

    period: str
    """ISO 8601 duration in years, months and days."""
    start: str
    """``case-end`` or ``end-of-year`` (of the year in which the case ended)."""
    basis: str


@dataclass(frozen=True, slots=True)
class ProcedurePackage:
    """A procedure as its analysts wrote it; immutable, known by its content hash."""

    key: str
    title: str
    summary: str
    basis: tuple[LegalBasis, ...]
    roles: Mapping[str, ProcessRole]
    retention: Retention
    models: Mapping[str, bytes]
    """File name → BPMN."""
    forms: Mapping[str, Form]
    """Form id (what ``formRef`` and ``formId`` name) → form."""
    decisions: Mapping[str, bytes]
    """File name → DMN."""
    message_types: Mapping[str, MessageType]
    scenarios: Mapping[str, bytes]
    """File name → YAML; ``scenarios.read_scenario`` parses it."""
    content_hash: str
    """Hex SHA-256; see ``package_files.content_hash``."""
    files: Mapping[str, bytes]
    """Everything as it was read; ``build_package(files)`` gives the same package."""
    paper: Mapping[str, PaperReason] = field(default_factory=dict)
    """Element id of a send → what the law says of its form."""

    def role_of(self, process_id: str) -> ProcessRole | None:
        """Return the role that ``process_id`` plays, or None where it is not one of the procedure's."""
        return next((role for role in self.roles.values() if role.process == process_id), None)


def load_package(root: Path | Traversable) -> ProcedurePackage:
    """Read the package in folder ``root``.

    Raises:
        PackageMissingError: there is no package.
        PackageUnreadableError: the disk does not give a file.
        PackageRefusedError: lists every fault with file, line and field.
    """
    if isinstance(root, Path):
        root = root.resolve()  # "." has no name of its own
    return build_package(read_folder(root), where=root.name)


def build_package(files: Mapping[str, bytes], where: str | None = None) -> ProcedurePackage:
    """Read a package from its files (path inside the package → content); ``where`` names it in faults.

    Raises:
        PackageMissingError: ``procedure.yaml`` is not among the files.
        PackageRefusedError: lists every fault with file, line and field.
    """
    if PROCEDURE not in files:
        raise PackageMissingError(f"there is no {PROCEDURE}", where=where, hint="add it to the package")
    return _Builder(files).build(where)


class _Builder:
    """Collects problems over all files of one package before it refuses."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = files
        self.problems: list[Problem] = []

    def build(self, where: str | None) -> ProcedurePackage:
        head = self.yaml(PROCEDURE, "procedure")
        forms = self.forms()
        messages = self.messages()
        models = self.part("", ".bpmn")
        paper = self.paper()
        if head is not None:
            self.check_head(head, models, messages, where)
        if self.problems or head is None:
            raise PackageRefusedError(self.problems, where=where)
        data = head.data
        retention = data["retention"]
        return ProcedurePackage(
            key=data["key"],
            title=data["title"],
            summary=data.get("summary", ""),
            basis=tuple(LegalBasis(**entry) for entry in data["basis"]),
            roles={key: ProcessRole(key=key, **role) for key, role in data["roles"].items()},
            retention=Retention(
                retention["period"], retention.get("from", "case-end"), retention["basis"].strip()
            ),
            models=models,
            forms=forms,
            decisions=self.part("decisions/", ".dmn"),
            message_types=messages,
            scenarios=self.part("scenarios/", ".yaml"),
            content_hash=content_hash(self.files),
            files=dict(sorted(self.files.items())),
            paper=paper,
        )

    def part(self, folder: str, ending: str) -> dict[str, bytes]:
        """Return the files directly in ``folder``, by name."""
        return {
            path[len(folder) :]: content
            for path, content in sorted(self.files.items())
            if path.startswith(folder) and path.endswith(ending) and "/" not in path[len(folder) :]
        }

    def paper(self) -> dict[str, PaperReason]:
        if PAPER not in self.files:
            return {}
        reasons, problems = read_paper(self.files[PAPER])
        self.problems.extend(problems)
        return reasons

    def problem(self, file: str, line: int | None, field: str, message: str, hint: str) -> None:
        self.problems.append(Problem(file, line, field, message, hint))

    def yaml(self, file: str, schema_name: str) -> YamlText | None:
        """Read a YAML file and hold it against its schema; None where it has faults."""
        try:
            read = read_yaml(self.files[file], file)
        except YamlFault as fault:
            self.problems.append(fault.problem)
            return None
        found = faults(schema(schema_name), read.data)
        for one in found:
            self.problem(file, read.line(one.path), field_name(one.path), one.message, one.hint)
        return None if found else read

    def check_head(
        self,
        head: YamlText,
        models: Mapping[str, bytes],
        messages: Mapping[str, MessageType],
        where: str | None,
    ) -> None:
        data = head.data
        if where and where != data["key"]:
            self.problem(
                PROCEDURE,
                head.line(("key",)),
                "key",
                f"is not the folder's name {where!r}",
                "make them equal",
            )
        named = data.get("models", [f"{data['key']}.bpmn"])
        self.same(head, "models", named, models, "the package's .bpmn files")
        self.same(head, "messages", data.get("messages", []), messages, "the folders below messages/")
        processes: dict[str, str] = {}
        for key, role in data["roles"].items():
            other = processes.setdefault(role["process"], key)
            if other != key:
                path = ("roles", key, "process")
                self.problem(
                    PROCEDURE,
                    head.line(path),
                    field_name(path),
                    f"is also that of {other}",
                    "one role a process",
                )

    def same(self, head: YamlText, field: str, named: list[str], there: Mapping[str, Any], what: str) -> None:
        for index, name in enumerate(named):
            if name not in there and not any(p.file.startswith(f"messages/{name}/") for p in self.problems):
                self.problem(
                    PROCEDURE,
                    head.line((field, index)),
                    field,
                    f"{name} is not among {what}",
                    "add it or rename",
                )
        for name in sorted(set(there) - set(named)):
            self.problem(PROCEDURE, head.line((field,)), field, f"does not name {name}", "add it to the list")

    def forms(self) -> dict[str, Form]:
        found: dict[str, Form] = {}
        for name in self.part("forms/", ".form"):
            file = f"forms/{name}"
            form = self.form(file)
            if form is None:
                continue
            if form.id in found:
                self.problem(file, None, "id", f"{form.id!r} is the id of another form too", "make it unique")
            found[form.id] = form
        return found

    def form(self, file: str) -> Form | None:
        try:
            return read_form(self.files[file], file)
        except FormFileRefusedError as error:
            self.problems.extend(error.problems)
            return None

    def messages(self) -> dict[str, MessageType]:
        folders = sorted({path.split("/")[1] for path in self.files if path.startswith("messages/")})
        found: dict[str, MessageType] = {}
        for folder in folders:
            message_type = self.message(folder)
            if message_type is not None:
                found[folder] = message_type
        return found

    def message(self, folder: str) -> MessageType | None:
        """Read one message type; every fault in its folder is noted, not only the first."""
        base = f"messages/{folder}"
        file = f"{base}/message.yaml"
        if file not in self.files:
            self.problem(file, None, "", "is missing", "every folder below messages/ needs one")
            return None
        before = len(self.problems)
        read = self.yaml(file, "message")
        template = self.template(f"{base}/letter.jinja")
        registration = self.registration(f"{base}/registration.form")
        if read is None:
            return None
        data = read.data
        if data["key"] != folder:
            self.problem(
                file, read.line(("key",)), "key", f"is not the folder's name {folder!r}", "make equal"
            )
        self.check_template(file, read.line(("subject",)), "subject", data["subject"])
        data_schema = self.data_schema(base, read)
        if len(self.problems) > before or data_schema is None:
            return None
        if registration is not None:
            self.check_registration(f"{base}/registration.form", registration, data_schema)
        return MessageType(
            key=data["key"],
            version=data["version"],
            title=data["title"],
            schema=data_schema,
            answers=tuple(data.get("answers", ())),
            reminds=tuple(data.get("reminds", ())),
            form=FormClass(data.get("form", "none")),
            subject=data["subject"],
            template=template,
            registration_form=None if registration is None else registration.source,
            mappings=data.get("mappings", {}),
            documents=tuple(data.get("documents", ())),
        )

    def data_schema(self, base: str, read: YamlText) -> Mapping[str, Any] | None:
        """Return the message's JSON schema, from ``schema.json`` or inline."""
        file = f"{base}/schema.json"
        inline = read.data.get("schema")
        if (file in self.files) == (inline is not None):
            message = "stands inline and in schema.json" if inline else "is missing"
            self.problem(f"{base}/message.yaml", read.line(("schema",)), "schema", message, "one of the two")
            return None
        if inline is None:
            inline = self.json(file)
            if not isinstance(inline, dict):
                self.problem(file, None, "", "is no JSON object", "write a JSON schema")
                return None
        else:
            file = f"{base}/message.yaml"
        for path, message, hint in judge_schema(inline):
            line = None if file.endswith(".json") else read.line(("schema", *path))
            self.problem(file, line, field_name(path), message, hint)
        return dict(inline)

    def json(self, file: str) -> Any:
        try:
            return json.loads(self.files[file])
        except RecursionError:
            self.problem(file, None, "", "is nested too deep", "flatten it")
        except json.JSONDecodeError as error:
            self.problem(file, error.lineno, "", f"is not JSON: {error.msg}", "check commas and quotes")
        except UnicodeDecodeError:
            self.problem(file, None, "", "is not UTF-8", "save the file as UTF-8")
        return None

    def template(self, file: str) -> str | None:
        if file not in self.files:
            return None
        try:
            text = self.files[file].decode("utf-8-sig")
        except UnicodeDecodeError:
            self.problem(file, None, "", "is not UTF-8", "save the file as UTF-8")
            return None
        self.check_template(file, None, "", text)
        return text

    def check_template(self, file: str, line: int | None, field: str, text: str) -> None:
        from engine.definitions.letters import TemplateFault, check_template

        try:
            check_template(text)
        except TemplateFault as fault:
            self.problem(file, line or fault.line, field, fault.message, fault.hint)

    def registration(self, file: str) -> Form | None:
        return self.form(file) if file in self.files else None

    def check_registration(self, file: str, form: Form, data_schema: Mapping[str, Any]) -> None:
        """Refuse a registration form that cannot give data of the message's schema."""
        known = set(data_schema.get("properties", {}))
        asked = {field.path[0] for field in form.fields}
        for key in sorted(asked - known):
            self.problem(file, None, key, "is not in the message's schema", "use a name from the schema")
        for key in sorted(set(data_schema.get("required", ())) - asked):
            self.problem(file, None, key, "is required by the schema but not asked for", "add a field for it")

"""Checks one file: schema, reader, rules. For files from strangers use ``sandbox.check_untrusted``."""

from collections.abc import Iterable

from engine.definitions.checker.findings import Category, Finding, Report, Severity
from engine.definitions.checker.rule import CheckContext, Fault, Rule, Subject
from engine.definitions.checker.schema import schema_faults
from engine.definitions.checker.table import RULES
from engine.definitions.reader import model_of
from engine.definitions.xml import NotBpmnError, UnreadableFileError, parse_xml

UNREADABLE = "DW101"
NOT_BPMN = "DW102"
SCHEMA = "DW103"
DRAWING = "DW104"
TOO_MUCH = "DW112"
"""Told by the sandbox: the check took more time or memory than it may."""

FILE_RULES = (UNREADABLE, NOT_BPMN, SCHEMA, DRAWING, TOO_MUCH)
"""Rules that need no model; they stand outside the table."""

_LONGEST = 1000
"""Characters of a name, message or hint."""

_AT_MOST = 500
"""Findings of one file; nobody reads more."""


def check_model(data: bytes, file: str, *, context: CheckContext | None = None) -> Report:
    """Return everything the checker has to say about a BPMN file; no content raises.

    Args:
        data: the whole file.
        file: its name, only to be shown.
        context: what the installation or package knows; without it, what cannot be known is not told.
    """
    try:
        root = parse_xml(data, file)
        model = model_of(root, file)
    except UnreadableFileError as error:
        return Report(file=file, findings=(_unreadable(error),))
    found = [
        _finding(
            SCHEMA if refuses else DRAWING,
            Severity.ERROR if refuses else Severity.WARNING,
            Category.WRONG if refuses else Category.SUSPICIOUS,
            file,
            fault,
        )
        for refuses, fault in schema_faults(root)
    ]
    subject = Subject.of(model, context or CheckContext())
    found.extend(apply(RULES, subject))
    executable = tuple(process.id for process in subject.model.processes if process.executable)
    return Report(file=file, findings=_arranged(found), processes=executable)


def apply(rules: Iterable[Rule], subject: Subject) -> Iterable[Finding]:
    """Yield what the rules find in the subject."""
    for rule in rules:
        for fault in rule.look(subject):
            yield _finding(rule.id, rule.severity, rule.category, subject.model.file, fault)


def _finding(rule: str, severity: Severity, category: Category, file: str, fault: Fault) -> Finding:
    return Finding(
        rule=rule,
        severity=severity,
        category=category,
        file=file,
        line=fault.line,
        element=_short(fault.element),
        name=_short(fault.name),
        message=_short(fault.message) or "",
        hint=_short(fault.hint) or "",
    )


def _short(text: str | None) -> str | None:
    """Return the text as far as somebody reads it; names in a file may be of any length."""
    return text if text is None or len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _unreadable(error: UnreadableFileError) -> Finding:
    return Finding(
        rule=NOT_BPMN if isinstance(error, NotBpmnError) else UNREADABLE,
        severity=Severity.ERROR,
        category=Category.WRONG,
        file=error.file,
        line=error.line or 1,
        element=None,
        name=None,
        message=error.reason,
        hint=error.hint or "check that the right file was chosen",
    )


def _arranged(found: list[Finding]) -> tuple[Finding, ...]:
    """Sort by line; where a rule says it better, leave out what the schema says about the same line."""
    told = {item.line for item in found if item.severity is Severity.ERROR and item.rule not in FILE_RULES}
    kept = {item: None for item in found if item.rule not in (SCHEMA, DRAWING) or item.line not in told}
    return tuple(sorted(kept, key=lambda item: (item.line, item.rule, item.element or ""))[:_AT_MOST])

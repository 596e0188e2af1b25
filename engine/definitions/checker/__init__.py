"""The model checker: what the engine would get wrong does not deploy (``docs/reference/rules.md``).

>>> report = check_model(b"<not xml", "loan.bpmn")
>>> report.accepted, report.findings[0].rule
(False, 'DW101')
"""

from engine.definitions.checker.findings import Category, Finding, Report, Severity, sarif
from engine.definitions.checker.rule import CheckContext
from engine.definitions.checker.sandbox import (
    Limits,
    Sandbox,
    SandboxUnavailableError,
    check_package,
    check_untrusted,
)

__all__ = [
    "Category",
    "CheckContext",
    "Finding",
    "Limits",
    "Report",
    "Sandbox",
    "SandboxUnavailableError",
    "Severity",
    "check_model",
    "check_package",
    "check_untrusted",
    "sarif",
]


def check_model(data: bytes, file: str, *, context: CheckContext | None = None) -> Report:
    """Return everything the checker has to say about a file that we trust; no content raises.

    Args:
        data: the whole file.
        file: its name, only to be shown.
        context: what the installation or package knows; without it, what cannot be known is not told.
    """
    from engine.definitions.checker.check import check_model as check

    return check(data, file, context=context)

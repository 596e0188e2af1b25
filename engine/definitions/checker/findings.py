"""What the checker says about a file: findings, and the report that holds them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

RULES_PAGE = "docs/reference/rules.md"


class Severity(StrEnum):
    """An error refuses the file; a warning and a note do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Category(StrEnum):
    """Why a thing is found: what the reader of the report has to do differs."""

    INCOMPLETE = "incomplete"
    """Modelling is incomplete: go on drawing."""
    UNSUPPORTED = "unsupported"
    """Legal BPMN or another product's extension that does not run here: draw it another way."""
    WRONG = "wrong"
    """Not BPMN, or it contradicts itself: correct it."""
    SUSPICIOUS = "suspicious"
    """Legal, and likely not what was meant: look again."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. ``line`` counts from 1."""

    rule: str
    severity: Severity
    category: Category
    file: str
    line: int
    element: str | None
    name: str | None
    message: str
    hint: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}"
        who = " ".join(part for part in (self.element, f"“{self.name}”" if self.name else None) if part)
        where = f"{place}: {who}: " if who else f"{place}: "
        return f"{where}{self.severity} {self.rule} ({self.category}): {self.message} → {self.hint}"


@dataclass(frozen=True, slots=True)
class Report:
    """Everything found in one file, in the order of its lines."""

    file: str
    findings: tuple[Finding, ...]
    processes: tuple[str, ...] = ()
    """Ids of the executable processes."""

    @property
    def accepted(self) -> bool:
        """True where nothing refuses the file."""
        return not any(finding.severity is Severity.ERROR for finding in self.findings)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that refuse the file."""
        return tuple(item for item in self.findings if item.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that only ask to look again."""
        return tuple(item for item in self.findings if item.severity is Severity.WARNING)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON data; ``from_dict`` is the way back."""
        return {
            "file": self.file,
            "accepted": self.accepted,
            "processes": list(self.processes),
            "findings": [asdict(finding) for finding in self.findings],
        }

    def to_json(self) -> str:
        """Return the report as JSON text."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=2)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Report":
        """Return the report that ``to_dict`` wrote."""
        findings = tuple(
            Finding(
                **{
                    **item,
                    "severity": Severity(item["severity"]),
                    "category": Category(item["category"]),
                }
            )
            for item in data["findings"]
        )
        return cls(file=data["file"], findings=findings, processes=tuple(data["processes"]))

    def to_sarif(self) -> dict[str, Any]:
        """Return the report as a SARIF 2.1.0 log with one run."""
        return sarif([self])


def sarif(reports: Iterable[Report]) -> dict[str, Any]:
    """Return the reports as one SARIF 2.1.0 log, as code hosts and editors read it."""
    findings = [finding for report in reports for finding in report.findings]
    rules = sorted({finding.rule for finding in findings})
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "dienstweg model check",
                        "rules": [{"id": rule, "helpUri": f"{RULES_PAGE}#{rule.lower()}"} for rule in rules],
                    }
                },
                "results": [
                    {
                        "ruleId": finding.rule,
                        "ruleIndex": rules.index(finding.rule),
                        "level": finding.severity.value,
                        "message": {"text": f"{finding.message}. {finding.hint}"},
                        "properties": {"category": finding.category.value},
                        "locations": [
                            {
                                "physicalLocation": {
                                    "artifactLocation": {"uri": _uri(finding.file)},
                                    "region": {"startLine": max(1, finding.line)},
                                },
                                "logicalLocations": [
                                    {
                                        "name": finding.name or finding.element or "",
                                        "fullyQualifiedName": finding.element or "",
                                    }
                                ],
                            }
                        ],
                    }
                    for finding in findings
                ],
            }
        ],
    }


def _uri(file: str) -> str:
    from urllib.parse import quote

    return quote(file.replace("\\", "/"))

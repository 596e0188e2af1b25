"""What the reader of a BPMN file has no use for, and what it could not resolve; the checker judges both."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension element, extension attribute or BPMN element that the reader has no use for."""

    tag: str
    """In Clark notation."""
    line: int
    element: str | None
    bpmn: bool
    """True where the tag is in the BPMN namespace: the checker refuses it; foreign ones only warn."""
    value: str | None = None
    """The value of an attribute; None for elements."""
    owner: str | None = None
    """Local name of the BPMN element that carries it."""


class TroubleKind(StrEnum):
    """What the reader could not make sense of; the checker has a rule for each."""

    BROKEN_REFERENCE = "broken reference"
    FOREIGN_REFERENCE = "reference into another file"
    DUPLICATE_ID = "duplicate id"
    CROSSING_FLOW = "flow that crosses scopes"
    DANGLING_FLOW = "flow without an end"
    UNSUPPORTED_DATA = "unsupported data mapping"
    UNSUPPORTED_EXTENSION = "unsupported extension"
    UNSUPPORTED_BPMN = "unsupported BPMN"
    PICTURE = "association that moves no data"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing the reader could not resolve; what it stands for is None or missing in the model."""

    kind: TroubleKind
    line: int
    element: str | None
    name: str | None
    """Name of the element, where it has one."""
    what: str
    """The attribute or element concerned, as the file writes it."""
    value: str = ""
    detail: str = ""
    """What is wrong with it, in a few words."""

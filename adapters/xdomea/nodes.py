"""What every object of the model has: attributes and parts that no table knows."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Kept:
    """A part of a message that is not understood, as it came."""

    within: str
    """Wrapper elements between the object and the part, joined by ``/``; empty directly below the object."""
    index: int
    """Position among the sibling elements."""
    xml: str
    empty: bool = False
    """Whether the part says nothing: no text, no attribute, no element in it."""

    @property
    def name(self) -> str:
        """Name of the element, for people."""
        return self.xml[1:].split(maxsplit=1)[0].rstrip("/>").partition(">")[0]


@dataclass(slots=True, kw_only=True)
class Node:
    """An object of the standard."""

    attributes: dict[str, str] = field(default_factory=dict)
    """XML attributes that the standard does not give this object, by qualified name."""
    kept: list[Kept] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Code:
    """A code with the list it is from, where the message says so."""

    code: str
    name: str | None = None
    list_uri: str | None = None
    list_version: str | None = None

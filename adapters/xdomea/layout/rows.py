"""The rows that a table of the layout consists of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from adapters.xdomea.nodes import Node
from adapters.xdomea.versions import Family

NO_NAMESPACE = "{}"
"""Before a name: the element is in no namespace."""

Names = str | Mapping[int, str]
"""One spelling for all families, or one for each family that has the element."""


class Kind(Enum):
    """What an element holds."""

    TEXT = auto()
    FLAG = auto()
    CODE = auto()
    PART = auto()
    CHOICE = auto()


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """An element, and the attribute of the model it fills."""

    attribute: str
    names: Names
    kind: Kind
    many: bool = False
    part: type[Node] | None = None
    """Class of the object inside a ``PART``."""
    choices: Mapping[str, type[Node]] = field(default_factory=dict)
    """Element name → class, inside a ``CHOICE``."""
    beside: str | None = None
    """Element after the chosen one that gives its ``attachment_number``."""


@dataclass(frozen=True, slots=True, eq=False)
class Inside:
    """An element that only wraps others."""

    names: Names
    items: tuple["Row | Inside", ...]


Item = Row | Inside


def since3(name: str) -> Names:
    """Spell an element that came with 3.0."""
    return {3: name, 4: name}


def until3(name: str) -> Names:
    """Spell an element that went with 4.0."""
    return {2: name, 3: name}


def only(family: int, name: str) -> Names:
    """Spell an element that one family has."""
    return {family: name}


def text(attribute: str, names: Names) -> Row:
    """Fill ``attribute`` with the element's text."""
    return Row(attribute, names, Kind.TEXT)


def texts(attribute: str, names: Names) -> Row:
    """Fill ``attribute`` with the texts of repeated elements."""
    return Row(attribute, names, Kind.TEXT, many=True)


def flag(attribute: str, names: Names) -> Row:
    """Fill ``attribute`` with the element's xs:boolean."""
    return Row(attribute, names, Kind.FLAG)


def code(attribute: str, names: Names) -> Row:
    """Fill ``attribute`` with the element's XÖV code."""
    return Row(attribute, names, Kind.CODE)


def codes(attribute: str, names: Names) -> Row:
    """Fill ``attribute`` with the codes of repeated elements."""
    return Row(attribute, names, Kind.CODE, many=True)


def part(attribute: str, names: Names, cls: type[Node]) -> Row:
    """Fill ``attribute`` with an object."""
    return Row(attribute, names, Kind.PART, part=cls)


def parts(attribute: str, names: Names, cls: type[Node]) -> Row:
    """Fill ``attribute`` with the objects of repeated elements."""
    return Row(attribute, names, Kind.PART, many=True, part=cls)


def choices(
    attribute: str, names: Names, classes: Mapping[str, type[Node]], beside: str | None = None
) -> Row:
    """Fill ``attribute`` with objects that each stand in a wrapper which lets choose between kinds."""
    return Row(attribute, names, Kind.CHOICE, many=True, choices=classes, beside=beside)


def inside(names: Names, *items: Item) -> Inside:
    """Read and write ``items`` inside a wrapper."""
    return Inside(names, items)


Table = Sequence[Item]


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """A table for one family: what stands there, in order, and by element name."""

    items: tuple[tuple[str, Item], ...]
    by_name: Mapping[str, Item]


def layout_of(table: Table, family: Family) -> Layout:
    """Pick what ``family`` has of ``table``."""
    found = ((_spelling(item.names, family), item) for item in table)
    items = tuple((name, item) for name, item in found if name is not None)
    return Layout(items, dict(items))


def _spelling(names: Names, family: Family) -> str | None:
    return names if isinstance(names, str) else names.get(int(family))

"""Holds a file against the BPMN 2.0 schema, which SpiffWorkflow brings along."""

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import as_file, files
from itertools import islice
from typing import Any

from lxml import etree

from engine.definitions.checker.rule import Fault
from engine.definitions.reading import nearest_with_id
from engine.definitions.xml import BPMN, line_of

_NAMES = re.compile(r"\{http[^}]*\}")
_ELEMENT = re.compile(r"Element '([^']+)'")
_AT_MOST = 50
_EMPTY_ATTRIBUTE = "SCHEMAV_CVC_COMPLEX_TYPE_3_2_2"
_ATTRIBUTE = re.compile(r"attribute '([^'{}]+)'")


@cache
def load_schema() -> etree.XMLSchema:
    """Return the BPMN 2.0 schema, compiled once."""
    # The file includes its neighbours, so the folder has to be one on disk. Naming the top package only
    # keeps the library itself from being imported.
    with as_file(files("SpiffWorkflow").joinpath("bpmn", "parser", "schema")) as folder:
        return etree.XMLSchema(etree.parse(str(folder / "BPMN20.xsd")))


def schema_faults(root: etree._Element) -> Iterator[tuple[bool, Fault]]:
    """Yield what breaks the schema: whether it refuses (False: only the drawing), and the fault."""
    schema: Any = load_schema()
    if schema.validate(root.getroottree()):
        return
    by_line: dict[int, list[etree._Element]] = {}
    for element in root.iter("*"):
        by_line.setdefault(line_of(element), []).append(element)
    for item in islice(iter(schema.error_log), _AT_MOST):
        found = _element(item, by_line.get(item.line, []))
        owner = None if found is None else nearest_with_id(found)
        yield (
            _refuses(item, found),
            Fault(
                item.line,
                None if owner is None else owner.get("id"),
                None if owner is None else owner.get("name"),
                f"not valid by the BPMN 2.0 schema: {_NAMES.sub('', item.message).rstrip('.')}",
                "correct the line, or export the model again as BPMN 2.0",
            ),
        )


def _element(item: Any, on_line: list[etree._Element]) -> etree._Element | None:
    named = _ELEMENT.match(item.message)
    for element in on_line:
        if named is not None and element.tag == named.group(1):
            return element
    return on_line[0] if on_line else None


def _refuses(item: Any, element: etree._Element | None) -> bool:
    """Faults of the drawing and of other products' elements do not change what the model does."""
    if element is None or not str(element.tag).startswith(f"{{{BPMN}}}"):
        return False
    if item.type_name == _EMPTY_ATTRIBUTE:
        name = _ATTRIBUTE.search(item.message)
        return name is None or bool(element.get(name.group(1)))
    return True

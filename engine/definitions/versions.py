"""What makes two files the same model: every byte for identity, the meaning for recognition."""

import hashlib
from dataclasses import dataclass

from lxml import etree

from engine.definitions.xml import BPMN, BPMN_DI, clark, parse_xml, split

_UNTOLD = frozenset({"exporter", "exporterVersion"})
"""Attributes of the root that change with the modeler, not with the model."""


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """Two hashes of one file, both SHA-256 in hexadecimal."""

    content: str
    """Of the file's bytes: the identity of what was deployed."""
    meaning: str
    """Of the model without drawing, comments and formatting: equal when a file was only laid out anew."""


def version_of(data: bytes, file: str) -> ModelVersion:
    """Return the hashes of a BPMN file; raise UnreadableFileError where it is no XML."""
    root = parse_xml(data, file)
    for diagram in root.findall(clark(BPMN_DI, "BPMNDiagram")):
        root.remove(diagram)
    for name in _UNTOLD:
        if name in root.attrib:
            del root.attrib[name]
    for element in root.iter(f"{{{BPMN}}}*"):
        _without_layout(element)
    meaning = etree.canonicalize(etree.tostring(root, encoding="unicode"), strip_text=True)
    return ModelVersion(hashlib.sha256(data).hexdigest(), hashlib.sha256(meaning.encode()).hexdigest())


def _without_layout(element: etree._Element) -> None:
    """Drop the incoming and outgoing lists: modelers reorder them, and flows say the same."""
    for item in list(element):
        namespace, name = split(item.tag)
        if namespace == BPMN and name in ("incoming", "outgoing"):
            element.remove(item)

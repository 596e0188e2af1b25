"""Small BPMN files for tests."""

from itertools import pairwise
from pathlib import Path

HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:tns="urn:example"'
    ' xmlns:camunda="http://camunda.org/schema/1.0/bpmn"'
    ' xmlns:operaton="http://operaton.org/schema/1.0/bpmn"'
    ' xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"'
    ' xmlns:dw="urn:dienstweg:bpmn:1" id="definitions" targetNamespace="urn:example"{attributes}>\n'
)
SHARED = Path(__file__).parents[2] / ".." / "shared"


def definitions(content: str, attributes: str = "") -> bytes:
    """Return a file with ``content`` below its root, which stands on line 1."""
    return f"{HEAD.format(attributes=attributes)}{content}\n</definitions>".encode()


def process(content: str, process_id: str = "loan") -> str:
    """Return an executable process; its content begins one line below it."""
    return f'<process id="{process_id}" isExecutable="true">\n{content}\n</process>'


def line(*elements: str, ids: tuple[str, ...]) -> str:
    """Return a process that runs through ``ids`` from start to end."""
    chain = ("start", *ids, "end")
    flows = [
        f'<sequenceFlow id="{one}_{two}" sourceRef="{one}" targetRef="{two}"/>'
        for one, two in pairwise(chain)
    ]
    return process("\n".join(('<startEvent id="start"/>', *elements, '<endEvent id="end"/>', *flows)))

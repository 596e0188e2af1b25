"""Two hashes: one for identity, one that recognises a model that was only laid out anew."""

import pytest

from engine.definitions.versions import version_of
from engine.definitions.xml import NotXmlError
from tests.definitions.bpmn import definitions, line

MODEL = definitions(line('<userTask id="ask"/>', ids=("ask",)))
DRAWN = MODEL.replace(
    b"</definitions>",
    b'<d:BPMNDiagram xmlns:d="http://www.omg.org/spec/BPMN/20100524/DI" id="d"/></definitions>',
)


@pytest.mark.parametrize(
    "changed",
    [
        DRAWN,
        MODEL.replace(b"\n", b"\n\n  "),
        MODEL.replace(b"\n<", b"\n<!-- moved --><", 1),
        MODEL.replace(b'id="ask"/>', b'id="ask"><incoming>start_ask</incoming></userTask>'),
        MODEL.replace(b' id="definitions"', b' id="definitions" exporter="m" exporterVersion="2"'),
    ],
    ids=["drawing", "formatting", "comment", "incoming", "exporter"],
)
def test_layout_changes_identity_but_not_meaning(changed: bytes) -> None:
    before, after = version_of(MODEL, "a"), version_of(changed, "a")
    assert before.content != after.content
    assert before.meaning == after.meaning


def test_a_changed_word_changes_the_meaning() -> None:
    changed = version_of(MODEL.replace(b'"ask"/>', b'"ask" name="Ask"/>'), "a")
    assert version_of(MODEL, "a").meaning != changed.meaning


def test_what_is_no_xml_has_no_version() -> None:
    with pytest.raises(NotXmlError):
        version_of(b"", "a")

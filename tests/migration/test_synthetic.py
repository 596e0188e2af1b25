"""Made-up content fits its schema, has the real data's shape, and none of its values."""

import json
import random
from pathlib import Path

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.definitions.package import load_package
from engine.definitions.schema_faults import faults
from engine.migration.shadow import compare, digests
from engine.migration.synthetic import NotSyntheticError, make_up, make_up_document
from processes.bpmn import shipped

SCHEMAS = {
    f"{package.key}/{key}": message.schema
    for package in (load_package(folder) for folder in shipped())
    for key, message in package.message_types.items()
}
EXISTING = Path(__file__).parents[1] / "service" / "packages"


@pytest.mark.parametrize("name", sorted(SCHEMAS))
@pytest.mark.parametrize("seed", range(5))
def test_every_shipped_message_type_can_be_made_up(name, seed):
    made = make_up(SCHEMAS[name], {}, random.Random(seed))
    assert faults(SCHEMAS[name], made) == []
    assert made == make_up(SCHEMAS[name], {}, random.Random(seed))
    full = make_up(SCHEMAS[name], made, random.Random(seed + 100))
    assert faults(SCHEMAS[name], full) == []


texts = st.text(st.characters(min_codepoint=0x41, max_codepoint=0x17F), min_size=4, max_size=60)
REAL = st.fixed_dictionaries(
    {"name": texts, "items": st.lists(st.fixed_dictionaries({"amount": st.integers(0, 99)}), max_size=5)},
    optional={
        "plz": st.from_regex(r"[0-9]{5}", fullmatch=True),
        "note": texts | st.none(),
        "born": st.dates().map(str),
    },
)
SCHEMA = {
    "type": "object",
    "required": ["name", "items"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 80},
        "plz": {"type": "string", "pattern": "^[0-9]{5}$"},
        "note": {"type": ["string", "null"]},
        "born": {"type": "string", "format": "date"},
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["amount"],
                "properties": {"amount": {"type": "integer", "minimum": 0, "maximum": 99}},
            },
        },
    },
}


@given(REAL, st.integers())
def test_the_shape_is_kept_and_no_text_of_it(real, seed):
    made = make_up(SCHEMA, real, random.Random(seed))
    assert faults(SCHEMA, made) == []
    assert made.keys() == real.keys()
    assert len(made["items"]) == len(real["items"])
    assert len(made["name"]) == len(real["name"])
    assert made["name"] != real["name"]


@given(st.from_regex(r"(?:AZ|[A-Z]{2})[ -]?\d{3,6}/(?:19|20)\d\d", fullmatch=True), st.integers())
def test_patterns_are_met(real, seed):
    schema = {"type": "string", "pattern": r"^(?:AZ|[A-Z]{2})[ -]?\d{3,6}/(?:19|20)\d\d$"}
    assert faults(schema, make_up(schema, real, random.Random(seed))) == []


def test_what_cannot_be_met_is_said():
    with pytest.raises(NotSyntheticError, match="could not be met"):
        make_up({"type": "string", "minLength": 5, "pattern": "^a$"}, "x", random.Random(1))


@pytest.mark.parametrize("size", [100, 5_000, 300_000])
def test_a_made_up_pdf_opens_and_has_about_the_size(size, tmp_path):
    made = make_up_document(1, "Bescheid Muster.pdf", "application/pdf", size)
    assert made.name == "test-1.pdf"
    assert abs(made.size - size) < 1000
    document = pypdfium2.PdfDocument(made.open().read())
    assert len(document) == 1
    assert "Probesendung" in document[0].get_textpage().get_text_bounded()


def test_comparison_names_what_differs_and_nothing_else():
    one, two = (make_up_document(n, f"{n}.txt", "text/plain", 50 * n) for n in (1, 2))
    data = {"a": 1, "b": {"c": [1, 2]}}
    sent = digests("m", "1", data, [one, two])
    assert (
        compare(sent, json.loads(json.dumps(digests("m", "1", {"b": {"c": [1, 2]}, "a": 1}, [one, two]))))
        == []
    )
    found = compare(sent, digests("m", "1", {"a": 2, "x": 0}, [one]))
    assert found == [
        "field a: read with another value",
        "field b: not read",
        "field x: read, but not sent",
        "document test-2.txt: not read",
    ]
    assert compare(sent, {}) != []

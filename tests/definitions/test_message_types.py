import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.definitions.letters import LetterRefusedError, TemplateFault, check_template, render_subject
from engine.definitions.message_types import (
    MessageDataRefusedError,
    check_data,
    fingerprint,
    incoming_data,
    judge_schema,
    outgoing_data,
    variable_name,
)
from engine.definitions.patterns import MAX_INPUT, PatternFault, bounded
from engine.exchange.ports import MessageType, Party

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "betrag"],
    "properties": {
        "name": {"type": "string", "title": "Name", "maxLength": 10},
        "betrag": {"type": "number", "title": "Betrag in Euro", "minimum": 0},
        "tag": {"type": "string", "format": "date", "title": "Tag"},
        "plz": {"type": "string", "pattern": "^[0-9]{5}$", "title": "Postleitzahl", "examples": ["66424"]},
        "orte": {"type": "array", "items": {"$ref": "#/$defs/ort"}},
    },
    "$defs": {
        "ort": {
            "type": "object",
            "additionalProperties": False,
            "required": ["name"],
            "properties": {"name": {"type": "string", "title": "Ort"}},
        }
    },
}
A_OF_B = {"$ref": "#/$defs/b"}
TYPE = MessageType("bau-anfrage", "1.0", "Bauanfrage", SCHEMA)
GOOD = {"name": "Muster", "betrag": 1}


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"betrag": "1"}, "Betrag in Euro (betrag): must be a number, not '1'"),
        ({"betrag": -1}, "must be at least 0"),
        ({"tag": "2026-02-30"}, "Tag (tag): '2026-02-30' is no valid date (like 2026-01-31)"),
        ({"plz": "123"}, "for example '66424'"),
        ({"plz": "1" * (MAX_INPUT + 1)}, "Postleitzahl (plz)"),
        ({"name": None}, "Name (name): must be text"),
        ({"nmae": "x"}, "nmae: is not known (did you mean 'name'?)"),
        ({"orte": [{}]}, "Ort (orte.0.name): is missing"),
        ({"betrag": float("inf")}, "is not JSON"),
        ({"betrag": {1}}, "is not JSON"),
    ],
)
def test_faulty_data_is_refused_readably(more: dict[str, Any], says: str) -> None:
    with pytest.raises(MessageDataRefusedError) as caught:
        check_data(TYPE, {**GOOD, **more})
    assert says in str(caught.value)
    assert "message type bau-anfrage 1.0 (Bauanfrage)" in str(caught.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(MessageDataRefusedError) as caught:
        check_data(TYPE, {"tag": "x", "y": 1})
    assert [fault.key for fault in caught.value.faults] == ["betrag", "name", "tag", "y"]


@pytest.mark.parametrize("data", [None, [], "x", 5])
def test_data_must_be_an_object(data: Any) -> None:
    with pytest.raises(MessageDataRefusedError, match="group of fields"):
        check_data(TYPE, data)


def test_deep_and_large_data_is_refused() -> None:
    deep: Any = "x"
    for _ in range(3000):
        deep = [deep]
    with pytest.raises(MessageDataRefusedError, match="nested deeper"):
        check_data(TYPE, {**GOOD, "orte": deep})
    with pytest.raises(MessageDataRefusedError, match="larger than"):
        check_data(TYPE, {**GOOD, "name": "x" * 1_000_001})


def test_data_travels_from_variable_to_variable() -> None:
    sent = outgoing_data(TYPE, {"bau_anfrage": GOOD, "other": 1})
    assert sent == GOOD
    received = incoming_data(TYPE, sent, {"absender": "10041100"})
    assert received == {"bau_anfrage": {**GOOD, "eingang": {"absender": "10041100"}}}
    assert outgoing_data(TYPE, received) == GOOD


def test_a_missing_variable_is_told_by_name() -> None:
    with pytest.raises(MessageDataRefusedError, match="bau_anfrage"):
        outgoing_data(TYPE, {})
    nothing = replace(TYPE, schema={"type": "object", "additionalProperties": False})
    assert outgoing_data(nothing, {}) == {}


def test_variable_names_can_be_used_in_expressions() -> None:
    assert variable_name("a-b-c").isidentifier()


def test_fingerprint_follows_the_content() -> None:
    assert fingerprint(TYPE) == fingerprint(replace(TYPE, schema=dict(reversed(SCHEMA.items()))))
    assert fingerprint(TYPE) != fingerprint(replace(TYPE, title="x"))
    assert fingerprint(TYPE) != fingerprint(replace(TYPE, answers=("x",)))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"type": "array"}, "does not describe an object"),
        ({"additionalProperties": True}, "lets unknown fields pass"),
        ({"propertis": {}}, "no keyword"),
        ({"properties": {"a": {"$ref": "https://example.org/x"}}}, "points outside"),
        ({"properties": {"a": {"$ref": "#/properties/b"}}}, "points outside"),
        ({"properties": {"eingang": {}}}, "reserved"),
        ({"properties": {"a": {"format": "idn-hostname"}}}, "not checked here"),
        ({"properties": {"a": {"pattern": "(a|a)*$"}}}, "too many ways"),
        ({"properties": {"a": {"minimum": "1"}}}, "must be a number"),
        ({"$defs": {"a": {"items": A_OF_B}, "b": {"items": {"$ref": "#/$defs/a"}}}}, "refers to itself"),
    ],
)  # fmt: skip
def test_schemas_beyond_the_subset_are_refused(change: dict[str, Any], says: str) -> None:
    told = [message for _, message, _ in judge_schema({**SCHEMA, **change})]
    assert any(says in message for message in told), told


def test_the_probe_itself_is_good() -> None:
    assert list(judge_schema(SCHEMA)) == []


@pytest.mark.parametrize(
    "pattern",
    [
        "^[0-9]{5}$",
        "^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$",
        r"^\d{1,3}(\.\d{3})*(,\d\d)?$",
        "^a+b+$",
        "ja|nein",
        r"\d+",
    ],
)
def test_usual_patterns_are_taken(pattern: str) -> None:
    assert bounded(pattern).pattern == pattern


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "^(a|a)*$",
        "(.*a){20}",
        r"^(\w+\s?)*$",
        "(?=a)b",
        r"(a)\1",
        "a**",
        "(",
        "x" * 301,
        "^a*a*a*a*$",
    ],
)
def test_costly_and_foreign_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(PatternFault):
        bounded(pattern)


PIECES = st.sampled_from(
    ["a", "b", "[ab]", ".", "a?", "a*", "a+", "(a|b)", "(ab)*", "(a*)", "(a?){3}", "$", "^", "b{2,4}"]
)


@given(st.lists(PIECES, min_size=1, max_size=6), st.sampled_from(["a", "ab", "aab", "b"]))
def test_an_accepted_pattern_answers_soon(pieces: list[str], text: str) -> None:
    try:
        pattern = bounded("".join(pieces))
    except PatternFault:
        return
    begun = time.process_time()
    pattern.search((text * MAX_INPUT)[: MAX_INPUT - 1] + "c")
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{ data.name", "is no Jinja2"),
        ("{{ name }}", "'name', which is not given"),
        ("{{ data.name() }}", "uses call"),
        ("{{ ''.join(data) }}", "uses call"),
        ("{{ 'a' * 1000000000 }}", "uses mul"),
        ("{{ 2 ** 100000 }}", "uses pow"),
        ("{% include 'x' %}", "uses include"),
        ("{% macro x() %}{% endmacro %}", "uses macro"),
        ("{{ data.name | tojson }}", "'tojson', which is unknown"),
        ("{% if data.name is iterable %}{% endif %}", "'iterable', which is unknown"),
        (
            "{% for a in data %}{% for b in a %}{% for c in b %}{% endfor %}{% endfor %}{% endfor %}",
            "a loop in a loop",
        ),
    ],
)
def test_templates_beyond_the_subset_are_refused(template: str, says: str) -> None:
    with pytest.raises(TemplateFault) as caught:
        check_template(template)
    assert says in str(caught.value)


def subject(template: str, data: dict[str, Any]) -> str:
    from datetime import date

    return render_subject(
        replace(TYPE, subject=template),
        data,
        sender=Party("1", "A"),
        recipient=Party("2", "B"),
        own_reference="R 1",
        partner_reference=None,
        on=date(2026, 3, 2),
    )


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ data.name }} {{ date | datum }}", "Muster 02.03.2026"),
        ("{{ 1234.5 | euro }}", "1.234,50 €"),
        ("{{ 1234.5 | zahl }}", "1.234,5"),
        ("{% if data.fehlt %}x{% else %}y{% endif %}", "y"),
        ("{% for x in data.fehlt %}x{% endfor %}z", "z"),
        ("{% for x in data.orte %}{% for y in x.teile %}{{ y }}{% endfor %}{% endfor %}", "ab"),
        ("{{ sender.name }} an {{ recipient.name }}", "A an B"),
    ],
)
def test_subjects_are_written(template: str, text: str) -> None:
    assert subject(template, {**GOOD, "orte": [{"teile": ["a", "b"]}, {}]}) == text


@pytest.mark.parametrize(
    "template",
    [
        "{{ data.fehlt }}",
        "{{ data.fehlt | euro }}",
        "{{ data.fehlt | datum }}",
        "{{ data.name | euro }}",
        "{{ data.name | datum }}",
        "{{ data.__class__ }}",
        "{{ sender.__class__.__mro__ }}",
        "{{ data.name + 1 }}",
        "{{ 1 / 0 }}",
    ],
)
def test_what_cannot_be_printed_is_refused(template: str) -> None:
    with pytest.raises(LetterRefusedError, match="subject"):
        subject(template, GOOD)

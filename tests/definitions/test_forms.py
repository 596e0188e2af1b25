from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.definitions.forms import (
    Form,
    FormFileRefusedError,
    FormRefusedError,
    initial_data,
    read_form,
    typed_submission,
    validate_submission,
    visible_values,
)


def choices(*values: str) -> list[dict[str, str]]:
    return [{"value": value, "label": value.title()} for value in values]


def form(*components: Mapping[str, Any]) -> Form:
    numbered = [{"id": f"Field_{n}", "label": "Feld", **c} for n, c in enumerate(components)]
    return read_form({"id": "probe", "type": "default", "components": numbered}, "probe.form")


FIVE_DIGITS = {"pattern": "^[0-9]{5}$", "patternErrorMessage": "Fünf Ziffern"}
STREET = {"type": "textfield", "key": "strasse", "label": "Straße"}
ALL = form(
    {"type": "textfield", "key": "name", "label": "Name", "validate": {"required": True, "maxLength": 5}},
    {"type": "textarea", "key": "text"},
    {"type": "number", "key": "betrag", "decimalDigits": 2, "validate": {"min": 0, "max": "100"}},
    {"type": "checkbox", "key": "zu"},
    {"type": "datetime", "subtype": "date", "key": "tag"},
    {"type": "select", "key": "art", "values": choices("a", "b")},
    {"type": "radio", "key": "weg", "values": choices("x", "y"), "validate": {"required": True}},
    {"type": "checklist", "key": "liste", "values": choices("p", "q")},
    {"type": "textfield", "key": "plz", "validate": FIVE_DIGITS},
    {"type": "group", "path": "ort", "components": [STREET]},
)  # fmt: skip
GOOD: dict[str, Any] = {
    "name": "Müll",
    "text": "eins\nzwei",
    "betrag": 12.5,
    "zu": True,
    "tag": "2026-02-28",
    "art": "b",
    "weg": "x",
    "liste": ["q", "p"],
    "plz": "66424",
    "ort": {"strasse": "Talstraße 1"},
}


def faults(
    checked: Form, data: Mapping[str, Any], context: Mapping[str, Any] | None = None
) -> dict[str, str]:
    with pytest.raises(FormRefusedError) as caught:
        validate_submission(checked, data, context)
    return {fault.key: fault.message for fault in caught.value.faults}


def test_a_good_submission_is_kept_as_it_is() -> None:
    assert validate_submission(ALL, GOOD) == GOOD


def test_what_is_not_asked_for_may_be_left_out() -> None:
    assert validate_submission(ALL, {"name": "A", "weg": "y", "text": "", "betrag": None}) == {
        "name": "A",
        "weg": "y",
        "zu": False,
        "ort": {},
    }


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("name", None, "must be filled in"),
        ("name", "", "must be filled in"),
        ("name", 5, "must be text"),
        ("name", "sechs!", "more than 5"),
        ("name", "a\nb", "line breaks"),
        ("text", "a\x00b", "control characters"),
        ("text", "x" * 20_001, "more than 20000"),
        ("betrag", "12", "must be a number"),
        ("betrag", True, "must be a number"),
        ("betrag", -0.01, "at least 0"),
        ("betrag", 100.01, "at most 100"),
        ("betrag", 1.005, "more than 2 decimal digits"),
        ("betrag", float("nan"), "is no number"),
        ("zu", "ja", "true or false"),
        ("zu", 0, "true or false"),
        ("tag", "31.12.2026", "no valid date"),
        ("tag", "2026-02-29", "no valid date"),
        ("art", "c", "not offered"),
        ("weg", ["x"], "must be text"),
        ("liste", "p", "list of texts"),
        ("liste", ["p", "p"], "twice"),
        ("liste", ["r"], "not offered"),
        ("plz", "6642", "Fünf Ziffern"),
        ("plz", "6" * 5000, "more than 1000 characters"),
        ("nmae", "x", "not a field"),
        ("ort", "Talstraße", "not a field"),
    ],
)
def test_each_kind_of_fault(key: str, value: Any, says: str) -> None:
    found = faults(ALL, {**GOOD, key: value})
    assert list(found) == [key]
    assert says in found[key]


def test_all_faults_are_told_at_once_with_label_and_key() -> None:
    with pytest.raises(FormRefusedError) as caught:
        validate_submission(ALL, {"betrag": "viel", "ort": {"straße": "x"}})
    assert {fault.key for fault in caught.value.faults} == {"name", "betrag", "weg", "ort.straße"}
    assert "Name (name): must be filled in; give a text" in str(caught.value)
    assert "did you mean ort.strasse?" in str(caught.value)
    assert all(fault.message_de for fault in caught.value.faults)


CONDITIONAL = form(
    {"type": "radio", "key": "p.annahme", "values": choices("ja", "nein"), "validate": {"required": True}},
    {
        "type": "textarea",
        "key": "p.grund",
        "validate": {"required": True},
        "conditional": {"hide": '=p.annahme != "nein"'},
    },
    {"type": "checkbox", "key": "p.dringend", "conditional": {"hide": "=p.grund = null"}},
)


def test_a_hidden_field_is_neither_asked_for_nor_taken() -> None:
    assert validate_submission(CONDITIONAL, {"p": {"annahme": "ja"}}) == {"p": {"annahme": "ja"}}
    assert faults(CONDITIONAL, {"p": {"annahme": "nein"}}) == {"p.grund": "must be filled in"}
    assert faults(CONDITIONAL, {"p": {"annahme": "ja", "grund": "x"}}) == {"p.grund": "is not asked for here"}


def test_a_hidden_value_does_not_show_other_fields() -> None:
    found = faults(CONDITIONAL, {"p": {"annahme": "ja", "grund": "x", "dringend": True}})
    assert set(found) == {"p.grund", "p.dringend"}


def test_conditions_see_the_case() -> None:
    asked = form({"type": "textfield", "key": "x", "conditional": {"hide": "=summe < 100"}})
    assert validate_submission(asked, {"x": "ja"}, {"summe": 200}) == {"x": "ja"}
    assert list(faults(asked, {"x": "ja"}, {"summe": 50})) == ["x"]


def test_objects_keep_what_the_form_does_not_ask_for() -> None:
    context = {"p": {"annahme": "nein", "grund": "alt", "nummer": 7}, "other": 1}
    assert validate_submission(CONDITIONAL, {"p": {"annahme": "ja"}}, context) == {
        "p": {"annahme": "ja", "nummer": 7}
    }
    assert context["p"] == {"annahme": "nein", "grund": "alt", "nummer": 7}


def test_an_emptied_field_does_not_keep_its_old_value() -> None:
    assert validate_submission(form({"type": "textfield", "key": "x"}), {"x": ""}, {"x": "old"}) == {
        "x": None
    }


def test_readonly_fields_show_and_never_take() -> None:
    shown = form({"type": "textfield", "key": "p.x", "readonly": True}, {"type": "textfield", "key": "y"})
    assert validate_submission(shown, {"p": {"x": "same"}}, {"p": {"x": "same"}}) == {}
    assert faults(shown, {"p": {"x": "new"}}, {"p": {"x": "same"}}) == {"p.x": "cannot be changed here"}


def test_initial_data_prefers_the_case_over_defaults() -> None:
    asked = form({"type": "number", "key": "p.x", "defaultValue": 3}, {"type": "textfield", "key": "y"})
    assert initial_data(asked, {}) == {"p": {"x": 3}}
    assert initial_data(asked, {"p": {"x": 5}, "y": "a", "z": 1}) == {"p": {"x": 5}, "y": "a"}


def test_copying_a_message_into_its_form_leaves_out_what_is_hidden() -> None:
    assert visible_values(CONDITIONAL, {"p": {"annahme": "ja", "grund": "x", "more": 1}}) == {
        "p": {"annahme": "ja"}
    }


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("betrag", "1.234,56", 1234.56),
        ("betrag", "12,5", 12.5),
        ("betrag", "12.5", 12.5),
        ("betrag", "1.234.567", 1234567),
        ("betrag", "1.234", "1.234"),
        ("betrag", "zwölf", "zwölf"),
        ("tag", "1.2.2026", "2026-02-01"),
        ("tag", "2026-02-01", "2026-02-01"),
        ("zu", "on", True),
        ("zu", "nein", False),
        ("liste", ["p", "q"], ["p", "q"]),
        ("liste", "p, q", ["p", "q"]),
        ("name", "  Müll ", "Müll"),
        ("text", "a\r\nb", "a\nb"),
    ],
)
def test_typed_text_becomes_values(key: str, text: str | list[str], value: Any) -> None:
    assert typed_submission(ALL, {key: text}) == {key: value}


def test_typed_text_nests_and_leaves_out_what_is_empty() -> None:
    assert typed_submission(ALL, {"ort.strasse": "Weg 1", "betrag": "", "x.y": "?"}) == {
        "ort": {"strasse": "Weg 1"},
        "x": {"y": "?"},
    }


@pytest.mark.parametrize(
    ("component", "says"),
    [
        ({"type": "html", "content": "<b>"}, "'html', which is not carried out"),
        ({"type": "textfield", "key": "x", "onclick": "?"}, "the property 'onclick'"),
        ({"type": "textfield", "key": "x", "validate": {"requird": True}}, "the rule 'requird'"),
        ({"type": "textfield", "key": "x", "validate": {"required": "=a"}}, "computes required"),
        ({"type": "textfield", "key": "x", "readonly": "=a"}, "computes readonly"),
        ({"type": "textfield", "key": "x y"}, "the key 'x y'"),
        ({"type": "textfield", "key": "x", "label": ""}, "has no label"),
        ({"type": "textfield", "key": "x", "label": "{{ name }}"}, "computes its label"),
        ({"type": "number", "key": "x", "validate": {"min": "=a"}}, "as min"),
        ({"type": "number", "key": "x", "decimalDigits": 1.5}, "as decimalDigits"),
        ({"type": "textfield", "key": "x", "validate": {"pattern": "(a+)+$"}}, "too many ways"),
        ({"type": "textfield", "key": "x", "validate": {"validationType": "iban"}}, "uses 'iban'"),
        ({"type": "select", "key": "x"}, "offers no values"),
        ({"type": "select", "key": "x", "values": [{"value": "a"}]}, "value without text"),
        ({"type": "select", "key": "x", "values": choices("a", "a")}, "'a' twice"),
        ({"type": "textfield", "key": "x", "conditional": {"hide": "a == 1"}}, "no FEEL expression"),
        ({"type": "textfield", "key": "x", "conditional": {"hide": "=a ="}}, "is refused"),
        ({"type": "group", "path": "a b", "components": []}, "the path 'a b'"),
        ({"type": "group", "components": None}, "no list of components"),
        ({"type": "textfield", "key": "name.first"}, "a field and a group"),
        ({"type": "textfield", "key": "name"}, "as another field has"),
    ],
)
def test_forms_that_are_refused(component: Mapping[str, Any], says: str) -> None:
    with pytest.raises(FormFileRefusedError) as caught:
        form({"type": "textfield", "key": "name"}, component)
    assert says in str(caught.value)


def test_depth_and_number_of_components_are_bounded() -> None:
    inner: dict[str, Any] = {"type": "textfield", "key": "x"}
    for _ in range(15):
        inner = {"type": "group", "id": "g", "components": [inner]}
    with pytest.raises(FormFileRefusedError, match="deeper than"):
        form(inner)
    with pytest.raises(FormFileRefusedError, match="more than 500"):
        form(*({"type": "textfield", "key": f"x{n}"} for n in range(501)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.fixed_dictionaries({}, optional={key: JSON | st.just(value) for key, value in GOOD.items()}))
def test_any_submission_is_accepted_or_refused(data: dict[str, Any]) -> None:
    try:
        accepted = validate_submission(ALL, data)
    except FormRefusedError:
        return
    assert validate_submission(ALL, accepted) == accepted

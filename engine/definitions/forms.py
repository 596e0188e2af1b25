"""Forms: what a clerk submits, checked field by field and told all at once.

``read_form`` reads a form-js file, ``validate_submission`` checks what was submitted against it,
``typed_submission`` turns typed text (a plain HTML form, the command line) into values first.
"""

import copy
import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from engine.definitions.form_files import Field, Form, FormFileRefusedError, Item, read_form
from engine.definitions.form_values import ValueFault, check_value, from_text, is_empty, lookup
from engine.errors import RefusedError
from engine.expressions import Compiled, EvaluationError, compile_expression

__all__ = [
    "Field",
    "FieldFault",
    "Form",
    "FormFileRefusedError",
    "FormRefusedError",
    "Item",
    "hidden_fields",
    "initial_data",
    "read_form",
    "typed_submission",
    "validate_submission",
    "visible_values",
]


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One field that a clerk has to mend."""

    key: str
    label: str
    """German, as the form shows it."""
    message: str
    message_de: str
    hint: str

    def __str__(self) -> str:
        return f"{self.label} ({self.key}): {self.message}; {self.hint}"


class FormRefusedError(RefusedError):
    """The submission does not fit the form."""

    def __init__(self, form: Form, found: Sequence[FieldFault]) -> None:
        """Keep every faulty field; the message lists them all."""
        self.faults = tuple(found)
        lines = "\n".join(f"  {fault}" for fault in found)
        super().__init__(
            f"{len(found)} {'field needs' if len(found) == 1 else 'fields need'} mending\n{lines}",
            where=f"form {form.id}",
        )


def validate_submission(
    form: Form, data: Mapping[str, Any], context: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Check a submission and return what completing the task adds to the case.

    ``data`` is nested as the keys say (``{"versuch": {"ergebnis": …}}``). ``context`` is what the task sees
    of the case: conditions read it, readonly fields show it, and objects that the form fills in part keep
    their other entries. Hidden fields and empty ones are absent from the result,
    except that a box left unticked is false.

    Raises:
        FormRefusedError: lists every field with what is wrong and how to mend it.
    """
    around = dict(context or {})
    found = list(_unknown(form, data))
    hidden = hidden_fields(form, data, around)
    values: dict[str, Any] = {}
    for field in form.fields:
        try:
            value = _judged(field, lookup(data, field.path), field.key in hidden, around)
        except ValueFault as fault:
            found.append(FieldFault(field.key, field.label, fault.message, fault.message_de, fault.hint))
        else:
            if value is not None:
                values[field.key] = value
    if found:
        raise FormRefusedError(form, found)
    return _merged(form, values, around)


def _judged(field: Field, given: Any, hidden: bool, context: Mapping[str, Any]) -> Any:
    """Return what ``given`` adds to the case, None where nothing; raise ValueFault."""
    if field.readonly:
        return _readonly(field, given, context)
    empty = is_empty(field, given)
    if hidden:
        if not empty:
            raise ValueFault("is not asked for here", "wird hier nicht abgefragt", "other answers hide it")
        return None
    if empty and field.required:
        raise ValueFault("must be filled in", "muss ausgefüllt werden", _wanted(field))
    if empty:
        # An unticked box is an answer; HTML forms just leave it out.
        return False if field.type == "checkbox" else None
    return check_value(field, given)


def _readonly(field: Field, given: Any, context: Mapping[str, Any]) -> Any:
    shown = lookup(context, field.path)
    if not is_empty(field, given) and given not in (shown, field.default):
        raise ValueFault("cannot be changed here", "kann hier nicht geändert werden", "leave it out")
    return field.default if shown is None else None


def typed_submission(form: Form, texts: Mapping[str, str | list[str]]) -> dict[str, Any]:
    """Turn ``key → typed text`` into nested data for ``validate_submission``.

    Keys that the form does not know are kept as they are, so that they are refused there.
    """
    fields = {field.key: field for field in form.fields}
    result: dict[str, Any] = {}
    for key, text in texts.items():
        field = fields.get(key)
        value = text if field is None else from_text(field, text)
        if value is not None:
            _put(result, tuple(key.split(".")), value)
    return result


def initial_data(form: Form, context: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the form shows when it is opened: the case's values, else the defaults; nested."""
    result: dict[str, Any] = {}
    for field in form.fields:
        value = lookup(context, field.path)
        value = field.default if value is None else value
        if value is not None:
            _put(result, field.path, copy.deepcopy(value))
    return result


def visible_values(form: Form, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what somebody types who copies ``data`` into the form: its visible fields' values; nested."""
    hidden = hidden_fields(form, data, {})
    result: dict[str, Any] = {}
    for field in form.fields:
        value = lookup(data, field.path)
        if value is not None and not field.readonly and field.key not in hidden:
            _put(result, field.path, copy.deepcopy(value))
    return result


def hidden_fields(form: Form, data: Mapping[str, Any], context: Mapping[str, Any]) -> frozenset[str]:
    """Return the keys of fields that the conditions hide for this submission.

    What the form asks for counts as submitted, not as the case has it. A hidden field's value no longer
    counts for the conditions of fields below it.
    """
    seen = _overlay(context, data)
    for field in form.fields:
        if not field.readonly:
            _put(seen, field.path, lookup(data, field.path))
    hidden: set[str] = set()
    for field in form.fields:
        if any(evaluate_condition(condition, seen) for condition in field.hide):
            hidden.add(field.key)
            if not field.readonly:
                _put(seen, field.path, None)
    return frozenset(hidden)


def _overlay(context: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of ``context`` with ``data`` laid over it, object by object."""
    result: dict[str, Any] = copy.deepcopy(dict(context))
    for key, value in data.items():
        below = result.get(key)
        if isinstance(value, Mapping):
            result[key] = _overlay(below if isinstance(below, Mapping) else {}, value)
        else:
            result[key] = copy.deepcopy(value)
    return result


def _merged(form: Form, values: Mapping[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
    """Return the top-level entries the form touches; what it asks for and did not get is gone from them."""
    result: dict[str, Any] = {}
    for field in form.fields:
        top = field.path[0]
        if field.readonly and field.key not in values:
            continue
        if top not in result and len(field.path) > 1:
            old = context.get(top)
            result[top] = copy.deepcopy(dict(old)) if isinstance(old, Mapping) else {}
        if not field.readonly:
            _drop(result, field.path)
        if field.key in values:
            _put(result, field.path, values[field.key])
        elif len(field.path) == 1 and context.get(top) is not None:
            result[top] = None  # emptied; leaving it out would keep the old value in the case
    return result


def _put(target: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for part in path[:-1]:
        below = target.get(part)
        if not isinstance(below, dict):
            below = target[part] = {}
        target = below
    target[path[-1]] = value


def _drop(target: dict[str, Any], path: tuple[str, ...]) -> None:
    for part in path[:-1]:
        below = target.get(part)
        if not isinstance(below, dict):
            return
        target = below
    target.pop(path[-1], None)


def _wanted(field: Field) -> str:
    if field.options:
        return "one of " + ", ".join(value for value, _ in field.options)
    if field.type == "checkbox":
        return "tick the box"
    return {"number": "give a number", "datetime": f"give a {field.subtype}"}.get(field.type, "give a text")


def _unknown(form: Form, data: Mapping[str, Any]) -> Iterator[FieldFault]:
    keys = {field.key for field in form.fields}
    for key in _leaves(keys, data, ""):
        near = difflib.get_close_matches(key, keys, n=1, cutoff=0.75)
        hint = f"did you mean {near[0]}?" if near else "the form asks for " + ", ".join(sorted(keys))
        yield FieldFault(key, key, "is not a field of this form", "ist kein Feld dieses Formulars", hint)


def _leaves(keys: set[str], data: Mapping[str, Any], prefix: str) -> Iterator[str]:
    """Yield the paths in ``data`` that neither are a field nor lead to one."""
    for name, value in data.items():
        key = f"{prefix}{name}"
        if key in keys:
            continue
        if isinstance(value, Mapping) and any(known.startswith(f"{key}.") for known in keys):
            yield from _leaves(keys, value, f"{key}.")
        else:
            yield key


def evaluate_condition(condition: str, data: Mapping[str, Any]) -> bool:
    """Evaluate a FEEL condition of a form; what has no value for this data hides nothing."""
    try:
        return _compiled(condition).evaluate(data) is True
    except EvaluationError:
        return False


@lru_cache(maxsize=1024)
def _compiled(condition: str) -> Compiled:
    return compile_expression(condition)

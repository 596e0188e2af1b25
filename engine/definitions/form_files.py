"""form-js ``.form`` files: read, and refused where they use what is not carried out here.

The components and properties that work are listed in ``docs/reference/forms.md``; everything else is refused
with the component's id, because a field that a clerk cannot see or that nobody checks is worse than none.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from engine.definitions.package_errors import PackageRefusedError
from engine.definitions.patterns import PatternFault, bounded
from engine.expressions import ExpressionError, compile_expression
from engine.yaml_text import Problem

MAX_COMPONENTS = 500
MAX_DEPTH = 10

FIELD_TYPES = frozenset(
    {"textfield", "textarea", "number", "datetime", "checkbox", "checklist", "radio", "select"}
)
CHOICES = frozenset({"checklist", "radio", "select"})
LAYOUT_TYPES = frozenset({"group", "text", "separator", "spacer", "button"})

_COMMON = frozenset({"type", "id", "layout", "conditional", "properties"})
_FIELD = _COMMON | {"key", "label", "description", "defaultValue", "readonly", "disabled", "validate"}
_FIELD |= {"appearance"}
_KNOWN: Mapping[str, frozenset[str]] = {
    "textfield": _FIELD,
    "textarea": _FIELD,
    "number": _FIELD | {"decimalDigits", "increment", "serializeToString"},
    "datetime": _FIELD
    | {"subtype", "dateLabel", "timeLabel", "use24h", "timeInterval", "timeSerializingFormat"},
    "checkbox": _FIELD,
    "checklist": _FIELD | {"values"},
    "radio": _FIELD | {"values"},
    "select": _FIELD | {"values", "searchable"},
    "group": _COMMON | {"label", "path", "components", "showOutline", "verticalAlignment"},
    "text": _COMMON | {"text"},
    "separator": _COMMON,
    "spacer": _COMMON | {"height"},
    "button": _COMMON | {"label", "action"},
}
_VALIDATE = frozenset(
    {"required", "min", "max", "minLength", "maxLength", "pattern", "patternErrorMessage", "validationType"}
)
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}(\.[A-Za-z_][A-Za-z0-9_]{0,59}){0,5}")
_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")


class FormFileRefusedError(PackageRefusedError):
    """The form file has faults and was not read."""


@dataclass(frozen=True, slots=True)
class Field:
    """One input of a form."""

    key: str
    """Path of its value in the submitted data, e.g. ``versuch.ergebnis``."""
    type: str
    id: str
    label: str
    description: str = ""
    required: bool = False
    options: tuple[tuple[str, str], ...] = ()
    """Value and label of each choice, in order."""
    default: Any = None
    readonly: bool = False
    """Shown, never taken from a submission (form-js ``readonly`` and ``disabled``)."""
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    pattern_message: str | None = None
    validation: str | None = None
    """``email`` or ``phone``."""
    decimal_digits: int | None = None
    as_text: bool = False
    """Numbers: keep the digits as text."""
    subtype: str = "date"
    """Datetime: ``date``, ``time`` or ``datetime``."""
    hide: tuple[str, ...] = ()
    """FEEL conditions of the field and its groups; one that is true hides it."""

    @property
    def path(self) -> tuple[str, ...]:
        """The key's parts."""
        return tuple(self.key.split("."))


@dataclass(frozen=True, slots=True)
class Item:
    """A component in its place: a field, a layout element, or a group with items."""

    type: str
    id: str
    text: str = ""
    field: Field | None = None
    items: tuple["Item", ...] = ()
    hide: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """A form-js form that can be carried out."""

    id: str
    items: tuple[Item, ...]
    fields: tuple[Field, ...]
    """All inputs, in the order they are shown."""
    source: Mapping[str, Any]
    """The form-js JSON as it was read, for a viewer."""


def read_form(content: bytes | Mapping[str, Any], file: str) -> Form:
    """Read a form from the bytes of a ``.form`` file or its parsed JSON; ``file`` names it in faults.

    Raises:
        FormFileRefusedError: lists every fault.
    """
    reader = _Reader(file)
    source = reader.load(content)
    form = reader.form(source) if source is not None else None
    if reader.problems or form is None:
        raise FormFileRefusedError(reader.problems, where=file)
    return form


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a component stands: the path prefix and hide conditions it inherits."""

    prefix: str = ""
    hide: tuple[str, ...] = ()
    depth: int = 0


class _Reader:
    """Reads one form file and collects its problems."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.text = ""
        self.count = 0
        self.fields: dict[str, Field] = {}

    def problem(self, component: str, message: str, hint: str) -> None:
        """Note a fault; the line is that of the component's id."""
        mark = self.text.find(json.dumps(component, ensure_ascii=False)) if component and self.text else -1
        line = self.text.count("\n", 0, mark) + 1 if mark >= 0 else None
        self.problems.append(Problem(self.file, line, component, message, hint))

    def load(self, content: bytes | Mapping[str, Any]) -> Mapping[str, Any] | None:
        if isinstance(content, Mapping):
            return content
        try:
            self.text = content.decode("utf-8-sig")
            data = json.loads(self.text)
        except UnicodeDecodeError:
            self.problem("", "is not UTF-8", "save the file as UTF-8")
        except json.JSONDecodeError as error:
            fault = Problem(
                self.file, error.lineno, "", f"is not JSON: {error.msg}", "check commas and quotes"
            )
            self.problems.append(fault)
        except RecursionError:
            self.problem("", "is nested too deep", "flatten the form")
        else:
            if isinstance(data, dict):
                return data
            self.problem("", "is no JSON object", "export the form from the modeler again")
        return None

    def form(self, source: Mapping[str, Any]) -> Form | None:
        form_id = source.get("id")
        if not isinstance(form_id, str) or not _ID.fullmatch(form_id):
            self.problem("", "has no usable id", 'write "id": "name-of-the-form"')
            return None
        if source.get("type", "default") != "default":
            self.problem("", f"is of type {source['type']!r}", 'write "type": "default"')
        items = self.items(source.get("components"), _Place())
        return Form(form_id, items, tuple(self.fields.values()), source)

    def items(self, components: object, place: _Place) -> tuple[Item, ...]:
        if not isinstance(components, list):
            self.problem("", "has no list of components", 'write "components": [ … ]')
            return ()
        if place.depth > MAX_DEPTH:
            self.problem("", f"nests groups deeper than {MAX_DEPTH}", "flatten the form")
            return ()
        return tuple(item for component in components for item in self.item(component, place))

    def item(self, component: object, place: _Place) -> Iterator[Item]:
        self.count += 1
        if self.count > MAX_COMPONENTS:
            if self.count == MAX_COMPONENTS + 1:
                self.problem("", f"has more than {MAX_COMPONENTS} components", "split the form")
            return
        if not isinstance(component, Mapping):
            self.problem("", "has a component that is no object", "export the form again")
            return
        kind, name = component.get("type"), str(component.get("id") or component.get("key") or "")
        if not isinstance(kind, str) or kind not in _KNOWN:
            known = ", ".join(sorted(_KNOWN))
            self.problem(name, f"is a {kind!r}, which is not carried out here", f"use one of {known}")
            return
        for extra in sorted(set(component) - _KNOWN[kind]):
            self.problem(name, f"has the property {extra!r}, which is not carried out here", "remove it")
        hide = place.hide + self.hide(component, name)
        if kind in FIELD_TYPES:
            field = self.field(component, kind, name, place.prefix, hide)
            if field is not None:
                yield Item(kind, field.id, field.label, field, hide=hide)
            return
        text = component.get("text" if kind == "text" else "label") or ""
        self.static(name, "text", text)
        children: tuple[Item, ...] = ()
        if kind == "group":
            prefix = self.group_prefix(component, name, place.prefix)
            children = self.items(component.get("components"), _Place(prefix, hide, place.depth + 1))
        yield Item(kind, name, str(text), items=children, hide=hide)

    def group_prefix(self, component: Mapping[str, Any], name: str, prefix: str) -> str:
        path = component.get("path") or ""
        if path and not (isinstance(path, str) and _KEY.fullmatch(path)):
            self.problem(name, f"has the path {path!r}", "write a name, or names joined by dots")
            return prefix
        return f"{prefix}{path}." if path else prefix

    def static(self, name: str, what: str, value: object) -> None:
        """Refuse texts that form-js would compute."""
        if isinstance(value, str) and (value.startswith("=") or "{{" in value):
            self.problem(
                name, f"computes its {what}", "write a fixed text; show case data in a readonly field"
            )

    def hide(self, component: Mapping[str, Any], name: str) -> tuple[str, ...]:
        condition = component.get("conditional")
        if not condition:
            return ()
        text = condition.get("hide") if isinstance(condition, Mapping) else None
        if not isinstance(text, str) or set(condition) - {"hide"}:
            self.problem(name, "has a condition other than hide", 'write "conditional": {"hide": "=…"}')
            return ()
        if not text.strip():
            return ()
        if not text.startswith("="):
            self.problem(name, "has a condition that is no FEEL expression", 'begin it with "="')
            return ()
        try:
            compile_expression(text)
        except ExpressionError as error:
            self.problem(
                name, f"has a condition that is refused: {error}", "see docs/reference/expressions.md"
            )
            return ()
        return (text,)

    def field(
        self, component: Mapping[str, Any], kind: str, name: str, prefix: str, hide: tuple[str, ...]
    ) -> Field | None:
        key = component.get("key")
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            self.problem(name, f"has the key {key!r}", "write a name of letters, digits, _; dots for groups")
            return None
        key = prefix + key
        if key in self.fields:
            self.problem(name, f"has the key {key!r}, as another field has", "make the key unique")
            return None
        if any(other.startswith(f"{key}.") or key.startswith(f"{other}.") for other in self.fields):
            self.problem(name, f"has the key {key!r}, which is a field and a group", "rename one of them")
        label = component.get("label") or component.get("dateLabel") or component.get("timeLabel")
        for what, text in (("label", label), ("description", component.get("description"))):
            self.static(name, what, text)
        if not isinstance(label, str) or not label.strip():
            self.problem(name, "has no label", "a clerk must know what to fill in")
        for switch in ("readonly", "disabled"):
            if not isinstance(component.get(switch, False), bool):
                self.problem(name, f"computes {switch}", "write true or false")
        rules = self.rules(component, name)
        field = Field(
            key=key,
            type=kind,
            id=name or key,
            label=str(label or key),
            description=str(component.get("description") or ""),
            required=rules.get("required") is True,
            options=self.options(component, name) if kind in CHOICES else (),
            default=component.get("defaultValue"),
            readonly=component.get("readonly") is True or component.get("disabled") is True,
            minimum=self.number(name, "min", rules),
            maximum=self.number(name, "max", rules),
            min_length=self.length(name, "minLength", rules),
            max_length=self.length(name, "maxLength", rules),
            pattern=self.pattern(name, rules),
            pattern_message=rules.get("patternErrorMessage"),
            validation=self.one_of(name, rules.get("validationType"), ("custom", "email", "phone")),
            decimal_digits=self.length(name, "decimalDigits", component),
            as_text=component.get("serializeToString") is True,
            subtype=self.one_of(name, component.get("subtype"), ("date", "time", "datetime")) or "date",
            hide=hide,
        )
        self.fields[key] = field
        return field

    def rules(self, component: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        rules = component.get("validate") or {}
        if not isinstance(rules, Mapping):
            self.problem(name, "has rules that are no object", 'write "validate": { … }')
            return {}
        for extra in sorted(set(rules) - _VALIDATE):
            self.problem(name, f"has the rule {extra!r}, which is not carried out here", "remove it")
        if not isinstance(rules.get("required", False), bool):
            self.problem(name, "computes required", "write true or false")
        return rules

    def options(self, component: Mapping[str, Any], name: str) -> tuple[tuple[str, str], ...]:
        values = component.get("values")
        if not isinstance(values, Sequence) or isinstance(values, str) or not values:
            self.problem(name, "offers no values", 'write "values": [{"label": …, "value": …}]')
            return ()
        found: dict[str, str] = {}
        for entry in values:
            value = entry.get("value") if isinstance(entry, Mapping) else None
            label = entry.get("label") if isinstance(entry, Mapping) else None
            if not isinstance(value, str) or not value or not isinstance(label, str) or not label:
                self.problem(name, "offers a value without text", 'write {"label": "…", "value": "…"}')
            elif value in found:
                self.problem(name, f"offers {value!r} twice", "remove one")
            else:
                found[value] = label
        return tuple(found.items())

    def number(self, name: str, rule: str, rules: Mapping[str, Any]) -> Decimal | None:
        value = rules.get(rule)
        if value is None or value == "":
            return None
        try:
            if isinstance(value, bool):
                raise InvalidOperation
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite():
            self.problem(
                name, f"has {value!r} as {rule}", "write a number; computed limits are not carried out"
            )
            return None
        return number

    def length(self, name: str, rule: str, rules: Mapping[str, Any]) -> int | None:
        number = self.number(name, rule, rules)
        if number is None:
            return None
        if number != int(number) or number < 0:
            self.problem(name, f"has {rules[rule]!r} as {rule}", "write a whole number")
            return None
        return int(number)

    def pattern(self, name: str, rules: Mapping[str, Any]) -> str | None:
        pattern = rules.get("pattern")
        if not pattern:
            return None
        try:
            bounded(str(pattern))
        except PatternFault as error:
            self.problem(name, f"has a pattern that {error}", "write a simpler pattern")
            return None
        return str(pattern)

    def one_of(self, name: str, value: object, known: tuple[str, ...]) -> str | None:
        if value is None or value == "":
            return None
        if value not in known:
            self.problem(name, f"uses {value!r}", "one of " + ", ".join(known))
            return None
        return str(value)

"""Reads and checks the file of legal rules. Every fault names file, line, rule and field."""

from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from types import MappingProxyType
from typing import Any, TypeVar

from engine.deadlines.errors import IsoTextError, RuleFileError
from engine.deadlines.iso import Period, parse_date, parse_period
from engine.deadlines.rules import (
    COUNTS_OPTIONS,
    EXTENDERS,
    HOUR_OPTIONS,
    SATURDAY_OPTIONS,
    START_TEXTS,
    WEEKEND_OPTIONS,
    Basis,
    CalendarOf,
    Case,
    Channel,
    Doubt,
    Extension,
    How,
    Question,
    Rule,
    Rules,
    Version,
)
from engine.deadlines.text import Text
from engine.yaml_text import Path, YamlFault, YamlText, field_name, read_yaml

E = TypeVar("E", bound=StrEnum)
FILE = "rules.yaml"
_NOTIFYING = (How.NOTIFICATION, How.RECEIPT)


class _Fields:
    """The fields of one mapping; what was never asked for is a fault."""

    def __init__(self, text: YamlText, file: str, path: Path, owner: str) -> None:
        self._text, self._file, self._path, self._owner = text, file, path, owner
        value: Any = text.data
        for part in path:
            value = value[part]
        if not isinstance(value, dict):
            raise self.fault(None, "must be a mapping")
        self._value: dict[str, Any] = value
        self._seen: set[str] = set()

    def fault(self, name: str | None, message: str, hint: str | None = None) -> RuleFileError:
        """Return the error about a field."""
        path = self._path if name is None else (*self._path, name)
        where = f"{self._file}:{self._text.line(path)}"
        return RuleFileError(f"{self._owner}: {field_name(path)} {message}", where=where, hint=hint)

    def raw(self, name: str, default: Any = ...) -> Any:
        """Return a field as it stands."""
        self._seen.add(name)
        if name in self._value:
            return self._value[name]
        if default is ...:
            raise self.fault(name, "is missing")
        return default

    def has(self, name: str) -> bool:
        """Tell whether the field stands there."""
        return name in self._value

    def string(self, name: str, default: Any = ...) -> str:
        """Return a field that must be text."""
        value = self.raw(name, default)
        if not isinstance(value, str) or not value.strip():
            raise self.fault(name, "must be text")
        return value

    def flag(self, name: str) -> bool:
        """Return a field that must be true or false; false where it is missing."""
        value = self.raw(name, False)
        if not isinstance(value, bool):
            raise self.fault(name, "must be true or false")
        return value

    def choice(self, name: str, kind: type[E]) -> E:
        """Return a field that must be one of the kind's values."""
        value = self.string(name)
        try:
            return kind(value)
        except ValueError:
            raise self.fault(name, f'is "{value}"', "one of " + ", ".join(kind)) from None

    def day(self, name: str) -> date | None:
        """Return a date field, None where it is missing."""
        if not self.has(name):
            return None
        try:
            return parse_date(self.string(name))
        except IsoTextError as error:
            raise self.fault(name, error.message, error.hint) from None

    def period(self, name: str) -> Period | None:
        """Return a duration field, None where it is missing."""
        if not self.has(name):
            return None
        try:
            period = parse_period(self.string(name))
        except IsoTextError as error:
            raise self.fault(name, error.message, error.hint) from None
        if period.is_zero:
            raise self.fault(name, "has no length")
        return period

    def text(self, name: str) -> Text:
        """Return a field in both languages."""
        inner = self.inner(name)
        found = Text(inner.string("de"), inner.string("en"))
        inner.done()
        return found

    def texts(self, name: str) -> tuple[Text, ...]:
        """Return a list of sentences in both languages."""
        found = []
        for inner in self.inners(name):
            found.append(Text(inner.string("de"), inner.string("en")))
            inner.done()
        return tuple(found)

    def inner(self, name: str) -> "_Fields":
        """Return a mapping inside."""
        self.raw(name)
        return _Fields(self._text, self._file, (*self._path, name), self._owner)

    def inners(self, name: str) -> Iterator["_Fields"]:
        """Yield the mappings of a list inside; nothing where it is missing."""
        value = self.raw(name, [])
        if not isinstance(value, list):
            raise self.fault(name, "must be a list")
        for index in range(len(value)):
            yield _Fields(self._text, self._file, (*self._path, name, index), self._owner)

    def named(self, owner: str) -> "_Fields":
        """Return itself, faults told under the owner's name."""
        self._owner = owner
        return self

    def keys(self) -> tuple[str, ...]:
        """Return the names of the fields."""
        return tuple(self._value)

    def done(self) -> None:
        """Refuse fields that nobody asked for."""
        unknown = sorted(set(self._value) - self._seen)
        if unknown:
            raise self.fault(unknown[0], "is no field here")


@lru_cache(maxsize=1)
def load_rules() -> Rules:
    """Return the rules that come with the engine; raise RuleFileError where the file is wrong."""
    return read_rules(files("engine.deadlines").joinpath(FILE).read_bytes())


def read_rules(content: bytes, file: str = FILE) -> Rules:
    """Return the rules of a file; ``file`` names it in faults.

    Raises:
        RuleFileError: the first fault, with file, line, rule and field.
    """
    try:
        text = read_yaml(content, file)
    except YamlFault as error:
        raise RuleFileError(str(error.problem)) from error
    top = _Fields(text, file, (), "the file")
    moves = dict(_law(fields) for fields in top.inners("laws"))
    questions: dict[str, Question] = {}
    for fields in top.inners("questions"):
        question = _question(fields)
        if question.id in questions:
            raise fields.fault("id", "stands here a second time")
        questions[question.id] = question
    rules: dict[str, Rule] = {}
    for fields in top.inners("rules"):
        rule = _rule(fields, questions, moves)
        if rule.id in rules:
            raise fields.fault("id", "stands here a second time")
        rules[rule.id] = rule
    top.done()
    for fields in top.inners("rules"):
        follows = fields.raw("then", None)
        if follows is not None and (follows not in rules or rules[follows].how is not How.PERIOD):
            raise fields.named(fields.string("id")).fault(
                "then", f'names "{follows}", which is no period rule'
            )
    return Rules(MappingProxyType(rules), MappingProxyType(questions))


def _law(fields: _Fields) -> tuple[str, str]:
    found = fields.string("name"), fields.string("moves")
    fields.done()
    return found


def _question(fields: _Fields) -> Question:
    owner = fields.string("id")
    fields.named(owner)
    options = fields.inner("options")
    texts = {name: options.text(name) for name in options.keys()}  # noqa: SIM118 (no mapping)
    if len(texts) < 2:
        raise fields.fault("options", "needs two answers at least")
    question = Question(
        owner, fields.text("title"), fields.string("source"), texts, fields.string("default", "later")
    )
    if question.default not in question.choices:
        raise fields.fault("default", f'is "{question.default}"', "one of " + ", ".join(question.choices))
    fields.done()
    return question


def _rule(fields: _Fields, questions: Mapping[str, Question], moves: Mapping[str, str]) -> Rule:
    owner = fields.string("id")
    fields.named(f"rule {owner}")
    how = fields.choice("how", How)
    law = fields.string("law")
    if law not in moves:
        raise fields.fault("law", f'is "{law}"', "one of the file's laws: " + ", ".join(moves))
    rule = Rule(
        id=owner,
        law=law,
        moves=moves[law],
        title=fields.text("title"),
        how=how,
        basis=fields.choice("basis", Basis),
        starts=_starts(fields),
        weekend=_answer(fields, "weekend", ("shift", "stay"), WEEKEND_OPTIONS, questions),
        calendar=fields.choice("calendar", CalendarOf),
        versions=_versions(fields, how, questions),
        counts=_counts(fields, how, questions),
        saturday=_answer(fields, "saturday", ("counts", "free"), SATURDAY_OPTIONS, questions, "free"),
        then=fields.string("then") if how in _NOTIFYING else None,
        procedure=fields.string("procedure") if fields.has("procedure") else None,
        effect=fields.text("effect") if fields.has("effect") else None,
        deemed=fields.flag("deemed"),
        receipt_decides=fields.flag("receipt-decides"),
        extension=_extension(fields),
        notes=fields.texts("notes"),
        flags=fields.texts("flags"),
    )
    if rule.deemed and rule.basis is not Basis.ARRIVAL:
        raise fields.fault("deemed", "needs the basis arrival: nothing is deemed granted without its proof")
    fields.done()
    return rule


def _counts(fields: _Fields, how: How, questions: Mapping[str, Question]) -> str:
    if how is How.HOURS:
        return _answer(fields, "counts", (), HOUR_OPTIONS, questions)
    return _answer(fields, "counts", ("event", "day"), COUNTS_OPTIONS, questions, "event")


def _answer(
    fields: _Fields,
    name: str,
    allowed: tuple[str, ...],
    options: tuple[str, ...],
    questions: Mapping[str, Question],
    default: Any = ...,
) -> str:
    value = fields.string(name, default)
    if value in allowed:
        return value
    if value not in questions:
        raise fields.fault(name, f'is "{value}"', f"one of {', '.join(allowed)}, or a question's id")
    if tuple(questions[value].options) != options:
        raise fields.fault(name, f"asks {value}, whose answers are not {', '.join(options)}")
    return value


def _starts(fields: _Fields) -> Mapping[Channel | None, str]:
    value = fields.raw("starts")
    found: dict[Channel | None, str] = {}
    if isinstance(value, str):
        found[None] = value
    else:
        inner = fields.inner("starts")
        for channel in Channel:
            if inner.has(channel.value):
                found[channel] = inner.string(channel.value)
        inner.done()
    for start in found.values():
        if start not in START_TEXTS:
            raise fields.fault("starts", f'names "{start}"', "one of " + ", ".join(START_TEXTS))
    if not found:
        raise fields.fault("starts", "names no start")
    return MappingProxyType(found)


def _versions(fields: _Fields, how: How, questions: Mapping[str, Question]) -> tuple[Version, ...]:
    versions = tuple(_version(inner, how, questions) for inner in fields.inners("versions"))
    if not versions:
        raise fields.fault("versions", "is empty")
    for earlier, later in pairwise(versions):
        if earlier.valid_until is None or later.valid_from is None or later.valid_from <= earlier.valid_until:
            raise fields.fault("versions", "overlap or are not in the order of time")
    return versions


def _version(fields: _Fields, how: How, questions: Mapping[str, Question]) -> Version:
    version = Version(
        source=fields.string("source"),
        valid_from=fields.day("from"),
        valid_until=fields.day("until"),
        cases=_cases(fields, questions),
        at_least=fields.period("at-least"),
        longer=fields.flag("longer"),
        workdays=fields.raw("workdays", None),
        starts=_starts(fields) if fields.has("starts") else None,
    )
    if version.valid_from and version.valid_until and version.valid_until < version.valid_from:
        raise fields.fault("until", "lies before from")
    figured = bool(version.cases)
    if how in (How.NOTIFICATION, How.AFTER_CALENDAR_YEAR) and not figured:
        raise fields.fault("period", "is missing")
    if how in (How.RECEIPT, How.DATE, How.NEXT_MONTH_WORKDAY, How.PROMPTLY, How.WORKDAYS) and figured:
        raise fields.fault("period", f"has no place in a rule of the kind {how}")
    counted = version.workdays is not None
    if counted != (how is How.WORKDAYS) or (counted and not _positive(version.workdays)):
        raise fields.fault("workdays", "must be a number above 0, in rules of the kind workdays only")
    fields.done()
    return version


def _positive(value: Any) -> bool:
    return type(value) is int and value > 0


def _cases(fields: _Fields, questions: Mapping[str, Question]) -> tuple[Case, ...]:
    if fields.has("cases"):
        return tuple(_case(inner, questions) for inner in fields.inners("cases"))
    if not fields.has("period"):
        return ()
    if fields.string("period") == "given":
        return ()
    return (Case(fields.period("period")),)


def _case(fields: _Fields, questions: Mapping[str, Question]) -> Case:
    none = fields.string("period") == "none"
    case = Case(
        period=None if none else fields.period("period"),
        channel=fields.choice("channel", Channel) if fields.has("channel") else None,
        abroad=fields.flag("abroad") if fields.has("abroad") else None,
        doubt=_doubt(fields.inner("or"), questions) if fields.has("or") else None,
    )
    fields.done()
    return case


def _doubt(fields: _Fields, questions: Mapping[str, Question]) -> Doubt:
    question = questions.get(fields.string("question"))
    if question is None:
        raise fields.fault("question", "names no question of this file")
    for name in ("option", "otherwise"):
        if fields.string(name) not in question.options:
            raise fields.fault(name, f"is no answer of {question.id}")
    period = fields.period("period")
    if period is None:
        raise fields.fault("period", "is missing")
    doubt = Doubt(question.id, fields.string("option"), period, fields.string("otherwise"))
    fields.done()
    return doubt


def _extension(fields: _Fields) -> Extension | None:
    if fields.raw("extension") == "none":
        return None
    inner = fields.inner("extension")
    by = inner.raw("by")
    if not isinstance(by, list) or not by or any(who not in EXTENDERS for who in by):
        raise inner.fault("by", "must list who may extend", "of " + ", ".join(EXTENDERS))
    extension = Extension(
        by=tuple(by),
        source=inner.string("source"),
        retroactive=inner.flag("retroactive"),
        add=inner.period("add"),
        total=inner.period("total"),
        firm=inner.flag("firm") if inner.has("firm") else True,
        note=inner.text("note") if inner.has("note") else None,
    )
    inner.done()
    return extension

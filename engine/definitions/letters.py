"""Letter bodies and subject lines: plain text from a narrow, sandboxed part of Jinja2.

A template may print fields, choose with ``if``, walk a list with ``for`` and use the filters below. Calls,
imports, macros, variables, multiplication and powers are refused when the package is read, so a template can
neither reach out nor run long. A field that is missing is false in ``if`` and a fault where it is printed.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, NoReturn

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal
from jinja2 import Template, TemplateError, TemplateSyntaxError, Undefined, UndefinedError, nodes
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engine.clock import local_day
from engine.errors import RefusedError
from engine.exchange.ports import Envelope, MessageType, Party

LOCALE = "de_DE"
NAMES = frozenset(
    {
        "data",
        "sender",
        "recipient",
        "own_reference",
        "partner_reference",
        "date",
        "answer_due",
        "documents",
        "title",
    }
)
"""What a template can use; ``context`` fills it."""

_FORBIDDEN: tuple[type[nodes.Node], ...] = (
    nodes.Call,
    nodes.CallBlock,
    nodes.FilterBlock,
    nodes.Macro,
    nodes.Include,
    nodes.Import,
    nodes.FromImport,
    nodes.Extends,
    nodes.Block,
    nodes.Assign,
    nodes.AssignBlock,
    nodes.With,
    nodes.Mul,
    nodes.Pow,
    nodes.Mod,
)
"""What could reach out, or make a short template run or grow without end."""


class TemplateFault(ValueError):
    """A template that is no Jinja2 or goes beyond the allowed part."""

    def __init__(self, message: str, line: int | None, hint: str) -> None:
        """Keep what is wrong, the line counted from 1, and how to mend it."""
        self.message, self.line, self.hint = message, line, hint
        super().__init__(f"line {line}: {message} ({hint})")


class LetterRefusedError(RefusedError):
    """The letter's text cannot be written from this data."""


class _Missing(Undefined):
    """A field that is not there: false when asked, no entries in a loop, a fault when printed."""

    def __str__(self) -> str:
        return self._fail_with_undefined_error()


def check_template(text: str, names: Collection[str] = NAMES) -> None:
    """Refuse what a template may not do; ``names`` are those it is given.

    Raises:
        TemplateFault: with the line and how to mend it.
    """
    environment = _environment()
    try:
        tree = environment.parse(text)
    except TemplateSyntaxError as error:
        raise TemplateFault(
            f"is no Jinja2: {error.message}", error.lineno, "close every {{ and {%"
        ) from error
    except RecursionError as error:
        raise TemplateFault("is nested too deep", None, "write it flat") from error
    for node in tree.find_all(_FORBIDDEN):
        raise TemplateFault(
            f"uses {type(node).__name__.lower()}, which letters may not",
            node.lineno,
            "print fields, use if, for and filters only",
        )
    for loop in tree.find_all(nodes.For):
        for inner in loop.find_all(nodes.For):
            if _walked(inner.iter) not in _names(loop.target):
                raise TemplateFault(
                    "has a loop in a loop that does not walk the outer loop's entry",
                    inner.lineno,
                    "write {% for b in a.list %} inside {% for a in … %}; at most two levels",
                )
    for kind, known in ((nodes.Filter, environment.filters), (nodes.Test, environment.tests)):
        for node in tree.find_all(kind):
            name = getattr(node, "name", "")
            if name not in known:
                raise TemplateFault(
                    f"uses {name!r}, which is unknown", node.lineno, "known are " + ", ".join(sorted(known))
                )
    for name in sorted(find_undeclared_variables(tree) - set(names)):
        hint = "write data.NAME for a field of the message; known are " + ", ".join(sorted(names))
        raise TemplateFault(f"uses {name!r}, which is not given", None, hint)


def render_body(envelope: Envelope) -> str:
    """Write the letter's body for an envelope, as plain text with paragraphs parted by empty lines.

    Raises:
        LetterRefusedError: the message type has no letter, or a printed field is missing.
    """
    message_type = envelope.message_type
    if message_type.template is None:
        raise LetterRefusedError(
            "has no letter.jinja, so it cannot go as a letter",
            where=f"message type {message_type.key} {message_type.version}",
            hint="add one to the package or choose another payload",
        )
    return _render(message_type.template, context(envelope), message_type, "letter.jinja").strip() + "\n"


def render_subject(
    message_type: MessageType,
    data: Mapping[str, Any],
    *,
    sender: Party,
    recipient: Party,
    own_reference: str,
    partner_reference: str | None,
    on: date,
) -> str:
    """Write the subject line, one line of plain text; the title where the type has no subject.

    Raises:
        LetterRefusedError: a printed field is missing.
    """
    if message_type.subject is None:
        return message_type.title
    values: dict[str, Any] = {
        "data": data,
        "sender": sender,
        "recipient": recipient,
        "own_reference": own_reference,
        "partner_reference": partner_reference,
        "date": on,
        "title": message_type.title,
        "answer_due": None,
        "documents": [],
    }
    return " ".join(_render(message_type.subject, values, message_type, "subject").split())


def context(envelope: Envelope) -> dict[str, Any]:
    """Return the names a template can use, filled from ``envelope``."""
    return {
        "data": envelope.data,
        "sender": envelope.sender,
        "recipient": envelope.recipient,
        "own_reference": envelope.own_reference,
        "partner_reference": envelope.partner_reference,
        "date": local_day(envelope.created),
        "answer_due": envelope.answer_due,
        "documents": [document.name for document in envelope.documents],
        "title": envelope.message_type.title,
    }


def fill(text: str, values: Mapping[str, Any], where: str) -> str:
    """Write a short text of a payload's mapping by the letters' rules; its names are those of ``values``.

    Raises:
        LetterRefusedError: the template is not allowed, or a printed field is missing.
    """
    try:
        return _template(text, frozenset(values)).render(values).strip()
    except UndefinedError as error:
        raise LetterRefusedError(
            f"prints a field that the message does not have: {error.message}",
            where=where,
            hint="fill the field, or print it inside {% if … %}",
        ) from error
    except (TemplateError, ValueError, TypeError, ArithmeticError) as error:
        raise LetterRefusedError(
            f"cannot be written: {error}", where=where, hint="mend the template"
        ) from error


def _render(text: str, values: Mapping[str, Any], message_type: MessageType, part: str) -> str:
    return fill(text, values, f"message type {message_type.key} {message_type.version}, {part}")


@lru_cache(maxsize=256)
def _template(text: str, names: frozenset[str]) -> Template:
    check_template(text, names)
    return _environment().from_string(text)


@lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=_Missing, autoescape=False, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.globals.clear()
    kept = ("trim", "upper", "lower", "default", "join", "length", "first", "last", "round", "int")
    filters = {name: environment.filters[name] for name in kept}
    environment.filters.clear()
    environment.filters.update(filters, datum=_datum, euro=_euro, zahl=_zahl)
    tests = {name: environment.tests[name] for name in ("defined", "none", "eq", "ne", "in")}
    environment.tests.clear()
    environment.tests.update(tests)
    return environment


def _walked(expression: nodes.Node) -> str | None:
    """Return the variable whose entries a loop walks; None where it is not plainly one."""
    while isinstance(expression, (nodes.Getattr, nodes.Getitem)):
        expression = expression.node
    return expression.name if isinstance(expression, nodes.Name) else None


def _names(target: nodes.Node) -> set[str]:
    named = {target.name} if isinstance(target, nodes.Name) else set()
    return named | {name.name for name in target.find_all(nodes.Name)}


def _datum(value: object) -> str:
    """Write a date or an ISO date text the German way, ``31.01.2026``."""
    if isinstance(value, str):
        value = date.fromisoformat(value[:10])
    if not isinstance(value, (date, datetime)):
        return _wrong("datum", value)
    return format_date(value, "dd.MM.yyyy", locale=LOCALE)


def _euro(value: object) -> str:
    """Write an amount in euros, ``1.234,56 €``."""
    return str(format_currency(_number("euro", value), "EUR", locale=LOCALE))


def _zahl(value: object) -> str:
    """Write a number the German way, ``1.234,5``."""
    return str(format_decimal(_number("zahl", value), locale=LOCALE))


def _number(filter_name: str, value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        _wrong(filter_name, value)
    try:
        return Decimal(str(value))
    except InvalidOperation:
        _wrong(filter_name, value)


def _wrong(filter_name: str, value: object) -> NoReturn:
    if isinstance(value, _Missing):
        str(value)  # raises and names the missing field
    raise ValueError(f"{filter_name} cannot write {value!r}")

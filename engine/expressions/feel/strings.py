"""FEEL's built-in functions for strings, and not()."""

from engine.expressions import numbers, patterns
from engine.expressions.errors import EvaluationError
from engine.expressions.feel.registry import Registry
from engine.expressions.feel.text import feel_text
from engine.expressions.limits import check_text
from engine.expressions.rules import Env
from engine.expressions.values import Value

REGISTRY = Registry()
builtin = REGISTRY.add


@builtin("not", "negand: any")
def _not(env: Env, negand: Value) -> Value:
    return not negand if type(negand) is bool else None


@builtin("substring", "string: string, start position: number, length: number?")
def _substring(env: Env, string: str, start: numbers.Number, length: numbers.Number | None = None) -> Value:
    first, size = int(numbers.truncate(start)), None if length is None else int(numbers.truncate(length))
    if first == 0 or abs(first) > len(string) or (size is not None and size < 1):
        raise EvaluationError("the position is outside the string")
    begin = first - 1 if first > 0 else len(string) + first
    return string[begin:] if size is None else string[begin : begin + size]


@builtin("string length", "string: string")
def _string_length(env: Env, string: str) -> Value:
    return len(string)


@builtin("upper case", "string: string")
def _upper_case(env: Env, string: str) -> Value:
    return string.upper()


@builtin("lower case", "string: string")
def _lower_case(env: Env, string: str) -> Value:
    return string.lower()


@builtin("trim", "string: string")
def _trim(env: Env, string: str) -> Value:
    return string.strip()


@builtin("substring before", "string: string, match: string")
def _substring_before(env: Env, string: str, match: str) -> Value:
    return string.partition(match)[0] if match and match in string else ""


@builtin("substring after", "string: string, match: string")
def _substring_after(env: Env, string: str, match: str) -> Value:
    if not match:
        return string
    return string.partition(match)[2]


@builtin("contains", "string: string, match: string")
def _contains(env: Env, string: str, match: str) -> Value:
    return match in string


@builtin("starts with", "string: string, match: string")
def _starts_with(env: Env, string: str, match: str) -> Value:
    return string.startswith(match)


@builtin("ends with", "string: string, match: string")
def _ends_with(env: Env, string: str, match: str) -> Value:
    return string.endswith(match)


@builtin("matches", "input: string, pattern: string, flags: string~?")
def _matches(env: Env, string: str, pattern: str, flags: str | None = None) -> Value:
    return patterns.matches(string, pattern, flags or "", env.budget)


@builtin("replace", "input: string, pattern: string, replacement: string, flags: string~?")
def _replace(env: Env, string: str, pattern: str, replacement: str, flags: str | None = None) -> Value:
    return patterns.replace(string, pattern, replacement, flags or "", env.budget)


@builtin("split", "string: string, delimiter: string")
def _split(env: Env, string: str, delimiter: str) -> Value:
    return patterns.split(string, delimiter, env.budget)


@builtin("string join", "list: list, delimiter: string~?")
def _string_join(env: Env, items: list[Value], delimiter: str | None = None) -> Value:
    present = [item for item in items if item is not None]
    env.budget.spend(len(items))
    if any(type(item) is not str for item in present):
        raise EvaluationError("string join() needs strings")
    patterns.check_text_size(sum(map(len, present)) + len(delimiter or "") * len(present))
    return check_text((delimiter or "").join(present))


@builtin("string", "from: any")
def _string(env: Env, value: Value) -> Value:
    return None if value is None else feel_text(value, env.budget)


@builtin("number", "from: string, grouping separator: string~?, decimal separator: string~?", "from: number")
def _number(env: Env, text: Value, grouping: str | None = None, decimal: str | None = None) -> Value:
    if type(text) is not str:
        return text
    if (
        grouping not in (None, " ", ",", ".")
        or decimal not in (None, ".", ",")
        or (grouping or "") == (decimal or ".")
    ):
        raise EvaluationError("separators are blank, point and comma, and they differ")
    plain = text.replace(grouping, "") if grouping else text
    plain = plain.replace(decimal, ".") if decimal else plain
    sign = plain[:1] if plain[:1] in ("-", "+") else ""
    digits = plain[len(sign) :]
    if len(digits) > 200 or not numbers.LITERAL.fullmatch(digits):
        raise EvaluationError("the text is no number")
    value = numbers.parse(digits)
    return numbers.negate(value) if sign == "-" else value

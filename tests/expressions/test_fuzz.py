"""Whatever the text and the data: a value, ExpressionError or EvaluationError, within a second."""

import json
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.expressions import (
    EvaluationError,
    ExpressionError,
    compile_expression,
    compile_feel,
    compile_script,
    compile_timer,
    compile_unary_tests,
)

WORDS = (  # noqa: SIM905 - shorter to read
    "x y item l d if then else for in return some every satisfies and or not between instance of function "
    "number string list date time null true false None True is lambda eq ne lt gt div mod empty "
    "count( substring( sort( matches( replace( date( duration( now( max( min( len( str( range( get value( "
    "+ - * / ** // % = == != < <= > >= ( ) [ ] { } , : . .. ? @ \" ' ${ #{ } && || ! -> ; # \\ \n "
    '0 1 2.5 1e3 .5 99999999999999999999999999999999999999 "a" \'b\' "P1D" "2026-11-23" @"P1M" ä _z é 🐎'
).split(" ")
TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join),
    st.lists(st.sampled_from(WORDS), max_size=30).map("".join),
    st.lists(st.sampled_from(WORDS), max_size=25).map(lambda words: "=" + " ".join(words)),
    st.lists(st.sampled_from(WORDS), max_size=25).map(lambda words: "${" + " ".join(words) + "}"),
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["P1D", "2026-11-23", "10:00:00", "2026-11-23T10:00:00@Europe/Berlin", "^a+", "-P1Y"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abxyv"), inner, max_size=3),
    max_leaves=12,
)
DATA = st.fixed_dictionaries({"x": JSON, "y": JSON, "l": st.lists(JSON, max_size=5), "d": JSON})
COMPILERS = [
    compile_expression,
    compile_feel,
    compile_unary_tests,
    lambda text: compile_expression(text, "python"),
    lambda text: compile_expression(text, "juel"),
]


def attempt(compiler, text, data):
    """Return what comes out; anything but our two errors is a failure, and so is taking a second."""
    begin = time.process_time()
    try:
        result = compiler(text)
        value = result.run(data) if hasattr(result, "run") else result.evaluate(data)
        json.dumps(value, allow_nan=False)
    except (ExpressionError, EvaluationError):
        value = None
    assert time.process_time() - begin < 1
    return value


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=TEXTS, data=DATA, which=st.integers(0, len(COMPILERS) - 1))
def test_any_text(text, data, which):
    attempt(COMPILERS[which], text, data)


@settings(max_examples=100, deadline=None)
@given(text=TEXTS, data=DATA, form=st.sampled_from([None, "python", "feel", "juel"]))
def test_any_script(text, data, form):
    attempt(lambda source: compile_script(source, form), f"a = {text}", data)
    attempt(lambda source: compile_script(source, form), text, data)


@settings(max_examples=100, deadline=None)
@given(text=st.one_of(TEXTS, st.text("PTRHMSDYW0123456789-:/.Z+", max_size=20)), data=DATA)
def test_any_timer(text, data):
    for kind in ("timeDate", "timeDuration", "timeCycle"):
        attempt(lambda source, kind=kind: compile_timer(source, kind), text, data)


FUNCTIONS = [
    "count", "sum", "min", "string", "not", "sort", "flatten", "date", "number", "mean", "reverse", "all",
    "string length", "distinct values", "get entries", "day of week", "duration", "index of", "sublist",
    "matches", "split", "decimal", "append", "before", "includes", "context merge", "time", "modulo",
]  # fmt: skip
OPERATORS = ["+", "-", "*", "/", "**", "=", "!=", "<", ">=", "and", "or", "in"]
LEAVES = ["x", "y", "l", "d", "1", "2.5", "0", '"a"', "null", "true", '@"P1D"', '@"2026-11-23"', "item", "[]"]
OPERANDS = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(OPERATORS), inner).map(lambda parts: f"({' '.join(parts)})"),
        st.tuples(st.sampled_from(FUNCTIONS), st.lists(inner, min_size=1, max_size=3)).map(
            lambda call: f"{call[0]}({', '.join(call[1])})"
        ),
        st.tuples(inner, inner).map(lambda pair: f"{pair[0]}[{pair[1]}]"),
        st.tuples(inner, inner).map(lambda pair: f"[{pair[0]}..{pair[1]}]"),
        st.tuples(inner, inner, inner).map(lambda three: "(if {} then {} else {})".format(*three)),
        st.tuples(inner, inner).map(lambda pair: f"(for item in {pair[0]} return {pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"(some item in {pair[0]} satisfies {pair[1]})"),
        st.tuples(inner, inner, inner).map(lambda three: "({} between {} and {})".format(*three)),
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        inner.map(lambda value: f"{{a: {value}, b: a}}"),
        inner.map(lambda value: f"({value}).a"),
        inner.map(lambda value: f"(-{value})"),
    ),
    max_leaves=10,
)  # fmt: skip


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=OPERANDS, data=DATA)
def test_feel_that_parses(text, data):
    """Built from FEEL's own productions, so most of it compiles and meets every kind of value."""
    attempt(compile_feel, text, data)
    attempt(compile_unary_tests, text, {**data, "?": data["x"]})


@settings(max_examples=200, deadline=None)
@given(value=JSON)
def test_data_comes_back(value):
    """Numbers may lose digits beyond 34 or change their form (1.0 is 1); everything else is the same."""

    def near(a, b):
        if isinstance(a, bool) or isinstance(b, bool):
            return a is b
        if isinstance(a, int | float):
            return b == pytest.approx(a, rel=1e-15)
        if isinstance(a, list):
            return len(a) == len(b) and all(map(near, a, b))
        if isinstance(a, dict):
            return a.keys() == b.keys() and all(near(a[k], b[k]) for k in a)
        return a == b

    for text in ("x", "=x", "${x}"):
        assert near(value, compile_expression(text).evaluate({"x": value}))

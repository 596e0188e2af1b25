"""The bare dialect: Python's meaning where it is JSON's too, else an error."""

import pytest

from engine.expressions import EvaluationError, ExpressionError, compile_expression

DATA = {
    "x": 5,
    "y": "a",
    "yes": True,
    "no": False,
    "nothing": None,
    "items": [1, 2.5, "b"],
    "order": {"id": "A-1", "sum": 12.30, "lines": [{"n": 1}, {"n": 2}]},
    "Straße": "Haupt",
}

VALUES = [
    ('x > 4 and y == "a"', True),
    ("x >= 5 or missing == 1", True),
    ("not yes", False),
    ("not no and yes", True),
    ("1 < x <= 5", True),
    ("5 < x < 9", False),
    ("x in [1, 5]", True),
    ('"id" in order', True),
    ('"lo" in "hello"', True),
    ("x not in items", True),
    ("nothing is None", True),
    ("x is not None", True),
    ("nothing == 0", False),
    ('x == "5"', False),
    ("yes == True and no == false and nothing == null", True),
    ("0.1 + 0.2 == 0.3", True),
    ("7 / 2", 3.5),
    ("6 / 3", 2),
    ("7 // 2", 3),
    ("-7 // 2", -4),
    ("-7 % 3", 2),
    ("2 ** 10", 1024),
    ("-2 ** 2", -4),
    ("2 ** -1", 0.5),
    ("+x - -x", 10),
    ("1e3", 1000),
    ('"a" + y', "aa"),
    ("[1] + [2]", [1, 2]),
    ("order.id", "A-1"),
    ('order["sum"] * 2', 24.6),
    ("order.lines[1].n", 2),
    ("items[-1]", "b"),
    ('y if x > 9 else "small"', "small"),
    ("1 if no else 2 if no else 3", 3),
    ('{"k": x, "l": [y,]}', {"k": 5, "l": ["a"]}),
    ("len(items) + max(1, 2) + min([3, 4])", 8),
    ("sum([0.1, 0.2])", 0.3),
    ("round(2.5)", 2),
    ("round(2.345, 2)", 2.34),
    ("int(2.9) + int('4')", 6),
    ("float('1.50')", 1.5),
    ('str(1.50) + "€"', "1.5€"),
    ("any([no, yes]) and not all([no, yes])", True),
    ("sorted([3, 1, 2])", [1, 2, 3]),
    ('upper("ä") + lower("Ö") + strip(" x ")', "Äöx"),
    ('startswith("abc", "a") and endswith("abc", "c")', True),
    ("abs(-3)", 3),
    ('Straße == "Haupt"  # a comment', True),
    ("1 /\n 2", 0.5),
    ("'it\\'s'", "it's"),
    ('"\\u00e4\\n"', "ä\n"),
    ("99999999999999999999999999999999 + 1", 100000000000000000000000000000000),
]


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_values(text, value):
    assert compile_expression(text).evaluate(DATA) == value


REFUSED = [
    ('status = "open"', 7, "=="),
    ("a && b", 2, "and"),
    ("a || b", 2, "or"),
    ("!a", 0, "not"),
    ("a.upper()", 2, "built-in"),
    ("a.b.c(1)", 4, "built-in"),
    ("f(1)", 0, "built-in"),
    ("[x for x in y]", 3, "FEEL"),
    ("lambda: 1", 0, "functions"),
    ('f"{x}"', 1, "prefixes"),
    ("a[1:2]", 3, None),
    ("(1, 2)", 2, "list"),
    ("a.__class__", 2, "underscore"),
    ("_x", 0, "rename"),
    ("x is y", 5, "=="),
    ("1 if x", 6, None),
    ("'open", 0, None),
    ("", 0, None),
    ("  ", 2, None),
    ("1 +", 3, None),
    ("a b", 2, None),
    ("a ? b : c", 2, "if"),
    ("x; y", 1, "script"),
    ("{1: 2}", 1, "key"),
    ('{"a": 1, "a": 2}', 9, None),
    ("1abc", 1, None),
    ("a < b in c", 6, "brackets"),
    ("len()", 0, "1"),
    ("import os", 0, None),
    ("@x", 0, None),
    ('"\\x41"', 1, None),
    ("x and", 5, None),
    ("1..2", 2, None),
]


@pytest.mark.parametrize(("text", "offset", "hint"), REFUSED)
def test_refused_with_position(text, offset, hint):
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text)
    assert caught.value.position.offset == offset, str(caught.value)
    if hint is not None:
        assert hint in str(caught.value)


WITHOUT_VALUE = [
    ("missing > 1", "missing"),
    ("order.missing", "order.missing"),
    ("order['nix']", "order['nix']"),
    ("items[7]", "items[7]"),
    ('x + "a"', 'x + "a"'),
    ('x < "a"', 'x < "a"'),
    ("nothing > 3", "nothing > 3"),
    ("yes == 1", "yes == 1"),
    ("yes + 1", "yes + 1"),
    ("x / 0", "x / 0"),
    ("x // 0", "x // 0"),
    ("x % 0", "x % 0"),
    ("not y", "not y"),
    ("y and yes", "y"),
    ("1 if y else 2", "y"),
    ("y.x", "y.x"),
    ("items[1.5]", "items[1.5]"),
    ("len(x)", "len(x)"),
    ("max([])", "max([])"),
    ("max([1, 'a'])", "max([1, 'a'])"),
    ("int('x')", "int('x')"),
    ("str(yes)", "str(yes)"),
    ("x in 5", "x in 5"),
    ("2 ** 99999", "2 ** 99999"),
    ("10 ** 9999", "10 ** 9999"),
    ("now()", "now()"),
]


@pytest.mark.parametrize(("text", "inner"), WITHOUT_VALUE)
def test_no_value_names_the_part(text, inner):
    with pytest.raises(EvaluationError) as caught:
        compile_expression(text).evaluate(DATA)
    assert caught.value.expression == inner


def test_names_are_what_it_reads():
    compiled = compile_expression('a.b[c] + (d if e else "f") + max(g, 1)')
    assert compiled.names == {"a", "c", "d", "e", "g"}
    assert compiled.dialect == "bare"


def test_second_line_is_located():
    with pytest.raises(ExpressionError) as caught:
        compile_expression("a and\n  b = 1")
    assert (caught.value.position.line, caught.value.position.column) == (2, 5)


def test_callers_functions():
    compiled = compile_expression("fee(x) + 1", functions=["fee"])
    assert compiled.functions == {"fee"}
    assert compiled.evaluate({"x": 2}, {"fee": lambda x: x * 1.5}) == 4
    with pytest.raises(EvaluationError, match="fee"):
        compiled.evaluate({"x": 2})
    with pytest.raises(EvaluationError, match="failed"):
        compiled.evaluate({"x": 2}, {"fee": lambda x: {}[x]})


def test_condition_must_be_true_or_false():
    assert compile_expression("x > 1").test({"x": 2}) is True
    assert compile_expression("x").test({"x": None}) is False
    for value in ("false", 1, [], {}):
        with pytest.raises(EvaluationError):
            compile_expression("x").test({"x": value})


def test_result_shares_nothing_with_the_data():
    data = {"d": {"l": [1]}}
    result = compile_expression("d").evaluate(data)
    result["l"].append(2)
    assert data == {"d": {"l": [1]}}


@pytest.mark.parametrize("value", [float("inf"), float("nan"), object(), {1, 2}, b"x", {1: 2}])
def test_what_is_no_json_is_refused(value):
    with pytest.raises(EvaluationError):
        compile_expression("x").evaluate({"x": value})


@pytest.mark.parametrize("language", ["python", "https://www.python.org/", "text/x-python", " Python "])
def test_language_selects(language):
    assert compile_expression('"${x}"', language).evaluate({}) == "${x}"


@pytest.mark.parametrize(
    "language", ["http://www.w3.org/1999/XPath", "javascript", "groovy", "http://example.org", "jq"]
)
def test_unknown_languages_are_refused(language):
    with pytest.raises(ExpressionError, match="not supported"):
        compile_expression("x > 1", language)

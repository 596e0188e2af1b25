"""JUEL: the expression language's meaning where nothing is converted; conversions are errors."""

import pytest

from engine.expressions import EvaluationError, ExpressionError, compile_expression

DATA = {"x": 5, "y": "a", "t": True, "n": None, "l": [1, 2.5], "o": {"k": "v", "z": None}, "e": [], "s": ""}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('${x > 4 && y == "a"}', True),
        ("#{x lt 4 || x ge 5}", True),
        ("${x eq 5 and x ne 6 and x le 5 and x gt 4}", True),
        ("${!t}", False),
        ("${not t}", False),
        ("${empty n and empty e and empty s and empty o.missing}", True),
        ("${not empty l}", True),
        ("${x > 3 ? 'big' : 'small'}", "big"),
        ("${t ? 1 : n ? 2 : 3}", 1),
        ("${7 div 2}", 3.5),
        ("${7 mod 4}", 3),
        ("${-7 % 4}", -3),
        ("${0.1 + 0.2}", 0.3),
        ("${l[1] * 2}", 5),
        ("${l[9]}", None),
        ("${o.k}", "v"),
        ("${o['k']}", "v"),
        ("${o.missing.deeper}", None),
        ("${n == null}", True),
        ("${n < 1}", False),
        ("${n <= n}", True),
        ("${x += y += 1.50}", "5a1.5"),
        ("${'a' < 'b'}", True),
        ("Case ${x} of ${y}", "Case 5 of a"),
        ("PT${x}S", "PT5S"),
        ("${x}${n}", "5"),
        ("${'}'}", "}"),
        ('${"\\"q\\""}', '"q"'),
        ("  ${x}  ", 5),
        ("${n && t}", False),
        ("${-x}", -5),
    ],
)
def test_values(text, value):
    assert compile_expression(text).evaluate(DATA) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${execution.getVariable('x')}", "methods"),
        ('${x.concat("y")}', "methods"),
        ("${x = 1}", "=="),
        ("${x", "not closed"),
        ("${}", "empty"),
        ("${x}#{y}", "throughout"),
        ("${x instanceof y}", "types"),
        ("${[1,2]}", "FEEL"),
        ("${x -> x}", "->"),
        ("${a:b(x)}", "unexpected"),
        ("${x ? 1}", '":" expected'),
        ("${_x}", "underscore"),
        ("${x; y}", "one value"),
        ("\\${x}", "not supported"),
        ("${1 +}", "value expected"),
        ("${eq}", "value expected"),
        ("${f(1)}", "no function"),
    ],
)
def test_refused(text, message):
    with pytest.raises(ExpressionError, match=r".*" + message.replace("->", "-")):
        compile_expression(text)


@pytest.mark.parametrize(
    "text",
    [
        "${y + y}",
        "${'1' + 2}",
        "${x == '5'}",
        "${t == 'true'}",
        "${x > '3'}",
        "${n + 1}",
        "${missing}",
        "${y && t}",
        "${'true' ? 1 : 2}",
        "${x / 0}",
        "${o}${x}",
        "${y.z}",
    ],
)
def test_conversions_are_errors(text):
    with pytest.raises(EvaluationError):
        compile_expression(text).evaluate(DATA)


def test_language_needs_the_braces():
    with pytest.raises(ExpressionError, match=r"\$\{"):
        compile_expression("x > 5", "juel")

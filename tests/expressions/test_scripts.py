"""Scripts are sequences of assignments; anything else is refused."""

import pytest

from engine.expressions import EvaluationError, ExpressionError, compile_script


def test_statements_in_order():
    script = compile_script("a = b + 1\nc = a * 2; d = 'x;y'  # why\n\nb -= 1")
    assert script.run({"b": 1}) == {"a": 2, "c": 4, "d": "x;y", "b": 0}
    assert script.assigns == {"a", "b", "c", "d"}
    assert script.names == {"b"}


def test_paths_change_a_copy():
    data = {"d": {"l": [1, 2]}}
    assert compile_script('d.x = 1\nd["y z"] = 2\nd.l[0] = d.x + 5\nd.l[1] += 1').run(data) == {
        "d": {"x": 1, "y z": 2, "l": [6, 3]}
    }
    assert data == {"d": {"l": [1, 2]}}


def test_lines_inside_brackets_go_on():
    assert compile_script("a = [1, # one; it's\n  2,\n]\nb = {\n'k': (1 +\n 2)}").run({}) == {
        "a": [1, 2],
        "b": {"k": 3},
    }


def test_nothing_is_assigned_when_one_line_fails():
    with pytest.raises(EvaluationError):
        compile_script("a = 1\nb = 1 / 0").run({})


@pytest.mark.parametrize(
    ("text", "form", "value"),
    [
        ("a = ${x > 1 && true}", None, True),
        ("a = ${x} euro".replace(" euro", ""), "juel", 2),
        ('a = if x > 1 then "big" else "small"; b = [x][1]', "feel", "big"),
        ("a = x + 1", "python", 3),
        ("a = x // 2", None, 1),
    ],
)
def test_dialects(text, form, value):
    assert compile_script(text, form).run({"x": 2})["a"] == value


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a == 1", 1, 1),
        ("print(1)", 1, 1),
        ("a = 1\nimport os", 2, 1),
        ("a = 1\n  b = foo(2)", 2, 7),
        ("x = = 2", 1, 6),
        ("a = 1 b = 2", 1, 9),
        ("a.b() = 1", 1, 1),
        ("a.__class__ = 1", 1, 1),
        ("_a = 1", 1, 1),
        ("a[x] = 1", 1, 1),
        ("a, b = 1, 2", 1, 1),
        ("for x in y: a = 1", 1, 1),
        ("if x: a = 1", 1, 1),
        ("execution.setVariable('a', 1)", 1, 1),
        ("a = b = 1", 1, 7),
        ("True = 1", 1, 1),
        ("${i + 1}", 1, 1),
        ("0", 1, 1),
        ("", 1, 1),
        ("# only a comment", 1, 1),
        ("a = 'open", 1, 5),
        ("a = [1", 1, 7),
        ("var a = 1", 1, 1),
        ("def f(): pass", 1, 1),
        ("a = ", 1, 5),
    ],
)
def test_refused(text, line, column):
    with pytest.raises(ExpressionError) as caught:
        compile_script(text)
    assert (caught.value.position.line, caught.value.position.column) == (line, column), str(caught.value)


@pytest.mark.parametrize("form", ["javascript", "groovy", "http://www.w3.org/1999/XPath"])
def test_formats_refused(form):
    with pytest.raises(ExpressionError, match="not supported"):
        compile_script("a = 1", form)


@pytest.mark.parametrize("text", ["d.x = 1", "x.y = 1", "l[5] = 1", "l.x = 1", "o.a.b = 1", "n += 1"])
def test_paths_that_lead_nowhere(text):
    with pytest.raises(EvaluationError):
        compile_script(text).run({"x": 1, "l": [1], "o": {}})


def test_operators_of_python_only_there():
    with pytest.raises(ExpressionError, match="feel"):
        compile_script("a += 1", "feel")


def test_too_many_statements():
    with pytest.raises(ExpressionError, match="assignments"):
        compile_script("a = 1\n" * 501)

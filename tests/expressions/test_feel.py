"""FEEL: syntax, three-valued logic, and what the DMN specification says of each operator."""

import pytest

from engine.expressions import (
    EvaluationError,
    ExpressionError,
    LimitError,
    compile_expression,
    compile_feel,
    compile_unary_tests,
)

DATA = {
    "x": 5,
    "y": "a",
    "t": True,
    "n": None,
    "l": [1, 2.5, 7],
    "p": [{"n": "a", "v": 1}, {"n": "b", "v": 2}],
    "Applicant Age": 30,
}

VALUES = [
    ('=x > 4 and y = "a"', True),
    ("=x != 4", True),
    ("=0.1 + 0.2", 0.3),
    ("=1/3", 0.3333333333333333),
    ("=-2 ** 2", 4),
    ("=2 ** 3 ** 2", 64),
    ("=10 - 3 - 2", 5),
    ('="a" + "b"', "ab"),
    ("=Applicant Age >= 18", True),
    ('=if x > 9 then "big" else "small"', "small"),
    ("=if n then 1 else 2", 2),
    ("=for i in 1..3 return i * i", [1, 4, 9]),
    ("=for i in 3..1 return i", [3, 2, 1]),
    ("=for i in [1,2], j in [10,20] return i + j", [11, 21, 12, 22]),
    ("=for i in 1..4 return if i = 1 then 1 else i * partial[-1]", [1, 2, 6, 24]),
    ("=for i in [1..3] return i", [1, 2, 3]),
    ('=for d in @"2026-02-27"..@"2026-03-01" return d', ["2026-02-27", "2026-02-28", "2026-03-01"]),
    ("=some i in l satisfies i > 5", True),
    ("=every i in l satisfies i > 5", False),
    ("=some i in [] satisfies true", False),
    ("=every i in [] satisfies false", True),
    ("=l[item > 2]", [2.5, 7]),
    ("=l[1]", 1),
    ("=l[-1]", 7),
    ("=l[9]", None),
    ("=l[x - 4]", 1),
    ("=p[v > 1].n", ["b"]),
    ("=p[v > 1][1].n", "b"),
    ("=p.n", ["a", "b"]),
    ("=x[1]", 5),
    ("=[1, 2, 3][item > x]", []),
    ("={a: 1, b: a + 1}.b", 2),
    ('={"key one": 1}.key one', 1),
    ("={first name: y}.first name", "a"),
    ("=x between 1 and 5", True),
    ("=x between 6 and 9 and t", False),
    ("=x in [1..5]", True),
    ("=x in [1..5)", False),
    ("=x in ]5..9]", False),
    ("=x in (1, 5)", True),
    ("=x in (< 3, > 4)", True),
    ("=x in l", False),
    ("=2.5 in l", True),
    ("=x in > 4", True),
    ('="b" in ["a".."c"]', True),
    ("=x instance of number", True),
    ("=l instance of list<number>", True),
    ("={a: 1} instance of context<a: number>", True),
    ("=n instance of Any", False),
    ("=not(t)", False),
    ("=not(n)", None),
    ("=(function(a, b) a + b)(1, 2)", 3),
    ("={f: function(v) v * 2, r: f(4)}.r", 8),
    ("=sort(l, function(a, b) a > b)", [7, 2.5, 1]),
    ("=/* both */ 1 + // end\n 2", 3),
    ('="\\u00e4\\""', 'ä"'),
    ('=contains(match: "a", string: y)', True),
    ("={a: [1, 2]}.a[2]", 2),
    ("=[1..3] = [1..3]", True),
    ("=([1..3]).end", 3),
]


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_values(text, value):
    assert compile_expression(text).evaluate(DATA) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true and null", None),
        ("false and null", False),
        ("true or null", True),
        ("false or null", None),
        ("null and null", None),
        ('"a" and true', None),
        ('"a" and false', False),
        ("null = null", True),
        ("null = 1", False),
        ('1 = "1"', None),
        ("true = 1", None),
        ("null > 3", None),
        ('1 < "2"', None),
        ('1 + "a"', None),
        ("null + 1", None),
        ("1 / 0", None),
        ("nowhere", None),
        ("nowhere.at.all", None),
        ("null in [1..3]", None),
        ("5 between null and 9", None),
        ("some i in [null, false] satisfies i", None),
        ("some i in [null, true] satisfies i", True),
        ("every i in [null, true] satisfies i", None),
        ("every i in null satisfies i", None),
        ("for i in null return i", None),
        ("null[1]", None),
        ("substring(null, 1)", None),
        ('date("2026-02-30")', None),
        ('date("nonsense")', None),
        ("[5..1]", None),
        ('-"a"', None),
    ],
)
def test_three_valued(text, value):
    assert compile_feel(text).evaluate({}) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('date("2026-01-31") + duration("P1M")', "2026-02-28"),
        ('date("2024-02-29") - duration("P1Y")', "2023-02-28"),
        ('date("2026-03-01") - date("2026-02-01")', "P28D"),
        ('date("2026-11-23").weekday', 1),
        ('day of week(date("2026-11-23"))', "Monday"),
        ('week of year(date("2027-01-01"))', 53),
        ('last day of month(date("2024-02-03"))', "2024-02-29"),
        ('@"2026-11-23T10:00:00+01:00" = @"2026-11-23T09:00:00Z"', True),
        ('@"2026-11-23T10:00:00@Europe/Berlin"', "2026-11-23T10:00:00+01:00"),
        ('string(@"2026-11-23T10:00:00@Europe/Berlin")', "2026-11-23T10:00:00@Europe/Berlin"),
        ('@"2026-03-28T12:00:00@Europe/Berlin" + duration("PT24H")', "2026-03-29T13:00:00+02:00"),
        ('date and time("2026-11-23T10:00:00") - date and time("2026-11-20T09:30:00")', "P3DT30M"),
        ('time("23:30:00") + duration("PT1H")', "00:30:00"),
        ('duration("P1DT2H") * 2', "P2DT4H"),
        ('duration("P1Y") / duration("P1M")', 12),
        ('-duration("P1Y2M")', "-P1Y2M"),
        ('duration("P400D").days', 400),
        ('duration("PT90M").minutes', 30),
        ('duration("-P1Y6M").months', -6),
        ('years and months duration(date("2011-12-22"), date("2013-08-24"))', "P1Y8M"),
        ('date("2026-11-23") < date("2026-11-24")', True),
        ('@"2026-11-23T10:00:00" < @"2026-11-23T10:00:00Z"', None),
        ("date(2026, 11, 23)", "2026-11-23"),
        ('time(10, 30, 0, duration("PT1H"))', "10:30:00+01:00"),
        ('date and time(date("2026-11-23"), time("08:00:00"))', "2026-11-23T08:00:00"),
        ('duration("P1Y1D")', None),
        ('date(@"2026-11-23T10:00:00").year', 2026),
        ('@"P1Y" = @"P12M"', True),
        ('duration("PT0.5S")', "PT0.5S"),
        ('duration("PT0S")', "PT0S"),
    ],
)
def test_dates_and_durations(text, value):
    assert compile_feel(text).evaluate({}) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('substring("foobar", 3, 2)', "ob"),
        ('substring("foobar", -2)', "ar"),
        ('string length("äöü")', 3),
        ('upper case("aß")', "ASS"),
        ('substring before("a/b", "/") + substring after("a/b", "/")', "ab"),
        ('replace("2026-11", "(\\d+)-(\\d+)", "$2.$1")', "11.2026"),
        ('matches("AZ 12/26", "^[A-Z]+ \\d+/\\d{2}$")', True),
        ('split("a;b;c", ";")', ["a", "b", "c"]),
        ('string join(["a", null, "c"], "-")', "a-c"),
        ('number("1.000,50", ".", ",")', 1000.5),
        ('number("1 000.5", " ", ".")', 1000.5),
        ('number("x")', None),
        ("string(1.50)", "1.5"),
        ('string([1, "a", null])', '[1, "a", null]'),
        ("decimal(1/3, 2)", 0.33),
        ("round half up(2.5, 0) + round half down(2.5, 0) + round up(-2.1, 0) + round down(2.9, 0)", 4),
        ("floor(-1.5) + ceiling(1.2)", 0),
        ("modulo(-7, 3)", 2),
        ("sqrt(16) + abs(-1)", 5),
        ("exp(0) + log(1)", 1),
        ("odd(3) and even(2)", True),
        ("min(3, 1, 2) + max([4, 5])", 6),
        ("sum([]) = null", True),
        ("mean([1, 2, 3, 4])", 2.5),
        ("median(8, 2, 5, 3)", 4),
        ("mode([6, 3, 9, 6, 6])", [6]),
        ("stddev([2, 4, 7, 5])", 2.0816659994661326),
        ("product([2, 3, 4])", 24),
        ("all([true, null])", None),
        ("any([false, true])", True),
        ("sublist([1, 2, 3], 2)", [2, 3]),
        ("append([1], 2, 3)", [1, 2, 3]),
        ("concatenate([1], [2, 3])", [1, 2, 3]),
        ("insert before([1, 3], 2, 2)", [1, 2, 3]),
        ("remove([1, 2, 3], 2)", [1, 3]),
        ("list replace([1, 2], 1, 9)", [9, 2]),
        ("list replace([1, 2], function(item, newItem) item > 1, 9)", [1, 9]),
        ("reverse([1, 2])", [2, 1]),
        ("index of([1, 2, 1], 1)", [1, 3]),
        ("union([1, 2], [2, 3])", [1, 2, 3]),
        ("distinct values([1, 1.0, 2])", [1, 2]),
        ("flatten([1, [2, [3]]])", [1, 2, 3]),
        ("list contains([1, null], null)", True),
        ("count(null)", None),
        ('get value({a: 1}, "a")', 1),
        ("get entries({a: 1})", [{"key": "a", "value": 1}]),
        ('context([{key: "a", value: 1}])', {"a": 1}),
        ('context put({a: 1}, "b", 2)', {"a": 1, "b": 2}),
        ('context put({a: {b: 1}}, ["a", "b"], 2)', {"a": {"b": 2}}),
        ("context merge([{a: 1}, {a: 2, b: 3}])", {"a": 2, "b": 3}),
        ("before(1, 2) and after([5..6], [1..5))", True),
        ("meets([1..5], [5..8]) and met by([5..8], [1..5])", True),
        ("overlaps([1..5], [5..8]) and not(overlaps([1..5), [5..8]))", True),
        ("includes([1..9], 5) and during(5, [1..9])", True),
        ("starts(1, [1..9]) and finishes(9, [1..9]) and coincides([1..2], [1..2])", True),
        ('2 in range("[1..3]")', True),
        ('is(@"2026-11-23", @"2026-11-23")', True),
    ],
)
def test_builtins(text, value):
    assert compile_feel(text).evaluate({}) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("=x == 3", '"="'),
        ("=f(1)", "no function"),
        ("=[1..5", "range"),
        ("='a'", "double quotes"),
        ("=a && b", "and"),
        ("=x % 2", "modulo"),
        ("=if a then b", "else"),
        ("=for x in l", "return"),
        ("=some x in l", "satisfies"),
        ("=function(a) external {java: {}}", "external"),
        ("={a: 1, a: 2}", "twice"),
        ("=x instance of nonsense", "no type"),
        ("=substring(1)", "it is substring"),
        ('=substring("a", start: 1)', "unexpected|expected"),
        ('=substring(text: "a", start position: 1)', "no such parameters"),
        ('=@"yesterday"', "no date"),
        ("=", "empty"),
        ("=_x", "underscore"),
        ("=null..3", "unexpected"),
        ("=(!= 3)", "no range"),
        ("=1 +", "value expected"),
        ("=then", "value expected"),
        ('=@"12026-01-01"', "1 to 9999"),
        ('=matches("a", "(a)\\1")', "not supported"),
    ],
)
def test_refused(text, message):
    with pytest.raises(ExpressionError, match=message):
        compile_expression(text)


def test_what_we_lack_is_an_error_not_null():
    with pytest.raises(EvaluationError, match="1 to 9999"):
        compile_feel("date(x)").evaluate({"x": "12026-01-01"})
    with pytest.raises(EvaluationError, match="not supported"):
        compile_feel("matches(x, p)").evaluate({"x": "a", "p": "(?=a)"})


@pytest.mark.parametrize("text", ["[1..5)", "function(a) a", "{r: (< 5)}"])
def test_results_that_json_cannot_hold(text):
    with pytest.raises(EvaluationError, match="hold"):
        compile_feel(text).evaluate({})


def test_now_comes_from_the_caller_only():
    from datetime import UTC, date, datetime

    compiled = compile_feel('now() > @"2026-01-01T00:00:00Z" and today() = date("2026-11-23")')
    assert compiled.functions == {"now", "today"}
    supplied = {"now": lambda: datetime(2026, 11, 23, tzinfo=UTC), "today": lambda: date(2026, 11, 23)}
    assert compiled.evaluate({}, supplied) is True
    with pytest.raises(EvaluationError, match="not available"):
        compiled.evaluate({})


def test_names():
    compiled = compile_feel("for i in xs return i + y + p[v > w].z + {k: 1, m: k}.m")
    assert compiled.names == {"xs", "y", "p"}
    assert compiled.possible_names == {"v", "w"}


def test_names_with_symbols_are_known_names():
    compiled = compile_feel("Mortgage + Fee-Rate > if-any", ["Mortgage + Fee-Rate", "if-any"])
    assert compiled.evaluate({"Mortgage + Fee-Rate": 2, "if-any": 1}) is True


@pytest.mark.parametrize(
    ("cell", "value", "holds"),
    [
        ("-", None, True),
        ("5", 5, True),
        ("5", "5", False),
        ("< 5", 3, True),
        ("< 5", None, False),
        ("5, 6", 6, True),
        ("not(5)", 5, False),
        ("not(5, 6)", 7, True),
        ("not(< 3, 5)", 4, True),
        ("[1..5]", 5, True),
        ("]1..5[", 5, False),
        ("(1..5)", 1, False),
        ('"a","b"', "b", True),
        ("? > 3 and ? < 9", 4, True),
        ("? > 3 and ? < 9", 9, False),
        ('contains(?, "x")', "axb", True),
        ("null", None, True),
        ("null", 1, False),
        ("not(null)", 1, True),
        ("not(null)", None, False),
        ("true", True, True),
        ("false", True, False),
        ("true", None, False),
        ("limit", 7, True),
        ("> limit * 2", 15, True),
        ("list", 2, True),
        ("not(?)", False, True),
        ("[1,2]", 2, True),
        ("> 1, < -1", -2, True),
        ("!= 3", 4, True),
        ("= 3", 3, True),
    ],
)
def test_unary_tests(cell, value, holds):
    compiled = compile_unary_tests(cell, ["?", "limit", "list"])
    assert compiled.evaluate({"?": value, "limit": 7, "list": [1, 2]}) is holds


def test_unary_tests_on_dates():
    from engine.expressions.temporal import parse_date

    cell = compile_unary_tests('[date("2026-01-01")..date("2026-12-31")]')
    assert cell.value({"?": parse_date("2026-11-23")}) is True
    assert cell.value({"?": parse_date("2027-01-01")}) is False
    assert cell.value({"?": None}) is False
    assert cell.value({"?": "2026-11-23"}) is False


@pytest.mark.parametrize("cell", ["", "<", "5,", "not(", "[1..", "5 6", "not(5) and true and"])
def test_unary_tests_refused(cell):
    with pytest.raises(ExpressionError):
        compile_unary_tests(cell)


def test_recursion_is_bounded():
    text = "{f: function(g, n) if n = 0 then 0 else 1 + g(g, n - 1), r: f(f, depth)}.r"
    compiled = compile_feel(text, ["f", "g"])
    assert compiled.evaluate({"depth": 5}) == 5
    with pytest.raises(LimitError):
        compiled.evaluate({"depth": 5000})

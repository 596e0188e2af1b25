"""Every hit policy of DMN, with one and several outputs, defaults, no hits and contradictions."""

import pytest

from engine.decisions import DecisionFileError, HitPolicyError, TypeMismatchError
from tests.decisions.build import decision, input_, input_data, output, read, table

AGE = [input_data("age", "number"), input_data("risk", "string")]


def one(policy, rules, out=None, aggregation=""):
    logic = table(policy, [input_("age", "number")], [out or output("r")], rules, aggregation)
    return read(*AGE, decision("d", logic, ["i_age", "i_risk"]))


def run(decisions, age=20, risk="low"):
    return decisions.evaluate("d", {"age": age, "risk": risk})


OVERLAP = [(["> 10"], ["1"]), (["> 15"], ["3"]), (["> 18"], ["2"]), (["< 0"], ["9"])]


@pytest.mark.parametrize(
    ("policy", "aggregation", "value"),
    [
        ("FIRST", "", 1),
        ("RULE ORDER", "", [1, 3, 2]),
        ("COLLECT", "", [1, 3, 2]),
        ("COLLECT", "SUM", 6),
        ("COLLECT", "MIN", 1),
        ("COLLECT", "MAX", 3),
        ("COLLECT", "COUNT", 3),
    ],
)
def test_several_hits(policy, aggregation, value):
    assert run(one(policy, OVERLAP, aggregation=aggregation)) == value


@pytest.mark.parametrize(
    ("policy", "aggregation", "value"),
    [
        ("UNIQUE", "", None),
        ("ANY", "", None),
        ("FIRST", "", None),
        ("RULE ORDER", "", []),
        ("COLLECT", "", []),
        ("COLLECT", "SUM", None),
        ("COLLECT", "MIN", None),
        ("COLLECT", "MAX", None),
        ("COLLECT", "COUNT", 0),
    ],
)
def test_no_hit(policy, aggregation, value):
    assert run(one(policy, OVERLAP, aggregation=aggregation), age=5) == value


@pytest.mark.parametrize("policy", ["PRIORITY", "OUTPUT ORDER"])
def test_no_hit_with_priorities(policy):
    found = one(policy, OVERLAP, output("r", values="3, 2, 1, 9"))
    assert run(found, age=5) == (None if policy == "PRIORITY" else [])


@pytest.mark.parametrize("age", [5, None])
def test_default_output(age):
    assert run(one("UNIQUE", OVERLAP[:1], output("r", default='"none"')), age=age) == "none"
    assert run(one("COLLECT", OVERLAP[:1], output("r", default="0")), age=age) == [0]
    assert run(one("COLLECT", OVERLAP[:1], output("r", default="0"), "SUM"), age=age) == 0


def test_unique():
    assert run(one("UNIQUE", OVERLAP[:1])) == 1
    with pytest.raises(HitPolicyError) as caught:
        run(one("UNIQUE", OVERLAP))
    assert "1 (line" in str(caught.value)
    assert "3 (line" in str(caught.value)
    assert "4 (line" not in str(caught.value)


def test_unique_is_the_default():
    logic = table("UNIQUE", [input_("age")], [output()], OVERLAP).replace(' hitPolicy="UNIQUE"', "")
    with pytest.raises(HitPolicyError):
        run(read(*AGE, decision("d", logic, ["i_age"])))


def test_any():
    agreeing = [(["> 10"], ["2"]), (["> 15"], ["1 + 1"]), (["> 18"], ["2.0"])]
    assert run(one("ANY", agreeing)) == 2
    with pytest.raises(HitPolicyError, match="ANY"):
        run(one("ANY", OVERLAP))


def test_priority_and_output_order():
    values = output("r", values='"high", "middle", "low"')
    rules = [(["-"], ['"low"']), (["> 10"], ['"high"']), (["> 15"], ['"middle"'])]
    assert run(one("PRIORITY", rules, values)) == "high"
    assert run(one("OUTPUT ORDER", rules, values)) == ["high", "middle", "low"]
    assert run(one("PRIORITY", rules, values), age=11) == "high"
    assert run(one("PRIORITY", rules, values), age=1) == "low"


def test_priority_by_the_type_s_values():
    types = """<itemDefinition name="tR"><typeRef>string</typeRef>
    <allowedValues><text>"a","b"</text></allowedValues></itemDefinition>"""
    logic = table("PRIORITY", [input_("age")], [output("r", "tR")], [(["-"], ['"b"']), (["-"], ['"a"'])])
    assert run(read(types, *AGE, decision("d", logic, ["i_age"]))) == "a"


TWO = [
    output("status", values='"declined", "approved"'),
    output("rate", values='"best", "standard"'),
]
ROWS = [
    (["> 10", "-"], ['"approved"', '"standard"']),
    (["-", '"low"'], ['"approved"', '"best"']),
    (["> 100", "-"], ['"declined"', '"standard"']),
]


def two(policy, outputs=TWO):
    logic = table(policy, [input_("age"), input_("risk")], outputs, ROWS)
    return read(*AGE, decision("d", logic, ["i_age", "i_risk"]))


def test_several_outputs():
    assert run(two("PRIORITY")) == {"status": "approved", "rate": "best"}
    assert run(two("PRIORITY"), age=101) == {"status": "declined", "rate": "standard"}
    assert run(two("FIRST")) == {"status": "approved", "rate": "standard"}
    assert run(two("OUTPUT ORDER")) == [
        {"status": "approved", "rate": "best"},
        {"status": "approved", "rate": "standard"},
    ]
    assert run(two("COLLECT")) == [
        {"status": "approved", "rate": "standard"},
        {"status": "approved", "rate": "best"},
    ]
    with pytest.raises(HitPolicyError):
        run(two("UNIQUE"))
    with pytest.raises(HitPolicyError):
        run(two("ANY"))


def test_several_outputs_with_defaults():
    outputs = [output("status", default='"open"'), output("rate")]
    assert run(two("FIRST", outputs), age=1, risk="high") == {"status": "open", "rate": None}


def test_sum_of_durations_and_of_what_cannot_be_added():
    rules = [(["-"], ['duration("P1D")']), (["-"], ['duration("PT12H")'])]
    assert run(one("COLLECT", rules, aggregation="SUM")) == "P1DT12H"
    assert run(one("COLLECT", rules, aggregation="MAX")) == "P1D"
    mixed = [(["-"], ["1"]), (["-"], ['"a"'])]
    for aggregation in ("SUM", "MIN", "MAX"):
        with pytest.raises(HitPolicyError):
            run(one("COLLECT", mixed, aggregation=aggregation))


def test_first_stops_at_the_first_hit():
    assert run(one("FIRST", [(["-"], ["1"]), (['? + "a" > 1 and sqrt(-1) = 1'], ["2"])])) == 1


@pytest.mark.parametrize(
    ("cell", "age", "hit"),
    [
        ("-", None, True),
        ("null", None, True),
        ("not(null)", None, False),
        ("not(null)", 3, True),
        ("< 5", None, False),
        ("not(< 5)", None, False),
        ("[1..5]", 5, True),
        ("[1..5)", 5, False),
        ("]1..5]", 1, False),
        ("< 5, > 9", 9, False),
        ("not(5, 6)", 6, False),
        ("? * 2 = 10", 5, True),
        ("string length(risk)", 3, True),
        ("", 7, True),
    ],
)
def test_cells(cell, age, hit):
    assert (run(one("FIRST", [([cell], ["true"]), (["-"], ["false"])]), age=age)) is hit


@pytest.mark.parametrize(
    ("day", "value"),
    [
        ("2026-01-01", "first half"),
        ("2026-06-30", "first half"),
        ("2026-07-01", "second half"),
        (None, "unknown"),
    ],
)
def test_date_ranges(day, value):
    rules = [
        (['[date("2026-01-01")..date("2026-06-30")]'], ['"first half"']),
        (['> date("2026-06-30")'], ['"second half"']),
        (["null"], ['"unknown"']),
    ]
    logic = table("UNIQUE", [input_("day", "date")], [output("r", "string")], rules)
    found = read(input_data("day", "date"), decision("d", logic, ["i_day"]))
    assert found.evaluate("d", {"day": day}) == value


def test_boolean_cells():
    logic = table("UNIQUE", [input_("b", "boolean")], [output()], [(["true"], ["1"]), (["false"], ["0"])])
    found = read(input_data("b", "boolean"), decision("d", logic, ["i_b"]))
    assert [found.evaluate("d", {"b": b}) for b in (True, False, None)] == [1, 0, None]


def test_values_of_clauses_are_checked():
    logic = table("FIRST", [input_("age", "number", "[0..120]")], [output()], [(["-"], ["1"])])
    found = read(*AGE, decision("d", logic, ["i_age"]))
    assert run(found) == 1
    assert run(found, age=None) == 1
    with pytest.raises(TypeMismatchError, match="among"):
        run(found, age=200)
    with pytest.raises(TypeMismatchError, match="rule 1"):
        run(one("FIRST", [(["-"], ['"x"'])], output("r", values='"a","b"')))
    with pytest.raises(TypeMismatchError, match="number"):
        run(one("FIRST", [(["-"], ['"x"'])], output("r", "number")))


@pytest.mark.parametrize(
    ("logic", "message"),
    [
        (table("BEST", [], [output()], []), "hit policy"),
        (table("PRIORITY", [], [output()], []), "output values"),
        (table("OUTPUT ORDER", [], [output()], []), "output values"),
        (table("UNIQUE", [], [output()], [], "SUM"), "no aggregation"),
        (table("COLLECT", [], [output()], [], "AVG"), "aggregation"),
        (table("COLLECT", [], [output("a"), output("b")], [], "SUM"), "one output"),
        (table("UNIQUE", [], [], []), "no output"),
        (table("UNIQUE", [], [output(), output()], []), "names that differ"),
        (table("UNIQUE", [], [output("a"), output("a")], []), "names that differ"),
        (table("UNIQUE", [input_("age")], [output()], [(["1", "2"], ["1"])]), "rule 1 has 2 inputs"),
        (table("UNIQUE", [input_("age")], [output()], [(["1"], [])]), "0 outputs"),
        (table("UNIQUE", [input_("age")], [output()], [(["1"], [""])]), "empty"),
        (table("UNIQUE", [input_("age")], [output()], [(["gold"], ["1"])]), '"gold"'),
        (table("UNIQUE", [input_("age")], [output()], [(["1"], ["gold"])]), '"gold"'),
        (table("UNIQUE", [input_("age")], [output()], [(["== 1"], ["1"])]), "=="),
        (table("UNIQUE", [input_("")], [output()], []), "empty"),
        (table("UNIQUE", [input_("age", "money")], [output()], []), "no type"),
        (table("UNIQUE", [input_("age")], [output("r", values="1,,2")], []), "value expected"),
    ],
)
def test_refused_when_read(logic, message):
    with pytest.raises(DecisionFileError, match=message) as caught:
        read(*AGE, decision("d", logic, ["i_age"]))
    assert caught.value.line is not None


@pytest.mark.parametrize(
    "text", ["age > 3", 'age > 3 and risk = "low"', "1, age in [1..3]", "age between 1 and 3"]
)
def test_a_condition_that_does_not_speak_of_the_input_is_refused(text):
    with pytest.raises(DecisionFileError, match="does not speak of the input"):
        one("UNIQUE", [([text], ["1"])])


def test_conditions_over_the_input_and_values_of_a_boolean_input_are_read():
    assert run(one("UNIQUE", [(['? > 3 and risk = "low"'], ["1"])])) == 1
    logic = table("UNIQUE", [input_("age > 18", "boolean")], [output("r")], [(["age < 99"], ["1"])])
    assert run(read(*AGE, decision("d", logic, ["i_age", "i_risk"]))) == 1


@pytest.mark.parametrize("values", [('"a"', '"b"'), ("true", "true"), ("1", "null")])
def test_only_numbers_and_durations_are_summed(values):
    rules = [(["-"], [value]) for value in values]
    with pytest.raises(HitPolicyError, match="cannot be added"):
        run(one("COLLECT", rules, aggregation="SUM"))
    days = one("COLLECT", [(["-"], ['duration("P1D")']), (["-"], ['duration("P2D")'])], aggregation="SUM")
    assert run(days) == "P3D"


def test_a_table_without_input_data_reads_dates_from_the_data():
    logic = table(
        "UNIQUE", [input_("posted on", "date")], [output("r")], [(['>= date("2026-01-01")'], ["1"])]
    )
    decisions = read(decision("d", logic))
    assert decisions.evaluate("d", {"posted on": "2026-02-01"}) == 1
    assert decisions.evaluate("d", {"posted on": "2025-02-01"}) is None
    with pytest.raises(TypeMismatchError):
        decisions.evaluate("d", {"posted on": "2026-02-31"})

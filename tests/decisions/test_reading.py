"""Files: versions, requirements, boxed expressions, types; and everything that is refused."""

import pytest

from engine.decisions import (
    DecisionError,
    DecisionFileError,
    MissingInputError,
    NoSuchDecisionError,
    TypeMismatchError,
    read_decisions,
)
from engine.definitions.xml import UnreadableFileError
from engine.expressions import LimitError
from tests.decisions.build import decision, input_, input_data, literal, output, read, table, xml

NAMESPACES = [
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
    "http://www.omg.org/spec/DMN/20180521/MODEL/",
    "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "https://www.omg.org/spec/DMN/20230324/MODEL/",
]


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_versions(namespace):
    data = xml(decision("d", literal("1 + 1")), namespace=namespace)
    found = read_decisions(data, "f.dmn")
    assert found.evaluate("d", {}) == 2
    assert found.version.startswith("1.")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no xml",
        b"<a/>",
        b"<definitions/>",
        xml(namespace="https://www.omg.org/spec/DMN/20990101/MODEL/"),
        xml().replace(b"definitions", b"definition"),
        b'<!DOCTYPE x [<!ENTITY a "b">]>' + xml(),
        xml(decision("d", literal("1")))[:-20],
        xml(attributes='expressionLanguage="javascript"'),
        b"\x00\xff" * 100,
    ],
)
def test_no_dmn(data):
    with pytest.raises(UnreadableFileError) as caught:
        read_decisions(data, "f.dmn")
    assert "f.dmn" in str(caught.value)


def test_required_decisions():
    found = read(
        input_data("x", "number"),
        decision("base", literal("x + 1"), ["i_x"]),
        decision("left", literal("base * 2"), ["base"]),
        decision("right", literal("base * 3"), ["base"]),
        decision("top", literal("left + right"), ["left", "right"]),
    )
    assert found.evaluate("top", {"x": 1}) == 10
    assert found.wants(found.find("top")) == {"x": "number"}


def test_names_with_spaces_and_symbols():
    found = read(
        input_data("Yearly income (net)", "number", "i_1"),
        input_data("Fee-Rate", "number", "i_2"),
        input_data("date of birth", "date", "i_3"),
        decision(
            "Sum due", literal("Yearly income (net) * Fee-Rate + date of birth.year"), ["i_1", "i_2", "i_3"]
        ),
        decision("top", literal("Sum  due + 1"), ["Sum due"]),
    )
    data = {"Yearly income (net)": 100, "Fee-Rate": 0.5, "date of birth": "2000-01-01"}
    assert found.evaluate("top", data) == 2051


def test_find_by_id_then_name():
    found = read(decision("A", literal("1"), key="d1"), decision("B", literal("2"), key="A"))
    assert found.evaluate("A", {}) == 2
    assert found.evaluate("d1", {}) == 1
    assert "A" in found
    assert "C" not in found
    with pytest.raises(NoSuchDecisionError, match="C"):
        found.evaluate("C", {})
    twins = read(decision("A", literal("1"), key="d1"), decision("A", literal("2"), key="d2"))
    with pytest.raises(NoSuchDecisionError, match="several"):
        twins.evaluate("A", {})


CONTEXT = """<context>
<contextEntry><variable name="a"/><literalExpression><text>x + 1</text></literalExpression></contextEntry>
<contextEntry><variable name="b c" typeRef="number"/>
<literalExpression><text>a * 2</text></literalExpression></contextEntry>
{}
</context>"""
RESULT = "<contextEntry><literalExpression><text>b c + a</text></literalExpression></contextEntry>"


@pytest.mark.parametrize(("last", "value"), [("", {"a": 3, "b c": 6}), (RESULT, 9)])
def test_contexts(last, value):
    found = read(input_data("x"), decision("d", CONTEXT.format(last), ["i_x"]))
    assert found.evaluate("d", {"x": 2}) == value


def boxed(logic):
    return read(input_data("x"), decision("d", logic, ["i_x"])).evaluate("d", {"x": 2})


def test_lists_relations_conditionals():
    assert boxed(f"<list>{literal('x')}{literal('x + 1')}</list>") == [2, 3]
    rows = f"<row>{literal('1')}{literal('x')}</row><row>{literal('2')}{literal('3')}</row>"
    assert boxed(f'<relation><column name="a"/><column name="b"/>{rows}</relation>') == [
        {"a": 1, "b": 2},
        {"a": 2, "b": 3},
    ]
    choice = "<conditional><if>{}</if><then>{}</then><else>{}</else></conditional>"
    assert boxed(choice.format(literal("x > 1"), literal('"yes"'), literal('"no"'))) == "yes"
    assert boxed(choice.format(literal("null"), literal('"yes"'), literal('"no"'))) == "no"


def test_boxed_loops():
    items = f"<in>{literal('[1, 2, 3]')}</in>"
    assert boxed(f"<filter>{items}<match>{literal('item >= x')}</match></filter>") == [2, 3]
    body = f'<for iteratorVariable="i">{items}<return>{literal("i * x")}</return></for>'
    assert boxed(body) == [2, 4, 6]
    some = f'<some iteratorVariable="i">{items}<satisfies>{literal("i > x")}</satisfies></some>'
    assert boxed(some) is True
    assert boxed(some.replace("some", "every")) is False


KNOWLEDGE = """<businessKnowledgeModel id="b_fee" name="fee"><variable name="fee"/><encapsulatedLogic>
<formalParameter name="amount" typeRef="number"/><formalParameter name="rate" typeRef="number"/>
{}</encapsulatedLogic></businessKnowledgeModel>"""
INVOCATION = """<invocation><literalExpression><text>fee</text></literalExpression>
<binding><parameter name="amount"/><literalExpression><text>100</text></literalExpression></binding>
<binding><parameter name="rate"/><literalExpression><text>0.5</text></literalExpression></binding>
</invocation>"""


def test_business_knowledge():
    model = KNOWLEDGE.format(literal("amount * rate"))
    for logic in (literal("fee(100, 0.5)"), literal("fee(rate: 0.5, amount: 100)"), INVOCATION):
        assert read(model, decision("d", logic, ["b_fee"])).evaluate("d", {}) == 50
    with pytest.raises(TypeMismatchError, match="amount"):
        read(model, decision("d", literal('fee("a", 1)'), ["b_fee"])).evaluate("d", {})
    rules = [(["> 50"], ["amount * rate"]), (["-"], ["0"])]
    tabled = KNOWLEDGE.format(table("FIRST", [input_("amount")], [output()], rules))
    assert read(tabled, decision("d", literal("fee(60, 2) + fee(1, 1)"), ["b_fee"])).evaluate("d", {}) == 120


def test_recursive_knowledge_ends():
    model = KNOWLEDGE.format(literal("if amount <= 1 then 1 else amount * fee(amount - 1, rate)"))
    assert read(model, decision("d", literal("fee(5, 1)"), ["b_fee"])).evaluate("d", {}) == 120
    with pytest.raises(LimitError):
        read(model, decision("d", literal("fee(500, 1)"), ["b_fee"])).evaluate("d", {})


def test_decision_services():
    service = """<decisionService id="b_s" name="service"><variable name="service"/>
    <outputDecision href="#half"/><inputData href="#i_n"/></decisionService>"""
    parts = [input_data("n", "number"), decision("half", literal("n / 2"), ["i_n"]), service]
    found = read(*parts, decision("d", literal("service(8) + service(n: 2)"), ["b_s"]))
    assert found.evaluate("d", {}) == 5


TYPES = """<itemDefinition name="tPerson">
<itemComponent name="name"><typeRef>string</typeRef></itemComponent>
<itemComponent name="born"><typeRef>date</typeRef></itemComponent>
<itemComponent name="tags" isCollection="true"><typeRef>tTag</typeRef></itemComponent></itemDefinition>
<itemDefinition name="tTag"><typeRef>string</typeRef>
<allowedValues><text>"a","b"</text></allowedValues></itemDefinition>
<itemDefinition name="tPeople" isCollection="true"><typeRef>tPerson</typeRef></itemDefinition>"""
ANNA = {"name": "Anna", "born": "2000-02-29", "tags": ["a"]}


def people(data, text="count(people[born.year < 2001])"):
    return read(TYPES, input_data("people", "tPeople"), decision("d", literal(text), ["i_people"])).evaluate(
        "d", {"people": data}
    )


def test_types_from_json():
    assert people([ANNA]) == 1
    assert people(ANNA) == 1
    assert people(None, "people = null") is True
    assert people([{**ANNA, "tags": "b", "more": 1}]) == 1


@pytest.mark.parametrize(
    ("data", "where"),
    [
        ([{**ANNA, "born": "29.2.2000"}], r"\[1\].born"),
        ([{**ANNA, "born": 5}], r"\[1\].born"),
        ([ANNA, {**ANNA, "tags": ["a", "c"]}], r"\[2\].tags\[2\]"),
        ([{"name": "Anna"}], 'no "born"'),
        ([5], r"\[1\]"),
        ("Anna", r"\[1\]"),
    ],
)
def test_types_refuse(data, where):
    with pytest.raises(TypeMismatchError, match=where):
        people(data)


@pytest.mark.parametrize(
    ("type_", "good", "bad"),
    [
        ("number", [1, 2.5, None, [3]], ["1", True, [1, 2]]),
        ("string", ["a"], [1]),
        ("boolean", [True], ["true", 0]),
        ("date", ["2026-11-23"], ["2026-11-23T10:00:00", "x", 1]),
        ("time", ["10:00:00"], ["10:00"]),
        ("date and time", ["2026-11-23T10:00:00Z"], ["heute"]),
        ("dateTime", ["2026-11-23T10:00:00"], [1]),
        ("days and time duration", ["P1D"], ["P1M", "1 day"]),
        ("yearMonthDuration", ["P1M"], ["P1D"]),
        ("integer", [1, 2.0], [1.5]),
        ("long", [1], ["1"]),
        ("double", [1.5], ["1.5"]),
        ("Any", [1, "a", [1], {}], []),
        ("context", [{}], [1]),
        ("list", [[1], 1], []),
    ],
)
def test_simple_types(type_, good, bad):
    found = read(input_data("x", type_), decision("d", literal("x = null"), ["i_x"]))
    for value in good:
        found.evaluate("d", {"x": value})
    for value in bad:
        with pytest.raises(TypeMismatchError):
            found.evaluate("d", {"x": value})


def test_result_type_is_checked():
    with pytest.raises(TypeMismatchError, match="decision"):
        read(decision("d", literal('"a"'), type_="number")).evaluate("d", {})


def test_missing_input():
    found = read(input_data("x"), decision("d", literal("x = null"), ["i_x"]))
    assert found.evaluate("d", {"x": None}) is True
    with pytest.raises(MissingInputError, match="x"):
        found.evaluate("d", {})


def test_undeclared_inputs_of_tables_come_from_the_data():
    logic = table("UNIQUE", [input_("season", "string")], [output("dish")], [(['"winter"'], ['"soup"'])])
    found = read(decision("d", logic))
    assert found.evaluate("d", {"season": "winter"}) == "soup"
    assert found.wants(found.find("d")) == {"season": "Any"}
    with pytest.raises(MissingInputError):
        found.evaluate("d", {})


def test_now_is_supplied():
    from datetime import UTC, datetime

    found = read(decision("d", literal("now().year")))
    assert found.evaluate("d", {}, functions={"now": lambda: datetime(2026, 1, 1, tzinfo=UTC)}) == 2026
    with pytest.raises(Exception, match="not available"):
        found.evaluate("d", {})


SIMPLE = input_data("x")
REFUSED = [
    ((decision("d", ""),), "no logic"),
    ((decision("d", literal("1") + literal("2")),), "several"),
    ((decision("d", literal("y")),), '"y"'),
    ((decision("d", literal("1 +")),), "value expected"),
    ((decision("d", literal("")),), "empty"),
    ((decision("d", literal("1"), ["i_none"]),), "i_none"),
    ((decision("d", literal("1"), ["other"]),), "other"),
    ((decision("a", literal("b"), ["b"]), decision("b", literal("a"), ["a"])), "itself"),
    ((decision("a", literal("a"), ["a"]),), "itself"),
    (
        tuple(decision(f"d{i}", literal("1"), [f"d{i + 1}"] if i < 60 else []) for i in range(61)),
        "in a row",
    ),
    (('<import namespace="urn:x" name="x" importType="y"/>',), "imports"),
    (("<unknown/>",), "unknown"),
    ((decision("d", literal("1")), decision("e", literal("1"), key="d")), "twice"),
    (('<decision id="d">' + literal("1") + "</decision>",), "no name"),
    ((decision("d", "<surprise/>"),), "surprise"),
    (
        (
            decision(
                "d",
                literal("1").replace("<literalExpression", '<literalExpression expressionLanguage="juel"'),
            ),
        ),
        "juel",
    ),
    ((decision("d", '<functionDefinition kind="Java">' + literal("1") + "</functionDefinition>"),), "Java"),
    ((decision("d", "<list><surprise/></list>"),), "surprise"),
    ((decision("d", '<relation><column name="a"/><row/></relation>'),), "0 cells"),
    ((decision("d", "<invocation/>"),), "calls nothing"),
    ((decision("d", CONTEXT.format(RESULT + RESULT), ["i_x"]), SIMPLE), "follow"),
    ((decision("d", f"<for><in>{literal('1')}</in><return>{literal('1')}</return></for>"),), "no name"),
    (('<itemDefinition name="t"><typeRef>nothing</typeRef></itemDefinition>',), "no type"),
    (('<itemDefinition name="t"><typeRef>t</typeRef></itemDefinition>',), "itself"),
    (('<itemDefinition name="t"/><itemDefinition name="t"/>',), "twice"),
    (
        ('<itemDefinition name="t"><allowedValues><text>1,</text></allowedValues></itemDefinition>',),
        "value expected",
    ),
    ((input_data("x", "nothing"),), "no type"),
    (('<businessKnowledgeModel id="b" name="b"/>',), "no logic"),
    (('<decisionService id="s" name="s"/>',), "without output"),
    ((decision("d", "<list>" * 60 + "</list>" * 60),), "nested"),
]


@pytest.mark.parametrize(("parts", "message"), REFUSED)
def test_refused(parts, message):
    with pytest.raises(DecisionFileError, match=message) as caught:
        read(*parts)
    assert caught.value.line is not None
    assert caught.value.file == "test.dmn"


def test_line_of_an_expression_inside_the_file():
    text = "\n\n  if x = 1 then\n    2 ++ else 3"
    with pytest.raises(DecisionFileError) as caught:
        read(SIMPLE, decision("d", literal(text), ["i_x"]))
    lines = xml(SIMPLE, decision("d", literal(text), ["i_x"])).decode().splitlines()
    assert caught.value.line is not None
    assert "++" in lines[caught.value.line - 1]


def test_extensions_and_documentation_are_left_alone():
    noise = """<extensionElements><x xmlns="urn:x"/></extensionElements><description>why</description>
    <knowledgeSource id="k" name="law"/><textAnnotation id="t"><text>note</text></textAnnotation>
    <dmndi:DMNDI xmlns:dmndi="https://www.omg.org/spec/DMN/20191111/DMNDI/"/>"""
    assert read(noise, decision("d", literal("1"))).evaluate("d", {}) == 1


def test_huge_tables_end():
    rules = [([f"> {i}"], ["1"]) for i in range(3000)]
    found = read(SIMPLE, decision("d", table("COLLECT", [input_("x")], [output()], rules, "COUNT"), ["i_x"]))
    assert found.evaluate("d", {"x": 10_000}) == 3000


def test_errors_name_the_decision():
    found = read(
        decision("d", "<invocation><literalExpression><text>1</text></literalExpression></invocation>")
    )
    with pytest.raises(DecisionError, match='"1" is no function'):
        found.evaluate("d", {})

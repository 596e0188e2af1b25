"""Cases about data."""

from tests.conformance.drawings.book import also, case, do, message, scenario

case(
    "data-join-merges",
    "data; parallel gateway; merge",
    "docs/reference/data.md: at a join each branch's changes are taken, later flows win, deletions count",
    """
    start s -> f
    and f -> a, b
    user a -> j
    user b -> j
    and j -> z
    user z
    """,
    scenario(
        "lists-are-replaced",
        also("a b", variables={"list": [1]}),
        do("b", "a", list=[1, 3], both="b"),
        do("a", also("z", variables={"x": 1, "list": [1, 3], "both": "b"}), x=1, both="a"),
        variables={"list": [1], "x": 0},
    ),
)
case(
    "data-branches-are-private",
    "data; parallel gateway; isolation",
    "docs/reference/data.md: a branch does not see what another one has changed before they join",
    """
    start s -> f
    and f -> k, b
    script k code='d.n = 2' -> a
    user a -> j
    user b -> c
    user c -> j
    and j -> z
    user z
    """,
    scenario(
        "private",
        also("a b", variables={"d": {"n": 1}}),
        do("a", also("b", variables={"d": {"n": 1}})),
        do("b", "c"),
        do("c", also("z", variables={"d": {"n": 2}})),
        variables={"d": {"n": 1}},
    ),
)
case(
    "data-object-is-shared",
    "data; data object",
    "10.4.1: a data object belongs to its scope; every token there sees it",
    """
    object file
    start s -> f
    and f -> a, b
    user a -> c
    user b -> j
    user c -> j
    and j -> z
    user z
    """,
    scenario(
        "shared", "a b", do("b", also("a", variables={"file": "1"}), file="1"), do("a", "c"), do("c", "z")
    ),
)
case(
    "data-task-mapping",
    "data; input and output mapping",
    "docs/reference/data.md: inputs are local to the activity; outputs are set beside what came in",
    """
    start s -> a
    user a in.shown=total*2 out.answer=yes -> z
    user z
    """,
    scenario(
        "local",
        also("a", variables={"shown": 10}),
        do("a", also("z", variables={"answer": 1, "yes": 1}), yes=1),
        variables={"total": 5},
    ),
)
case(
    "data-script",
    "script task; data",
    "10.3.3: a script's assignments become data",
    """
    start s -> k
    script k code="a = 1; b = a + 1; c = [a, b]" -> g
    xor g -> x if b == 2, y default
    user x
    user y
    """,
    scenario("computed", also("x", variables={"a": 1, "b": 2, "c": [1, 2]})),
)
case(
    "data-message-payload",
    "message; payload; data",
    "10.5.5: what a message brings is data behind the event",
    """
    start s -> m
    catch m message=Reply -> g
    xor g -> a if verdict == "yes", b default
    user a
    user b
    """,
    scenario("yes", "", message("Reply", "a", verdict="yes")),
    scenario("no", "", message("Reply", "b", verdict="no")),
)
case(
    "data-boundary-sees-inside",
    "data; boundary event; sub-process",
    "docs/reference/data.md: a boundary event sees what has changed inside its activity",
    """
    start s -> p
    sub p -> e
        user a -> b
        user b
    boundary x on=p message=Stop -> c
    user c -> e
    end e
    """,
    scenario(
        "inside",
        "a",
        do("a", "b", found=7),
        message("Stop", also("c", variables={"found": 7, "why": 1}), why=1),
    ),
)
case(
    "task-business-rule",
    "business rule task; DMN decision",
    "10.3.3: a business rule task gives its decision's value to the data",
    """
    start s -> r
    rule r decision=fee result=fee -> g
    xor g -> a if fee > 10, b default
    user a
    user b
    """,
    scenario("high", also("a", variables={"fee": 20}), variables={"pages": 12}),
    scenario("low", also("b", variables={"fee": 5}), variables={"pages": 3}),
    decisions="""<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/"
    id="d" name="fees" namespace="urn:dienstweg:tests">
  <inputData id="in" name="pages"><variable name="pages" typeRef="number"/></inputData>
  <decision id="fee" name="fee">
    <variable name="fee" typeRef="number"/>
    <informationRequirement id="ir"><requiredInput href="#in"/></informationRequirement>
    <decisionTable id="t" hitPolicy="UNIQUE">
      <input id="i1"><inputExpression typeRef="number"><text>pages</text></inputExpression></input>
      <output id="o1" typeRef="number"/>
      <rule id="r1"><inputEntry id="e1"><text>&lt; 10</text></inputEntry>
        <outputEntry id="x1"><text>5</text></outputEntry></rule>
      <rule id="r2"><inputEntry id="e2"><text>&gt;= 10</text></inputEntry>
        <outputEntry id="x2"><text>20</text></outputEntry></rule>
    </decisionTable>
  </decision>
</definitions>
""",
)

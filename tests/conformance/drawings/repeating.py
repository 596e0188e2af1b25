"""Cases about loops and multi-instances."""

from tests.conformance.drawings.book import also, case, do, fail, message, scenario, turn

case(
    "loop-while",
    "standard loop; condition",
    "10.3.8: without testBefore the body runs at least once and repeats while the condition holds",
    """
    start s -> a
    user a loop="again" -> z
    user z
    """,
    scenario(
        "thrice",
        "a",
        do("a", "a", again=True),
        do("a", "a"),
        do("a", also("z", executed={"a": 3}), again=False),
    ),
)
case(
    "loop-test-before",
    "standard loop; test before",
    "10.3.8: with testBefore the body may not run at all",
    """
    start s -> a
    user a loop="n < 2" first -> z
    user z
    """,
    scenario("not-at-all", also("z", executed={"a": 0}), variables={"n": 5}),
    scenario("twice", "a", do("a", "a", n=1), do("a", "z", n=2), variables={"n": 0}),
)
case(
    "loop-maximum",
    "standard loop; maximum",
    "10.3.8: the maximum ends the loop although the condition holds",
    """
    start s -> a
    user a loop="True" max=2 -> z
    user z
    """,
    scenario("two", "a", do("a", "a"), do("a", "z")),
)
case(
    "loop-sub-process",
    "standard loop; sub-process",
    "10.3.8: a sub-process may loop; its data go from round to round",
    """
    start s -> p
    sub p loop="n < 2" -> z
        user a -> k
        script k code="n = n + 1"
    user z
    """,
    scenario("twice", "a", do("a", "a"), do("a", also("z", variables={"n": 2})), variables={"n": 0}),
)
case(
    "multi-collection-results",
    "multi-instance parallel; collection; output collection",
    "10.3.8: each instance sees its element; the results stand in the order of the input",
    """
    start s -> a
    user a multi=parallel over=bodies as=body collect=answers item=answer -> z
    user z
    """,
    scenario(
        "ordered",
        also("a a a", variables={"body": "B"}),
        do("a", "a a", answer=1),
        do("2*a", also("z", variables={"answers": [1, 2, 2]}), answer=2),
        variables={"bodies": ["A", "B", "C"]},
    ),
    scenario("none", also("z", variables={"answers": []}), variables={"bodies": []}),
)
case(
    "multi-until",
    "multi-instance parallel; completion condition; counters",
    "10.3.8: the condition sees the counters after every instance; the rest is withdrawn",
    """
    start s -> a
    user a multi=parallel count=4 until="numberOfCompletedInstances >= 2 and nrOfActiveInstances == 2" -> z
    user z
    """,
    scenario("half", "a a a a", do("a", "a a a"), do("a", also("z", executed={"a": 2}))),
)
case(
    "multi-until-by-data",
    "multi-instance sequential; completion condition",
    "10.3.8: the condition sees what the instance has changed",
    """
    start s -> a
    user a multi=sequential count=5 until="refused" -> z
    user z
    """,
    scenario(
        "refused", "a", do("a", "a", refused=False), do("a", also("z", executed={"a": 2}), refused=True)
    ),
)
case(
    "multi-sub-process-local-data",
    "multi-instance sub-process; local data",
    "10.3.8: instances do not see each other's data",
    """
    start s -> p
    sub p multi=parallel over=items as=item -> z
        user a -> g
        xor g -> b if item == "x", c default
        user b
        user c
    user z
    """,
    scenario(
        "local",
        "a a",
        do("a", "a b"),
        do("a", "b c"),
        do("b", "c"),
        do("c", "z"),
        variables={"items": ["x", "y"]},
    ),
)
case(
    "multi-in-multi",
    "multi-instance; nested",
    "10.3.8: multi-instances nest",
    """
    start s -> p
    sub p multi=sequential count=2 -> z
        user a multi=parallel count=2 -> b
        user b
    user z
    """,
    scenario(
        "four",
        "a a",
        do("2*a", "b"),
        do("b", "a a"),
        do("2*a", "b"),
        do("b", also("z", executed={"a": 4})),
    ),
)
case(
    "multi-service-and-error",
    "multi-instance; boundary error",
    "13.5.3: an error of one instance that is caught ends them all",
    """
    start s -> v
    service v multi=parallel count=3 -> z
    boundary b on=v error=Bad -> a
    user a -> e
    user z -> e
    end e
    """,
    scenario("one-fails", "", do("v"), fail("v", "Bad", "a"), do("a", "done")),
)
case(
    "multi-in-loop",
    "multi-instance; loop",
    "10.3.8: each visit begins from zero",
    """
    start s -> m
    xor m -> a
    user a multi=parallel count=2 -> g
    xor g -> m if again, e default
    end e
    """,
    scenario("twice", "a a", do("2*a", "a a", again=True), do("2*a", "done", again=False)),
)
case(
    "multi-with-timer-inside",
    "multi-instance sub-process; boundary timer inside",
    "13.5.3: a timer inside an instance concerns this instance",
    """
    start s -> p
    sub p multi=sequential count=2 -> z
        user a
        boundary late on=a timer=PT1H -> b
        user b
    user z
    """,
    scenario("second", "a", turn("PT2H", "b"), do("b", "a"), do("a", "z")),
)
case(
    "multi-send-and-answers",
    "multi-instance sub-process; send task; receive task; dw:answers",
    "design: each instance waits for the answer to its own send",
    """
    start s -> p
    sub p multi=parallel over=bodies as=body -> z
        start i -> x
        send x dw.recipient=body dw.message=request -> w
        receive w dw.message=reply dw.answers=x
    user z
    """,
    scenario(
        "two",
        also("w w", sends=["x#0#1", "x#1#2"]),
        message("reply", "w"),
        message("reply", "z"),
        variables={"bodies": ["A", "B"]},
    ),
)

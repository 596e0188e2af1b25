"""Cases about exclusive, parallel and inclusive gateways."""

from tests.conformance.drawings.book import also, case, do, scenario, turn

case(
    "xor-document-order",
    "exclusive gateway; document order",
    "10.6.2: the first flow in order whose condition is true is taken, and no other",
    """
    start s -> g
    xor g -> a if n > 0, b if n > 1, c default
    user a -> e
    user b -> e
    user c -> e
    end e
    """,
    scenario("both-true", "a", do("a", "done"), variables={"n": 5}),
    scenario("none-true", "c", variables={"n": 0}),
)
case(
    "xor-no-way-out",
    "exclusive gateway; no flow open",
    "10.6.2: no condition true and no default is an error; here it holds the branch and can be mended",
    """
    start s -> g
    xor g -> a if n > 0, b if n > 1
    user a -> e
    user b -> e
    end e
    """,
    scenario("held", {"error": True}, variables={"n": 0}),
)
case(
    "xor-merge-passes-each",
    "exclusive gateway; uncontrolled merge; parallel gateway",
    "10.6.2: a converging exclusive gateway passes every token on",
    """
    start s -> f
    and f -> a, b
    user a -> m
    user b -> m
    xor m -> c
    user c -> e
    end e
    """,
    scenario("both", "a b", do("a", "b c"), do("b", "c c"), do("2*c", also("done", executed={"c": 2}))),
)
case(
    "and-waits-for-all",
    "parallel gateway",
    "10.6.4: the join waits for a token on every incoming flow",
    """
    start s -> f
    and f -> a, b, c
    user a -> j
    user b -> j
    user c -> j
    and j -> d
    user d -> e
    end e
    """,
    scenario("order", "a b c", do("b", "a c"), do("a", "c"), do("c", "d"), do("d", "done")),
)
case(
    "and-fork-and-join-in-one",
    "parallel gateway; mixed",
    "10.6.4: one gateway may join and fork at once",
    """
    start s -> f
    and f -> a, b
    user a -> j
    user b -> j
    and j -> c, d
    user c -> e
    user d -> e
    end e
    """,
    scenario("mixed", "a b", do("a", "b"), do("b", "c d"), do("d", "c"), do("c", "done")),
)
case(
    "and-join-in-loop",
    "parallel gateway; loop",
    "13.4.1: a join that has fired counts from zero in the next round",
    """
    start s -> m
    xor m -> f
    and f -> a, b
    user a -> j
    user b -> j
    and j -> g
    xor g -> m if again, e default
    end e
    """,
    scenario(
        "two-rounds",
        "a b",
        do("a", "b", again=True),
        do("b", "a b"),
        do("b", "a", again=False),
        do("a", also("done", executed={"a": 2, "b": 2, "j": 2})),
    ),
)
case(
    "and-excess-token-stays",
    "parallel gateway; excess tokens",
    "13.4.1: a second token on the same flow waits for the next round of the join",
    """
    start s -> f
    and f -> a, b, c
    user a -> m
    user b -> m
    xor m -> j
    user c -> j
    and j -> d
    user d -> e
    end e
    """,
    scenario(
        "excess",
        "a b c",
        do("a", "b c"),
        do("b", "c"),
        do("c", {"waiting": ["d"], "completed": False}),
        do("d", {"completed": False, "failed": 1}),
    ),
)
case(
    "or-two-of-three",
    "inclusive gateway",
    "10.6.3: all flows whose condition is true are taken, and the join waits for those only",
    """
    start s -> f
    or f -> a if x, b if y, c if z
    user a -> j
    user b -> j
    user c -> j
    or j -> d
    user d -> e
    end e
    """,
    scenario(
        "xy", "a b", do("b", "a"), do("a", "d"), do("d", "done"), variables={"x": True, "y": True, "z": False}
    ),
    scenario("z", "c", do("c", "d"), variables={"x": False, "y": False, "z": True}),
)
case(
    "or-default",
    "inclusive gateway; default flow",
    "10.6.3: the default is taken when no condition is true",
    """
    start s -> f
    or f -> a if x, b default
    user a -> j
    user b -> j
    or j -> e
    end e
    """,
    scenario("default", "b", do("b", "done"), variables={"x": False}),
    scenario("only-a", "a", do("a", "done"), variables={"x": True}),
)
case(
    "or-join-in-loop",
    "inclusive gateway; loop",
    "13.4.3: in the second round the join waits again for what can still reach it",
    """
    start s -> m
    xor m -> f
    or f -> a if x, b if y
    user a -> j
    user b -> j
    or j -> g
    xor g -> m if again, e default
    end e
    """,
    scenario(
        "two-rounds",
        "a b",
        do("a", "b"),
        do("b", "a b", again=True),
        do("b", "a"),
        do("a", also("done", executed={"j": 2}), again=False),
        variables={"x": True, "y": True, "again": False},
    ),
    scenario(
        "narrower-second-round",
        "a b",
        do("b", "a"),
        do("a", "b", again=True, x=False),
        do("b", "done", again=False),
        variables={"x": True, "y": True, "again": False},
    ),
)
case(
    "or-join-loop-inside-branch",
    "inclusive gateway; loop in a branch",
    "13.4.3: a token that goes round before the join can still reach it",
    """
    start s -> f
    or f -> a if x, b if y
    user a -> ga
    xor ga -> a if again, j default
    user b -> j
    or j -> d
    user d -> e
    end e
    """,
    scenario(
        "waits",
        "a b",
        do("b", "a"),
        do("a", "a", again=True),
        do("a", "d", again=False),
        variables={"x": True, "y": True},
    ),
)
case(
    "or-join-behind-exclusive",
    "inclusive gateway; dead path",
    "13.4.3: a token that has turned away for good no longer holds the join",
    """
    start s -> f
    or f -> a if x, b if y
    user a -> j
    user b -> gb
    xor gb -> j if stay, out default
    or j -> d
    user d -> e
    user out -> e2
    end e
    end e2
    """,
    scenario(
        "turned-away",
        "a b",
        do("a", "b"),
        do("b", "d out", stay=False),
        do("out", "d"),
        variables={"x": True, "y": True},
    ),
    scenario("stays", "a b", do("a", "b"), do("b", "d", stay=True), variables={"x": True, "y": True}),
)
case(
    "or-join-boundary-path",
    "inclusive gateway; boundary event",
    "13.4.3 with 13.5.3: a token can reach the join by the boundary event of its activity",
    """
    start s -> f
    or f -> a if x, b if y
    user a -> j
    user b -> e2
    boundary late on=b timer=PT1H -> j
    or j -> d
    user d -> e
    end e
    end e2
    """,
    scenario("by-timer", "a b", do("a", "b"), turn("PT2H", "d"), variables={"x": True, "y": True}),
    scenario("never", "a b", do("a", "b"), do("b", "d"), variables={"x": True, "y": True}),
)
case(
    "or-single-token-passes",
    "inclusive gateway; merge of one",
    "13.4.3: nothing else is under way, so the join fires at once",
    """
    start s -> a
    user a -> g
    xor g -> j if n > 0, k default
    task k -> j
    or j -> d
    user d -> e
    end e
    """,
    scenario("direct", "a", do("a", "d", n=1)),
    scenario("other", "a", do("a", "k", n=0), do("k", "d")),
)
case(
    "or-nested",
    "inclusive gateway; nested",
    "13.4.3: the outer join waits for the inner one",
    """
    start s -> f
    or f -> a if True, g if True
    or g -> b if True, c if y
    user a -> j
    user b -> k
    user c -> k
    or k -> d
    user d -> j
    or j -> z
    user z -> e
    end e
    """,
    scenario(
        "inner-first",
        "a b c",
        do("a", "b c"),
        do("b", "c"),
        do("c", "d"),
        do("d", "z"),
        variables={"y": True},
    ),
    scenario("inner-one", "a b", do("b", "a d"), do("d", "a"), do("a", "z"), variables={"y": False}),
)
case(
    "or-join-boundary-alongside",
    "inclusive gateway; boundary event; non-interrupting",
    "13.4.3: what a non-interrupting boundary event sends ahead is no reason not to wait for its activity",
    """
    start s -> f
    or f -> a if x, b if y
    user a -> j
    boundary t on=a timer=PT1H alongside -> c
    user c -> j
    user b -> j
    or j -> d
    user d -> e
    end e
    """,
    scenario(
        "reminded",
        "a b",
        turn("PT2H", "a b c"),
        do("c", "a b"),
        do("b", "a"),
        do("a", "d"),
        do("d", "done"),
        variables={"x": True, "y": True},
    ),
    scenario("not", "a b", do("a", "b"), do("b", "d"), do("d", "done"), variables={"x": True, "y": True}),
)

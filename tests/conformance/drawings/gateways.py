"""Cases about gateways, conditional flows and ends."""

from tests.conformance.drawings.book import also, case, do, message, put, scenario, turn

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
    "and-join-stalled",
    "parallel gateway; stall",
    "a join that nothing can reach any more is told, not left silent",
    """
    start s -> g
    xor g -> a if n > 0, b default
    user a -> j
    user b -> j
    and j -> e
    end e
    """,
    scenario("told", "a", do("a", {"waiting": [], "completed": False, "failed": 1}), variables={"n": 1}),
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
    "race-message-or-timer",
    "event-based gateway; message; timer",
    "10.6.6: the first event decides, the others are withdrawn",
    """
    start s -> r
    race r -> m, t
    catch m message=Answer -> a
    catch t timer=P14D -> b
    user a -> e
    user b -> e
    end e
    """,
    scenario("answer", "", message("Answer", "a", text="yes"), turn("P20D", "a"), do("a", "done")),
    scenario("late", "", turn("P13D", ""), turn("P2D", "b"), message("Answer", "b"), do("b", "done")),
)
case(
    "race-two-timers-and-receive",
    "event-based gateway; several timers; receive task",
    "10.6.6: every event behind the gateway waits on its own",
    """
    start s -> r
    race r -> t1, t2, w
    catch t1 timer=PT3H -> a
    catch t2 timer=PT1H -> b
    receive w message=Reply -> c
    user a -> e
    user b -> e
    user c -> e
    end e
    """,
    scenario("second", "w", turn("PT2H", "b")),
    scenario("receive", "w", message("Reply", "c"), turn("PT9H", "c")),
)
case(
    "race-in-loop",
    "event-based gateway; loop",
    "10.6.6: each visit waits anew",
    """
    start s -> m
    xor m -> r
    race r -> q, t
    catch q message=Ping -> m
    catch t timer=PT1H -> e
    end e
    """,
    scenario(
        "thrice",
        "",
        message("Ping", ""),
        turn("PT30M", ""),
        message("Ping", ""),
        turn("PT31M", also("", executed={"q": 2})),
        turn("PT30M", also("done", end_events=["e"])),
    ),
)
case(
    "split-implicit",
    "implicit split; implicit end",
    "13.3.2: several unconditional flows from an activity are all taken; 13.3: no end event is needed",
    """
    start s -> a
    user a -> b, c
    user b
    user c
    """,
    scenario("both", "a", do("a", "b c"), do("c", "b"), do("b", "done")),
)
case(
    "split-conditional",
    "conditional flows from an activity",
    "13.3.2: the conditional flows that hold are taken beside the unconditional ones",
    """
    start s -> a
    user a -> b if n > 0, c if n > 1, d
    user b -> e
    user c -> e
    user d -> e
    end e
    """,
    scenario("two", "a", do("a", "b d", n=1)),
    scenario("three", "a", do("a", "b c d", n=2)),
    scenario("none", "a", do("a", "d", n=0)),
)
case(
    "split-conditional-default",
    "conditional flows from an activity; default flow",
    "13.3.2: the default flow of an activity is taken only when no condition holds",
    """
    start s -> a
    user a -> b if n > 0, c default
    user b -> e
    user c -> e
    end e
    """,
    scenario("condition", "a", do("a", "b", n=1), do("b", "done")),
    scenario("default", "a", do("a", "c", n=0)),
)
case(
    "start-without-event",
    "implicit start; implicit end",
    "13.2: without a start event every element without incoming flow begins",
    """
    user a -> c
    user b
    user c
    """,
    scenario("all", "a b", do("a", "b c"), do("b", "c"), do("c", "done")),
)
case(
    "terminate-ends-all",
    "terminate end event",
    "10.5.3: terminate ends everything in its scope at once",
    """
    start s -> f
    and f -> a, b, c
    user a -> e1
    user b -> x
    user c -> e2
    end e1
    end e2
    end x terminate
    """,
    scenario(
        "at-once", "a b c", do("a", "b c"), do("b", also("done", end_events=["e1", "x"], executed={"c": 0}))
    ),
)
case(
    "gateway-repair-by-data",
    "exclusive gateway; set data",
    "a held branch leaves the others alone",
    """
    start s -> f
    and f -> g, b
    xor g -> a if n > 0, c if n > 5
    user a -> j
    user c -> j
    user b -> j
    and j -> e
    end e
    """,
    scenario("other-goes-on", {"error": True}, put("b", n=1), variables={"n": 0}),
)

"""Cases about sub-processes, call activities, ad-hoc sub-processes and transactions."""

from tests.conformance.drawings.book import also, case, do, message, scenario, signal, turn

case(
    "sub-plain",
    "sub-process",
    "10.3.5: the activity ends when its last token has ended",
    """
    start s -> p
    sub p -> z
        start i -> f
        and f -> a, b
        user a -> x
        user b -> y
        end x
        end y
    user z -> e
    end e
    """,
    scenario("both", "a b", do("a", "b"), do("b", "z"), do("z", "done")),
)
case(
    "sub-three-deep",
    "sub-process; nested",
    "10.3.5: each level ends on its own",
    """
    start s -> p
    sub p -> z
        sub q -> y
            sub r -> x
                user a
            user x
        user y
    user z
    """,
    scenario("out", "a", do("a", "x"), do("x", "y"), do("y", "z"), do("z", "done")),
)
case(
    "sub-in-loop",
    "sub-process; loop",
    "10.3.5: each visit opens a new scope",
    """
    start s -> m
    xor m -> p
    sub p -> g
        user a -> b
        user b
    xor g -> m if n < 2, e default
    end e
    """,
    scenario("twice", "a", do("a", "b"), do("b", "a", n=1), do("a", "b"), do("b", "done", n=2)),
)
case(
    "sub-terminate-inside",
    "sub-process; terminate end event",
    "10.5.3: terminate ends its own scope; the process goes on behind the sub-process",
    """
    start s -> f
    and f -> p, c
    sub p -> z
        start i -> k
        and k -> a, b
        user a -> x
        user b -> y
        end x terminate
        end y
    user c -> e
    user z -> e
    end e
    """,
    scenario("inner-only", "a b c", do("a", also("c z", executed={"b": 0}))),
)
case(
    "call-with-mapping",
    "call activity; in and out mapping",
    "10.3.6: with mappings only what they name goes in and comes back",
    """
    start s -> c
    call c process=Inner in.amount=total out.verdict=result -> z
    user z -> e
    end e
    """,
    scenario(
        "mapped",
        also("a", variables={"amount": 12}),
        do("a", also("z", variables={"verdict": "yes", "total": 12}), result="yes", noise=1),
        variables={"total": 12, "secret": "x"},
    ),
    called={
        "Inner": """
    start i -> a
    user a -> x
    end x
    """
    },
)
case(
    "call-nested-and-repeated",
    "call activity; nested; multi-instance",
    "10.3.6 and 10.3.8: every instance runs the called process of its own",
    """
    start s -> c
    call c process=Middle multi=parallel count=2 -> z
    user z
    """,
    scenario("four", "a a", do("a", "a z2"), do("z2", "a"), do("a", "z2"), do("z2", "z"), do("z", "done")),
    called={
        "Middle": """
    start i -> d
    call d process=Leaf -> z2
    user z2
    """,
        "Leaf": """
    user a
    """,
    },
)
case(
    "call-error-escapes",
    "call activity; error end event; boundary error",
    "10.3.6: an error of the called process is an error of the call activity",
    """
    start s -> c
    call c process=Thrower -> e
    boundary b on=c error=Bad -> z
    user z -> e
    end e
    """,
    scenario("caught", "a", do("a", also("z", variables={"why": "late"}), why="late"), do("z", "done")),
    called={
        "Thrower": """
    start i -> a
    user a -> x
    end x error=Bad
    """
    },
)
case(
    "call-recursive",
    "call activity; recursion",
    "10.3.6: a process may call itself",
    """
    start s -> a
    user a -> g
    xor g -> c if depth < 2, e default
    call c process=P_call_recursive in.depth=depth+1 out.back=depth -> e
    end e
    """,
    scenario(
        "thrice",
        "a",
        do("a", "a"),
        do("a", "a"),
        do("a", also("done", executed={"a": 3})),
        variables={"depth": 0},
    ),
)
case(
    "adhoc-any-order",
    "ad-hoc sub-process; completion condition",
    "10.3.5: what is offered may be done in any order and again, until the condition holds",
    """
    start s -> h
    adhoc h enough="ready" -> z
        user a
        user b
        user c
    user z -> e
    end e
    """,
    scenario(
        "again",
        "a b c",
        do("b", "a b c", ready=False),
        do("b", "a b c"),
        do("c", also("z", executed={"a": 0, "b": 2}), ready=True),
        variables={"ready": False},
    ),
)
case(
    "adhoc-flow-inside",
    "ad-hoc sub-process; flows inside",
    "10.3.5: flows inside are followed; a path is offered again when it has ended",
    """
    start s -> h
    adhoc h enough="count > 1" -> z
        user a -> b
        user b
        user c
    user z
    """,
    scenario(
        "path", "a c", do("a", "b c"), do("b", "a c", count=1), do("c", "z", count=2), variables={"count": 0}
    ),
)
case(
    "adhoc-enough-within-path",
    "ad-hoc sub-process; flows inside; completion condition",
    "13.3.5: the condition is looked at after each activity; once it holds no further activity is begun",
    """
    start s -> h
    adhoc h enough="ready" -> z
        user a -> b
        user b
        user c
    user z
    """,
    scenario("enough", "a c", do("a", "z", ready=True), do("z", "done"), variables={"ready": False}),
    scenario("later", "a c", do("a", "b c"), do("c", "z", ready=True), variables={"ready": False}),
)
case(
    "adhoc-finish-without-more",
    "ad-hoc sub-process; flows inside; cancelRemainingInstances false",
    "13.3.5: what is open is done to its end, nothing behind it is begun; what waits at a join ends there",
    """
    start s -> h
    adhoc h enough="ready" finish -> z
        user a -> f
        and f -> b, c
        user b -> j
        user c -> j
        and j -> d
        user d
        user o
    user z
    """,
    scenario(
        "rest",
        "a o",
        do("a", "b c o", k=0, n=0),
        do("b", "c o", n=1, m=1, ready=False),
        do("c", "o", m=2, ready=True),
        do("o", also("z", variables={"k": 0, "n": 1, "m": 2, "ready": True})),
        do("z", "done"),
        variables={"ready": False},
    ),
)
case(
    "adhoc-finish-under-way",
    "ad-hoc sub-process; event-based gateway; cancelRemainingInstances false",
    "13.3.5: a branch on its way to a join ends there, what waits for events ends behind the one that comes",
    """
    start s -> h
    adhoc h enough="ready" finish -> z
        user a -> f
        and f -> b, c, j
        script b code="ready = True; last = 2" -> j
        script c code="last = 3" -> j
        and j -> d
        user d
        user r -> g
        race g -> m, t
        catch m message=Note -> q
        catch t timer=PT1H -> q
        user q
        user o
    user z
    """,
    scenario(
        "under-way",
        "a o r",
        do("r", "a o"),
        do("a", "o", last=1),
        message("Note", "o"),
        do("o", also("z", variables={"ready": True, "last": 2}, executed={"c": 0})),
        variables={"ready": False},
    ),
)
case(
    "adhoc-finish-rest",
    "ad-hoc sub-process; cancelRemainingInstances false",
    "10.3.5: with cancelRemainingInstances false what is open is done to its end",
    """
    start s -> h
    adhoc h enough="ready" finish -> z
        user a
        user b
    user z
    """,
    scenario("rest", "a b", do("a", "b", ready=True), do("b", "z"), variables={"ready": False}),
)
case(
    "adhoc-without-condition",
    "ad-hoc sub-process; no condition",
    "10.3.5: without a condition it ends when everything has been done",
    """
    start s -> h
    adhoc h -> z
        user a
        user b
    user z
    """,
    scenario("once-each", "a b", do("a", "b"), do("b", "z")),
)
case(
    "tx-success",
    "transaction",
    "10.3.5: a transaction that ends well goes on like a sub-process",
    """
    start s -> x
    tx x -> z
        start i -> a
        user a -> b
        user b -> y
        end y
    boundary c on=x cancel -> w
    user z -> e
    user w -> e
    end e
    """,
    scenario("well", "a", do("a", "b"), do("b", "z"), do("z", "done")),
)
case(
    "tx-cancel-compensates",
    "transaction; cancel; compensation",
    "10.7: cancel ends what is open, compensates what was done, then leaves by the cancel event",
    """
    start s -> x
    tx x -> z
        start i -> a
        user a -> b
        boundary ua on=a compensate=undoA
        user undoA undo
        user b -> f
        boundary ub on=b compensate=undoB
        user undoB undo
        and f -> c, d
        user c -> y
        user d -> k
        end y
        end k cancel
    boundary out on=x cancel -> w
    user z -> e
    user w -> e
    end e
    """,
    scenario(
        "cancelled",
        "a",
        do("a", "b"),
        do("b", "c d"),
        do("d", also("undoB", executed={"c": 0})),
        do("undoB", "undoA"),
        do("undoA", "w"),
        do("w", "done"),
    ),
)
case(
    "tx-error-is-hazard",
    "transaction; boundary error",
    "10.7: an error leaves the transaction without compensation",
    """
    start s -> x
    tx x -> z
        start i -> a
        user a -> b
        boundary ua on=a compensate=undoA
        user undoA undo
        user b -> k
        end k error=Hazard
        end never cancel
    boundary out on=x cancel -> w
    boundary bad on=x error=Hazard -> h
    user z -> e
    user w -> e
    user h -> e
    end e
    """,
    scenario("hazard", "a", do("a", "b"), do("b", also("h", executed={"undoA": 0})), do("h", "done")),
)
case(
    "tasks-across-levels",
    "sub-process; call activity; signal; timer; boundary event",
    "13.5.3: an interrupting boundary event ends everything below its activity",
    """
    start s -> p
    sub p -> z
        start i -> f
        and f -> c, w
        call c process=Below -> j
        catch w message=Never -> j
        and j -> x
        end x
    boundary stop on=p signal=Stop -> q
    boundary late on=p timer=PT1H alongside -> r
    user q -> e
    user r -> e
    user z -> e
    end e
    """,
    scenario("stopped", "a", turn("PT2H", "a r"), signal("Stop", "q r"), do("r", "q"), do("q", "done")),
    called={"Below": "user a"},
)

case(
    "adhoc-sequential",
    "ad-hoc sub-process; sequential",
    "10.3.5: with sequential ordering a path that has begun is done before another one",
    """
    start s -> h
    adhoc h enough="ready" order=Sequential -> z
        user a -> b
        user b
        user c
    user z
    """,
    scenario(
        "one-path",
        "a c",
        do("a", "b"),
        do("b", "a c"),
        do("c", "z", ready=True),
        variables={"ready": False},
    ),
)
case(
    "adhoc-path-with-split",
    "ad-hoc sub-process; flows inside; parallel gateway",
    "10.3.5: a path is offered again when all of it has been done, not after each of its branches",
    """
    start s -> h
    adhoc h enough="ready" -> z
        user a -> f
        and f -> b, c
        user b
        user c
        user d
    user z
    """,
    scenario(
        "whole-path",
        "a d",
        do("a", "b c d"),
        do("b", "c d"),
        do("d", "c d"),
        do("c", "a d"),
        do("a", "b c d"),
        do("b", "z", ready=True),
        variables={"ready": False},
    ),
)
case(
    "adhoc-paths-that-meet",
    "ad-hoc sub-process; flows inside; uncontrolled merge",
    "10.3.5: what was done is offered again, also where its path leads through what others use",
    """
    start s -> h
    adhoc h enough="ready" -> z
        user a -> m
        user b -> m
        xor m -> c
        user c
    user z
    """,
    scenario(
        "by-origin",
        "a b",
        do("b", "a c"),
        do("c", "a b"),
        do("a", "b c"),
        do("c", "z", ready=True),
        variables={"ready": False},
    ),
)
case(
    "adhoc-with-events",
    "ad-hoc sub-process; boundary timer; event sub-process; multi-instance; call activity",
    "10.3.5: events beside an activity do not offer it a second time",
    """
    start s -> h
    adhoc h enough="ready" -> z
        user a
        boundary b on=a timer=R2/PT1H alongside -> c
        user c
        user m multi=sequential count=2
        call k process=Leaf
        esub e
            start i message=Note alongside -> n
            user n
    user z
    """,
    scenario(
        "alongside",
        "a l m",
        turn("PT1H", "a c l m"),
        do("c", "a l m"),
        message("Note", "a l m n"),
        do("n", "a l m"),
        do("m", "a l m"),
        do("m", "a l m"),
        do("l", "a l m"),
        do("a", "z", ready=True),
        variables={"ready": False},
    ),
    called={"Leaf": "user l"},
)
case(
    "adhoc-sequential-events",
    "ad-hoc sub-process; sequential; event sub-process",
    "10.3.5: an event sub-process is no path; the other offers come back when the path has ended",
    """
    start s -> h
    adhoc h enough="ready" order=Sequential -> z
        user a -> b
        user b
        user c
        esub e
            start i message=Note alongside -> n
            user n
    user z
    """,
    scenario(
        "beside",
        "a c",
        do("a", "b"),
        message("Note", "b n"),
        do("b", "a c n"),
        do("n", "a c"),
        do("c", "z", ready=True),
        variables={"ready": False},
    ),
)
case(
    "tx-multi-instance",
    "transaction; multi-instance; cancel; compensation",
    "10.7: cancelling ends the instances that are open and leaves by the cancel event once",
    """
    start s -> x
    tx x multi=parallel count=2 -> z
        start i -> a
        user a -> g
        boundary ua on=a compensate=undoA
        user undoA undo
        xor g -> k if bad, y default
        end k cancel
        end y
    boundary out on=x cancel -> w
    user w
    user z
    """,
    scenario("all-well", "a a", do("a", "a", bad=False), do("a", "z", bad=False)),
    scenario("one-cancels", "a a", do("a", "a undoA", bad=True), do("undoA", "w"), do("w", "done")),
)
case(
    "sub-with-mappings",
    "sub-process; input and output mapping; boundary event",
    "10.4.2: inputs are local to the sub-process, outputs are written behind it",
    """
    start s -> p
    sub p in.part=total*2 out.result=part+1 -> z
        start i -> a
        user a
    user z
    """,
    scenario(
        "local",
        also("a", variables={"part": 10}),
        do("a", also("z", variables={"result": 21, "total": 5}), part=20),
        variables={"total": 5},
    ),
)
case(
    "deep-mixture",
    "sub-process; call activity; multi-instance; loop; event sub-process; inclusive gateway; boundary event",
    "13.3 and 13.5: everything stands inside everything",
    """
    start s -> l
    sub l loop=True max=2 -> z
        start i -> f
        or f -> c if True, b if wide, d default
        call c process=Inner multi=parallel over=xs as=x -> j
        boundary t on=c timer=R/PT1H alongside -> r
        user r
        user b -> j
        user d -> j
        or j -> y
        user y
    user z
    """,
    scenario(
        "mixed",
        "a a b",
        turn("PT1H", "a a b r"),
        message("Note", "a a b n r"),
        do("b", "a a n r"),
        do("a", "a n r"),
        do("n", "a r"),
        turn("PT1H", "a r r"),
        do("a", "r r y"),
        turn("PT1H", "r r y"),
        do("y", "r r", wide=False),
        do("r", "r"),
        do("r", "a a"),
        do("a", "a"),
        do("a", "y"),
        do("y", "z"),
        variables={"xs": [1, 2], "wide": True},
    ),
    called={
        "Inner": """
    start i -> a
    user a
    esub e
        start n0 message=Note alongside -> n
        user n
    """
    },
)

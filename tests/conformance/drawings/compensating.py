"""Cases about compensation."""

from tests.conformance.drawings.book import also, case, do, fail, message, scenario

case(
    "comp-reverse-order",
    "compensation; throw; reverse order",
    "13.5.5: handlers run in reverse order of completion",
    """
    start s -> f
    and f -> a, b
    user a -> j
    boundary ua on=a compensate=undoA
    user undoA undo
    user b -> j
    boundary ub on=b compensate=undoB
    user undoB undo
    and j -> t
    throw t compensate -> z
    user z
    """,
    scenario("ab", "a b", do("a"), do("b", "undoB"), do("undoB", "undoA"), do("undoA", "z"), do("z", "done")),
    scenario("ba", "a b", do("b"), do("a", "undoA"), do("undoA", "undoB"), do("undoB", "z")),
)
case(
    "comp-end-event",
    "compensation; end event; activityRef",
    "10.7: a compensation end event compensates the named activity, then ends",
    """
    start s -> a
    user a -> b
    boundary ua on=a compensate=undoA
    user undoA undo
    user b -> x
    boundary ub on=b compensate=undoB
    user undoB undo
    end x compensate=a
    """,
    scenario(
        "named",
        "a",
        do("a", "b"),
        do("b", "undoA"),
        do("undoA", also("done", executed={"undoB": 0}, end_events=["x"])),
    ),
)
case(
    "comp-nothing-done",
    "compensation; nothing to compensate",
    "13.5.5: what was not completed is not compensated",
    """
    start s -> g
    xor g -> a if n > 0, t default
    user a -> t
    boundary ua on=a compensate=undoA
    user undoA undo
    throw t compensate=a -> z
    user z
    """,
    scenario("skipped", also("z", executed={"undoA": 0}), variables={"n": 0}),
    scenario("done", "a", do("a", "undoA"), do("undoA", "z"), variables={"n": 1}),
)
case(
    "comp-snapshot",
    "compensation; snapshot; multi-instance",
    "13.5.5: a handler sees the data as they were when its activity was completed",
    """
    start s -> a
    user a multi=sequential over=rooms as=room -> b
    boundary ua on=a compensate=undoA
    user undoA undo
    user b -> t
    throw t compensate=a -> z
    user z
    """,
    scenario(
        "rooms",
        also("a", variables={"room": "x"}),
        do("a", also("a", variables={"room": "y"}), price=1),
        do("a", "b", price=2),
        do("b", also("undoA", variables={"room": "y", "price": 2}), price=9),
        do("undoA", also("undoA", variables={"room": "x", "price": 1})),
        do("undoA", also("z", variables={"price": 9})),
        variables={"rooms": ["x", "y"]},
    ),
)
case(
    "comp-sub-process-inside",
    "compensation; completed sub-process",
    "13.5.5: a completed sub-process without handler is compensated by the handlers inside it",
    """
    start s -> p
    sub p -> c
        start i -> a
        user a -> b
        boundary ua on=a compensate=undoA
        user undoA undo
        user b
        boundary ub on=b compensate=undoB
        user undoB undo
    user c -> t
    throw t compensate -> z
    user z
    """,
    scenario(
        "inside",
        "a",
        do("a", "b"),
        do("b", "c"),
        do("c", "undoB"),
        do("undoB", "undoA"),
        do("undoA", "z"),
        do("z", "done"),
    ),
)
case(
    "comp-event-sub-process",
    "compensation; event sub-process; completed sub-process",
    "13.5.5: a compensation event sub-process compensates the completed sub-process it stands in",
    """
    start s -> p
    sub p -> c
        start i -> a
        user a
        boundary ua on=a compensate=undoA
        user undoA undo
        esub h
            start j compensate -> k
            user k -> u
            throw u compensate=a -> l
            user l
    user c -> t
    throw t compensate=p -> z
    user z
    """,
    scenario(
        "restored",
        "a",
        do("a", "c", x=1),
        do("c", also("k", variables={"x": 1}), x=2),
        do("k", "undoA"),
        do("undoA", "l"),
        do("l", "z"),
        do("z", "done"),
    ),
)
case(
    "comp-handler-sub-process",
    "compensation; handler is a sub-process",
    "10.7: a handler may be a sub-process",
    """
    start s -> a
    user a -> t
    boundary ua on=a compensate=undo
    sub undo undo
        user u -> v
        user v
    throw t compensate -> z
    user z
    """,
    scenario("two-steps", "a", do("a", "u"), do("u", "v"), do("v", "z")),
)
case(
    "comp-not-waiting",
    "compensation; waitForCompletion false",
    "10.7: with waitForCompletion false the thrower goes on while the handlers run",
    """
    start s -> a
    user a -> t
    boundary ua on=a compensate=undoA
    user undoA undo
    throw t compensate=a nowait -> z
    user z
    """,
    scenario("beside", "a", do("a", "undoA z"), do("z", "undoA"), do("undoA", "done")),
)
case(
    "comp-once-only",
    "compensation; twice",
    "13.5.5: what has been compensated is not compensated again",
    """
    start s -> a
    user a -> t
    boundary ua on=a compensate=undoA
    user undoA undo
    throw t compensate=a -> u
    throw u compensate=a -> z
    user z
    """,
    scenario("once", "a", do("a", "undoA"), do("undoA", also("z", executed={"undoA": 1}))),
)
case(
    "comp-from-error-event-sub",
    "compensation; thrown in an event sub-process",
    "10.7: an event sub-process compensates what its surroundings have completed",
    """
    start s -> a
    user a -> v
    boundary ua on=a compensate=undoA
    user undoA undo
    service v -> e
    end e
    esub h
        start i error -> t
        throw t compensate -> b
        user b
    """,
    scenario("undone", "a", do("a", ""), fail("v", "any", "undoA"), do("undoA", "b"), do("b", "done")),
)
_BOOKS = """
    start i -> a
    user a -> b
    boundary ua on=a compensate=undoA
    user undoA undo
    user b
    boundary ub on=b compensate=undoB
    user undoB undo
    """
case(
    "comp-into-called-process",
    "compensation; completed call activity; multi-instance; loop",
    "13.5.5: a completed call activity without handler is compensated by the handlers of the called process",
    """
    start s -> l
    sub l loop=True max=2 -> d
        start r -> c
        call c process=Books multi=sequential count=2
    user d -> t
    throw t compensate -> z
    user z
    """,
    scenario(
        "each-once",
        "a",
        *[do(task) for _ in range(4) for task in ("a", "b")],
        do("d", "undoB"),
        *[do(task) for _ in range(3) for task in ("undoB", "undoA")],
        do("undoB", "undoA"),
        do("undoA", also("z", executed={"undoA": 4, "undoB": 4})),
        do("z", "done"),
    ),
    called={"Books": _BOOKS},
)
case(
    "comp-called-process-data",
    "compensation; completed call activity; snapshot; in and out mapping",
    "13.5.5: inside the called process the handlers see its own data as they were; mappings say what returns",
    """
    start s -> c
    call c process=Books in.amount=total out.verdict=result -> d
    user d -> t
    throw t compensate=c -> z
    user z
    """,
    scenario(
        "untouched",
        "a",
        do("a", "b", result="yes"),
        do("b", "d"),
        do("d", also("undoB", variables={"amount": 12, "result": "yes"}), total=99, verdict="late"),
        do("undoB", also("undoA", variables={"amount": 12}), noise=1),
        do("undoA", also("z", variables={"verdict": "late", "total": 99})),
        variables={"total": 12},
    ),
    scenario(
        "taken-back",
        "a",
        do("a", "b", result="yes"),
        do("b", "d"),
        do("d", "undoB", verdict="late"),
        do("undoB", "undoA", result="no"),
        do("undoA", also("z", variables={"verdict": "no"})),
        variables={"total": 12},
    ),
    called={"Books": _BOOKS},
)
case(
    "comp-call-with-handler",
    "compensation; completed call activity; handler at the call activity",
    "13.5.5: the call activity's own handler takes the place of what stands in the called process",
    """
    start s -> c
    call c process=Books -> d
    boundary uc on=c compensate=undoC
    user undoC undo
    user d -> t
    throw t compensate -> z
    user z
    """,
    scenario(
        "own-handler",
        "a",
        do("a", "b"),
        do("b", "d"),
        do("d", "undoC"),
        do("undoC", also("z", executed={"undoA": 0, "undoB": 0})),
    ),
    called={"Books": _BOOKS},
)
case(
    "comp-called-process-event-sub",
    "compensation; completed call activity; event sub-process",
    "13.5.5: a called process may bring a compensation event sub-process of its own",
    """
    start s -> c
    call c process=Restores -> d
    user d -> t
    throw t compensate -> z
    user z
    """,
    scenario(
        "restored",
        "a",
        do("a", "d"),
        do("d", "k"),
        do("k", "undoA"),
        do("undoA", "l"),
        do("l", "z"),
        do("z", "done"),
    ),
    called={
        "Restores": """
    start i -> a
    user a
    boundary ua on=a compensate=undoA
    user undoA undo
    esub h
        start j compensate -> k
        user k -> u
        throw u compensate -> l
        user l
    """
    },
)
case(
    "comp-event-sub-alone",
    "compensation; event sub-process; nothing else inside",
    "13.5.5: the compensation event sub-process is the sub-process's handler, whatever else stands inside",
    """
    start s -> p
    sub p multi=parallel over=rooms as=room -> d
        start i -> a
        user a
        esub h
            start j compensate -> k
            user k
    user d -> t
    throw t compensate=p -> z
    user z
    """,
    scenario(
        "each-room",
        "a a",
        do("a", "a"),
        do("a", "d"),
        do("d", also("k", variables={"room": "y"})),
        do("k", also("k", variables={"room": "x"}), free="y"),
        do("k", also("z", variables={"free": "y"})),
        variables={"rooms": ["x", "y"]},
    ),
)
case(
    "comp-event-sub-own-level",
    "compensation; thrown in an event sub-process; its own activities",
    "10.5.5: visible is the thrower's own level and, from an event sub-process, what stands around it",
    """
    start s -> a
    user a -> w
    boundary ua on=a compensate=undoA
    user undoA undo
    user w
    esub e
        start m message=Go -> b
        user b -> c
        boundary ub on=b compensate=undoB
        user undoB undo
        user c -> g
        boundary uc on=c compensate=undoC
        user undoC undo
        xor g -> t if named, u default
        throw t compensate=b -> u
        throw u compensate -> l
        user l
    """,
    scenario(
        "all",
        "a",
        do("a", "w"),
        message("Go", "b"),
        do("b", "c"),
        do("c", "undoC", named=False),
        do("undoC", "undoB"),
        do("undoB", "undoA"),
        do("undoA", "l"),
        do("l", "done"),
    ),
    scenario(
        "named-first",
        "a",
        do("a", "w"),
        message("Go", "b"),
        do("b", "c"),
        do("c", "undoB", named=True),
        do("undoB", "undoC"),
        do("undoC", "undoA"),
        do("undoA", "l"),
    ),
)
case(
    "comp-inside-event-sub",
    "compensation; completed event sub-process",
    "13.5.5: what an event sub-process has completed is compensated with the sub-process around it",
    """
    start s -> p
    sub p -> d
        start i -> a
        user a
        boundary ua on=a compensate=undoA
        user undoA undo
        esub e
            start m message=Go alongside -> b
            user b
            boundary ub on=b compensate=undoB
            user undoB undo
    user d -> t
    throw t compensate -> z
    user z
    """,
    scenario(
        "last-first",
        "a",
        message("Go", "a b"),
        do("b", "a"),
        message("Go", "a b"),
        do("a", "b"),
        do("b", "d"),
        do("d", "undoB"),
        do("undoB", "undoA"),
        do("undoA", "undoB"),
        do("undoB", "z"),
    ),
)
case(
    "comp-handler-fails",
    "compensation; error in a handler",
    "13.5.5: a completed activity catches nothing; what is not yet undone can be undone later",
    """
    start s -> p
    sub p -> b
        start i -> a
        user a
        boundary ua on=a compensate=undoA
        service undoA undo
    boundary never on=p error -> n
    user n
    user b -> t
    boundary ub on=b compensate=undoB
    service undoB undo
    throw t compensate -> z
    user z
    esub e
        start j error -> u
        throw u compensate -> l
        user l
    """,
    scenario(
        "last-one",
        "a",
        do("a", "b"),
        do("b", ""),
        do("undoB", ""),
        fail("undoA", "Bad", also("l", executed={"n": 0, "z": 0})),
        do("l", "done"),
    ),
    scenario(
        "first-one",
        "a",
        do("a", "b"),
        do("b", ""),
        fail("undoB", "Bad", ""),
        do("undoA", also("l", executed={"undoA": 1, "undoB": 0})),
        do("l", "done"),
    ),
)
case(
    "comp-data-object-inside",
    "compensation; snapshot; data object of a sub-process",
    "13.5.5: the snapshot holds the data objects of the completed sub-process too",
    """
    start s -> p
    sub p -> d
        object seat
        start i -> a
        user a -> b
        boundary ua on=a compensate=undoA
        user undoA undo
        user b
    user d -> t
    throw t compensate -> z
    user z
    """,
    scenario(
        "kept",
        "a",
        do("a", "b", seat=1),
        do("b", "d", seat=2),
        do("d", also("undoA", variables={"seat": 2}), seat=9),
        do("undoA", "z"),
    ),
)
case(
    "tx-cancel-nested",
    "transaction; cancel; compensation; call activity; completed transaction",
    "10.7: cancelling compensates completed transactions and called processes inside, the last first",
    """
    start s -> x
    tx x -> z
        start i -> p
        tx p -> c
            start i2 -> a
            user a
            boundary ua on=a compensate=undoA
            user undoA undo
        call c process=Booking -> k
        user k -> n
        end n cancel
    boundary out on=x cancel -> w
    user w
    user z
    """,
    scenario(
        "all-undone",
        "a",
        do("a", "b"),
        do("b", "k"),
        do("k", "undoB"),
        do("undoB", "undoA"),
        do("undoA", "w"),
        do("w", "done"),
    ),
    called={
        "Booking": """
    start i -> b
    user b
    boundary ub on=b compensate=undoB
    user undoB undo
    """
    },
)

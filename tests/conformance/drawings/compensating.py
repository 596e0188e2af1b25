"""Cases about compensation."""

from tests.conformance.drawings.book import also, case, do, fail, scenario

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

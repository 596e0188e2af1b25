"""Cases about boundary events, errors, escalations and start events."""

from tests.conformance.drawings.book import also, case, do, message, scenario, signal, turn

case(
    "boundary-message-often",
    "boundary message; non-interrupting",
    "10.5.4: a non-interrupting message event fires for every message, and its tokens live on",
    """
    start s -> a
    user a -> e
    boundary x on=a message=Note alongside -> b
    user b -> e
    end e
    """,
    scenario(
        "thrice",
        "a",
        message("Note", "a b"),
        message("Note", "a b b"),
        do("a", "b b"),
        message("Note", "b b"),
        do("2*b", "done"),
    ),
)
case(
    "boundary-timer-cycle",
    "boundary timer; cycle; non-interrupting",
    "10.5.5: R3/PT1H fires three times while the activity lasts; what it started lives on",
    """
    start s -> a
    user a -> e
    boundary x on=a timer=R3/PT1H alongside -> b
    user b -> e
    end e
    """,
    scenario(
        "three", "a", turn("PT61M", "a b"), turn("PT1H", "a b b"), turn("PT5H", "a b b b"), do("a", "b b b")
    ),
    scenario("cut-short", "a", turn("PT61M", "a b"), do("a", "b"), turn("PT5H", "b"), do("b", "done")),
)
case(
    "boundary-timer-once",
    "boundary timer; non-interrupting",
    "10.5.5: a duration fires once",
    """
    start s -> a
    user a -> e
    boundary x on=a timer=PT1H alongside -> b
    user b -> e
    end e
    """,
    scenario("once", "a", turn("PT5H", "a b"), turn("PT5H", "a b"), do("b", "a"), do("a", "done")),
)
case(
    "boundary-merge-back",
    "boundary timer; merge into the main path",
    "10.5.4: the exceptional path may join the normal one",
    """
    start s -> a
    user a -> m
    boundary x on=a timer=PT1H -> b
    user b -> m
    xor m -> c
    user c -> e
    end e
    """,
    scenario("late", "a", turn("PT2H", "b"), do("b", "c")),
    scenario("in-time", "a", do("a", "c"), turn("PT2H", "c")),
)
case(
    "boundary-on-multi-instance",
    "boundary message; multi-instance; interrupting",
    "13.5.3: the event concerns the whole multi-instance",
    """
    start s -> a
    user a multi=parallel count=3 -> z
    boundary x on=a message=Stop -> b
    user b -> e
    user z -> e
    end e
    """,
    scenario("stopped", "a a a", do("a", "a a"), message("Stop", "b"), do("b", "done")),
)
case(
    "boundary-alongside-multi-instance",
    "boundary timer; multi-instance; non-interrupting",
    "13.5.3: once for the whole, and the instances go on",
    """
    start s -> a
    user a multi=parallel count=2 -> z
    boundary x on=a timer=PT1H alongside -> b
    user b -> e
    user z -> e
    end e
    """,
    scenario("beside", "a a", turn("PT2H", "a a b"), do("2*a", "b z"), do("b", "z"), do("z", "done")),
)
case(
    "error-code-before-any",
    "boundary error; codes",
    "10.5.7: the catch of the very code comes before the catch of all",
    """
    start s -> p
    sub p -> e
        user a -> g
        xor g -> x if code == "A", y default
        end x error=A
        end y error=B
    boundary all on=p error -> b
    boundary one on=p error=A -> c
    user b -> e
    user c -> e
    end e
    """,
    scenario("A", "a", do("a", "c", code="A")),
    scenario("B", "a", do("a", "b", code="B")),
)
case(
    "error-uncaught-holds",
    "error end event; uncaught",
    "an error that nothing catches holds its branch and is told",
    """
    start s -> f
    and f -> a, b
    user a -> x
    user b -> e
    end x error=A
    end e
    """,
    scenario(
        "held", "a b", do("a", {"waiting": ["b"], "failed": 1}), do("b", {"waiting": [], "completed": False})
    ),
)
case(
    "escalation-goes-on",
    "escalation throw; boundary escalation; non-interrupting",
    "10.5.7: an escalation does not stop the thrower; uncaught it has no effect",
    """
    start s -> p
    sub p -> z
        user a -> t
        throw t escalation=Late -> u
        throw u escalation=Nobody -> b
        user b
    boundary x on=p escalation=Late alongside -> c
    user c -> e
    user z -> e
    end e
    """,
    scenario("both", "a", do("a", "b c"), do("b", "c z"), do("c", "z")),
)
case(
    "escalation-interrupts",
    "escalation throw; boundary escalation; interrupting",
    "10.5.7: an interrupting catch ends the activity, the thrower included",
    """
    start s -> p
    sub p -> z
        user a -> t
        throw t escalation=Late -> b
        user b
    boundary x on=p escalation=Late -> c
    user c -> e
    user z -> e
    end e
    """,
    scenario("ended", "a", do("a", also("c", executed={"b": 0}))),
)
case(
    "escalation-outwards",
    "escalation end event; nested sub-process",
    "10.5.7: an escalation looks for its catch from the inside out and stops at the first",
    """
    start s -> p
    sub p -> z
        start i -> q
        sub q -> r
            user a -> x
            end x escalation=Up
        boundary other on=q escalation=Down -> n
        user n
        user r
    boundary x2 on=p escalation=Up alongside -> c
    user c -> e
    user z -> e
    end e
    """,
    scenario("outer", "a", do("a", "c r"), do("r", "c z")),
)
case(
    "start-by-signal-or-message",
    "message start event; signal start event",
    "10.5.2: each start event begins the process on its own",
    """
    start m message=Apply -> a
    start g signal=Year -> b
    user a -> e
    user b -> e
    end e
    """,
    scenario(
        "message",
        {"completed": False},
        message("Apply", also("a", variables={"who": "x"}), who="x"),
        do("a", "done"),
    ),
    scenario("signal", {"completed": False}, signal("Year", "b")),
)

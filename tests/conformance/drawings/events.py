"""Cases about intermediate, boundary and start events."""

from tests.conformance.drawings.book import also, case, do, message, put, scenario, signal, turn

case(
    "timer-date",
    "intermediate timer; date",
    "10.5.5: a date fires at that instant; without offset it is local time",
    """
    start s -> t
    catch t timer=2026-03-02T12:00:00 -> a
    user a -> e
    end e
    """,
    # The runner's clock begins at 09:00 UTC, which is 10:00 in Berlin.
    scenario("noon", "", turn("PT1H59M", ""), turn("PT2M", "a"), do("a", "done")),
)
case(
    "timer-month-end",
    "intermediate timer; calendar months",
    "ISO 8601: a month ends on the same day of the next month, or on its last day",
    """
    start s -> t
    catch t timer=date:start_of_period -> u
    catch u timer=P1M -> a
    user a -> e
    end e
    """,
    scenario(
        "february",
        "",
        turn("PT1S", ""),
        turn("P31D", {"completed": False}),
        turn("P1D", {"completed": False}),
        variables={"start_of_period": "2026-03-02T09:00:00+00:00"},
    ),
)
case(
    "timer-expression",
    "intermediate timer; expression",
    "10.5.5: the value may be computed from data",
    """
    start s -> t
    catch t timer="${wait}" -> a
    user a -> e
    end e
    """,
    scenario("two-days", "", turn("P1D", ""), turn("P1DT1S", "a"), variables={"wait": "P2D"}),
    scenario("nonsense", {"error": True}, variables={"wait": "soon"}),
)
case(
    "message-catch",
    "intermediate message",
    "10.5.5: the event takes the message of its name, once",
    """
    start s -> f
    and f -> m, n
    catch m message=Hello -> a
    catch n message=Hello -> b
    user a -> e
    user b -> e
    end e
    """,
    scenario(
        "one-receiver", "", message("Hello", "a", x=1), message("Hello", "a b"), message("Hello", "a b")
    ),
)
case(
    "message-throw",
    "intermediate message throw; message end event",
    "10.5.5: thrown messages leave in order",
    """
    start s -> t
    throw t message=First -> a
    user a -> e
    end e message=Last
    """,
    scenario("both", also("a", messages=["First"]), do("a", also("done", messages=["First", "Last"]))),
)
case(
    "signal-broadcast",
    "signal throw; signal catch; signal boundary",
    "10.5.5: a signal reaches everything that waits for it",
    """
    start s -> f
    and f -> c, a, t0
    catch c signal=Alarm -> b
    user a -> e
    boundary x on=a signal=Alarm alongside -> d
    user t0 -> t
    throw t signal=Alarm -> e
    user b -> e
    user d -> e
    end e
    """,
    scenario("all", "a t0", do("t0", "a b d"), signal("Alarm", "a b d d")),
)
case(
    "signal-end",
    "signal end event",
    "10.5.3: a signal end event broadcasts and ends its path",
    """
    start s -> f
    and f -> c, a
    catch c signal=Over -> b
    user a -> x
    user b -> e
    end x signal=Over
    end e
    """,
    scenario("over", "a", do("a", also("b", end_events=["x"])), do("b", "done")),
)
case(
    "condition-by-other-branch",
    "intermediate conditional; parallel gateway",
    "10.5.5: a condition is looked at when data change, also in another branch; the change comes along",
    """
    start s -> f
    and f -> c, a
    catch c cond="n > 3" -> g
    xor g -> b if n > 3, d default
    user a -> e
    user b -> e
    user d -> e
    end e
    """,
    scenario("rises", "a", put("a", n=2), do("a", "b", n=4), do("b", "done"), variables={"n": 0}),
)
case(
    "condition-boundary",
    "boundary conditional; interrupting; non-interrupting",
    "10.5.4: a non-interrupting condition fires each time it becomes true",
    """
    start s -> a
    user a -> e
    boundary x on=a cond="n > 3" alongside -> b
    boundary y on=a cond="stop" -> c
    user b -> e
    user c -> e
    end e
    """,
    scenario(
        "rises-twice",
        "a",
        put("a b", n=4),
        put("a b", n=5),
        put("a b", n=1),
        put("a b b", n=9),
        put("b b c", stop=True),
        variables={"n": 0, "stop": False},
    ),
    scenario("true-at-once", "c", variables={"n": 0, "stop": True}),
)
case(
    "link-in-sub-process",
    "link events; sub-process",
    "10.5.5: a link leads to its target in the same scope",
    """
    start s -> p
    sub p -> z
        start i -> a
        user a -> t
        throw t link=On
        catch c link=On -> b
        user b
    user z
    """,
    scenario("on", "a", do("a", "b"), do("b", "z")),
)
case(
    "link-loop-back",
    "link events; loop",
    "10.5.5: a link may lead back",
    """
    start s -> m
    xor m -> a
    user a -> g
    xor g -> t if again, e default
    throw t link=Again
    catch c link=Again -> m
    end e
    """,
    scenario(
        "thrice",
        "a",
        do("a", "a", again=True),
        do("a", "a"),
        do("a", also("done", executed={"a": 3}), again=False),
    ),
)
case(
    "multiple-catch-any",
    "multiple event",
    "10.5.5: any one of several triggers is enough",
    """
    start s -> c
    catch c message=M signal=S timer=PT1H -> a
    user a -> e
    end e
    """,
    scenario("signal", "", signal("S", "a"), message("M", "a"), turn("PT2H", "a"), do("a", "done")),
    scenario("timer", "", turn("PT2H", "a")),
)
case(
    "multiple-catch-all",
    "parallel multiple event",
    "10.5.5: all triggers must have happened",
    """
    start s -> c
    catch c message=M signal=S all -> a
    user a -> e
    end e
    """,
    scenario(
        "both",
        "",
        message("M", "", x=1),
        message("M", ""),
        signal("S", also("a", variables={"x": 1, "y": 2}), y=2),
    ),
)
case(
    "multiple-throw",
    "multiple event; throw",
    "10.5.5: a multiple throw event throws everything",
    """
    start s -> f
    and f -> c, a
    catch c signal=S -> b
    user a -> t
    throw t signal=S message=M -> e
    user b -> e
    end e
    """,
    scenario("both", "a", do("a", also("b", messages=["M"])), do("b", "done")),
)
case(
    "multiple-boundary-all",
    "parallel multiple event; boundary",
    "10.5.4: a parallel multiple boundary event needs all its triggers",
    """
    start s -> a
    user a -> e
    boundary x on=a message=M signal=S all -> b
    user b -> e
    end e
    """,
    scenario("both", "a", signal("S", "a"), message("M", "b"), do("b", "done")),
)
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
case(
    "start-by-receive-task",
    "receive task; instantiate",
    "10.3.3: a receive task with instantiate begins the process",
    """
    receive r message=Apply instantiate -> a
    user a -> e
    end e
    """,
    scenario("begun", {"completed": False}, message("Apply", "a"), do("a", "done")),
)
case(
    "start-by-event-gateway",
    "event-based gateway; instantiate",
    "10.6.6: an instantiating gateway begins the process with the event that happens",
    """
    race r instantiate -> m, n
    catch m message=One -> a
    catch n message=Two -> b
    user a -> e
    user b -> e
    end e
    """,
    scenario("two", {"completed": False}, message("Two", "b"), do("b", "done")),
)

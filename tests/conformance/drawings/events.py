"""Cases about intermediate events."""

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
        "end-of-april",
        "",
        turn("P29D", ""),
        turn("P29D", ""),
        turn("P1D", "a"),
        variables={"start_of_period": "2026-03-31T10:00:00+02:00"},
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
    "multiple-end",
    "multiple event; end event; what ends the branch comes last",
    "10.5.3: all of them are thrown, also where one is caught by something that ends the thrower",
    """
    start s -> p
    sub p -> z
        start i -> f
        and f -> a, k
        user a -> t
        user k
        end t escalation=Up signal=First signal=Second message=Told
    boundary x on=p escalation=Up -> q
    boundary y on=p signal=Second alongside -> r
    user q
    user r
    user z
    """,
    scenario(
        "all",
        "a k",
        do("a", also("q r", end_events=["t"], messages=["Told"], executed={"k": 0})),
        do("q", "r"),
    ),
)
case(
    "multiple-boundary",
    "multiple event; boundary event; interrupting; non-interrupting",
    "10.5.4: any of the triggers is enough, and a non-interrupting one is ready for the next",
    """
    start s -> a
    user a -> z
    boundary x on=a message=Call timer=PT2H alongside -> b
    boundary y on=a message=Stop signal=Fire -> c
    user b
    user c
    user z
    """,
    scenario(
        "often",
        "a",
        message("Call", "a b"),
        message("Call", "a b b"),
        turn("PT3H", "a b b b"),
        signal("Fire", "b b b c"),
    ),
)
case(
    "multiple-boundary-all-often",
    "parallel multiple event; boundary event; non-interrupting",
    "10.5.4: when all triggers have come it fires, and waits for all of them again",
    """
    start s -> a
    user a -> z
    boundary x on=a message=Call signal=Fire all alongside -> b
    user b
    user z
    """,
    scenario(
        "twice",
        "a",
        message("Call", "a"),
        message("Call", "a"),
        signal("Fire", "a b"),
        signal("Fire", "a b"),
        message("Call", "a b b"),
        do("a", "b b z"),
    ),
)
case(
    "esub-all-triggers",
    "event sub-process; parallel multiple event; non-interrupting",
    "10.5.6: the event sub-process begins when all triggers have come, each time",
    """
    start s -> a
    user a
    esub h
        start i message=Call signal=Fire all alongside -> b
        user b
    """,
    scenario(
        "twice",
        "a",
        signal("Fire", "a"),
        message("Call", "a b", text="x"),
        message("Call", "a b"),
        signal("Fire", "a b b"),
        do("a", "b b"),
        do("b", "b"),
        do("b", "done"),
    ),
)
case(
    "throw-none",
    "intermediate throw event without trigger",
    "10.5.4: a none event marks a state that the case has reached",
    """
    start s -> t
    throw t -> a
    user a
    """,
    scenario("passed", also("a", executed={"t": 1}), do("a", "done")),
)
case(
    "message-mappings",
    "message; output mapping; event sub-process; boundary event",
    "10.4.2: what an event brings goes where its output mappings say",
    """
    start s -> c
    catch c message=In out.first=text -> a
    user a
    boundary b on=a message=More out.second=text alongside -> d
    user d
    esub h
        start i message=Last out.third=text -> k
        user k
    """,
    scenario(
        "mapped",
        "",
        message("In", also("a", variables={"first": "x"}), text="x"),
        message("More", also("a d", variables={"second": "y"}), text="y"),
        message("Last", also("k", variables={"third": "z", "first": "x"}), text="z"),
    ),
)

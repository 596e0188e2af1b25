"""Cases about event-based gateways, conditional flows, starts and ends."""

from tests.conformance.drawings.book import also, case, do, message, put, scenario, turn

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
case(
    "start-by-timer",
    "timer start event; date; duration; cycle",
    "10.5.2, 10.5.5: a timer that is due begins an instance of the process",
    """
    start s timer=R/P1M -> a
    user a -> e
    end e
    """,
    scenario(
        "a-month",
        "",
        turn("P30D", ""),
        turn("P1D", also("a", variables={"scheduledFor": "2026-04-02T10:00:00+02:00"})),
        do("a", "done"),
    ),
)
case(
    "start-by-timer-or-message",
    "timer start event; message start event",
    "10.5.2: each start event begins an instance by itself; the first due instant counts",
    """
    start m message=Order -> a
    start d timer=2026-03-05T08:00:00 -> b
    start p timer=P2D -> c
    user a -> e
    user b -> e
    user c -> e
    end e
    """,
    scenario("message", "", message("Order", "a", item="book"), do("a", "done")),
    scenario("period", "", turn("P1D", ""), turn("P1D", "c"), do("c", "done")),
)
case(
    "start-by-timer-among-others",
    "timer start event; multiple start event; event sub-process",
    "10.5.2: any definition of a multiple start event begins the process, which listens from then on",
    """
    start s message=Order timer=P3D -> a
    user a -> e
    end e
    esub late
        start w timer=P2D alongside -> b
        user b -> f
        end f
    """,
    scenario("timer", "", turn("P3D", "a"), turn("P2D", "a b"), do("a"), do("b", "done")),
    scenario("message", "", message("Order", "a"), turn("P1D", "a"), turn("P1D", "a b")),
)

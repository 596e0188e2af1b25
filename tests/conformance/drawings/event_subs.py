"""Cases about event sub-processes."""

from tests.conformance.drawings.book import also, case, do, fail, message, put, scenario, signal, turn

case(
    "esub-message-interrupts",
    "event sub-process; message; interrupting",
    "13.5.4: an interrupting start ends the rest of its scope",
    """
    start s -> a
    user a -> e
    end e
    esub h
        start i message=Stop -> b
        user b -> x
        end x
    """,
    scenario(
        "stopped",
        "a",
        message("Stop", also("b", variables={"why": "w"}), why="w"),
        message("Stop", "b"),
        do("b", "done"),
    ),
    scenario("not", "a", do("a", "done")),
)
case(
    "esub-timer-cycle",
    "event sub-process; timer cycle; non-interrupting",
    "13.5.4: a non-interrupting start begins as often as its event happens, as long as its scope is open",
    """
    start s -> a
    user a -> e
    end e
    esub h
        start i timer=R/PT1H alongside -> b
        user b -> x
        end x
    """,
    scenario(
        "hourly",
        "a",
        turn("PT61M", "a b"),
        turn("PT2H", "a b b b"),
        do("a", "b b b"),
        turn("PT1H", "b b b b"),
        do("4*b", "done"),
    ),
)
case(
    "esub-error-in-process",
    "event sub-process; error",
    "10.5.7: an error is caught by the event sub-process of its own scope first",
    """
    start s -> v
    service v -> e
    end e
    esub h
        start i error=E_NO -> b
        user b
    """,
    scenario("caught", "", fail("v", "E_NO", also("b", variables={"x": 1}), x=1), do("b", "done")),
)
case(
    "esub-escalation-alongside",
    "event sub-process; escalation; non-interrupting",
    "13.5.4 and 10.5.7",
    """
    start s -> a
    user a -> t
    throw t escalation=Late -> b
    user b -> e
    end e
    esub h
        start i escalation=Late alongside -> c
        user c
    """,
    scenario("beside", "a", do("a", "b c"), do("b", "c"), do("c", "done")),
)
case(
    "esub-condition",
    "event sub-process; conditional",
    "13.5.4: the condition is looked at whenever data of the scope change",
    """
    start s -> a
    user a -> b
    user b -> e
    end e
    esub h
        start i cond="n > 3" alongside -> c
        user c
    """,
    scenario(
        "risen",
        "a",
        do("a", "b c", n=4),
        put("b c", n=5),
        put("b c", n=0),
        put("b c c", n=7),
        variables={"n": 0},
    ),
)
case(
    "esub-signal-in-sub-process",
    "event sub-process; signal; sub-process",
    "13.5.4: only the scope with the event sub-process is interrupted",
    """
    start s -> f
    and f -> p, o
    sub p -> z
        start i -> a
        user a -> x
        end x
        esub h
            start j signal=Halt -> b
            user b
    user o -> e
    user z -> e
    end e
    """,
    scenario("inner", "a o", signal("Halt", "b o"), do("b", "o z")),
)
case(
    "esub-nested",
    "event sub-process; nested",
    "10.3.5: an event sub-process may have event sub-processes of its own",
    """
    start s -> a
    user a -> e
    end e
    esub h
        start i message=One alongside -> b
        user b -> x
        end x
        esub k
            start j message=Two -> c
            user c
    """,
    scenario(
        "inner",
        "a",
        message("Two", "a"),
        message("One", "a b"),
        message("Two", "a c"),
        do("c", "a"),
        do("a", "done"),
    ),
)
case(
    "esub-error-inside-goes-out",
    "event sub-process; error; boundary error",
    "10.5.7: an error thrown inside an event sub-process is not caught by its siblings",
    """
    start s -> p
    sub p -> z
        start i -> v
        service v
        esub h
            start j error=One -> b
            user b -> x
            end x error=One
        esub k
            start l error -> c
            user c
    boundary y on=p error=One -> d
    user d -> e
    user z -> e
    end e
    """,
    scenario("out", "", fail("v", "One", "b"), do("b", "d"), do("d", "done")),
)
case(
    "esub-keeps-scope-open",
    "event sub-process; non-interrupting; sub-process",
    "13.5.4: the scope ends when its event sub-processes have ended too",
    """
    start s -> p
    sub p -> z
        start i -> a
        user a
        esub h
            start j message=Note alongside -> b
            user b
    user z
    """,
    scenario("waits", "a", message("Note", "a b"), do("a", "b"), message("Note", "b b"), do("2*b", "z")),
)
case(
    "esub-in-multi-instance",
    "event sub-process; multi-instance sub-process",
    "13.5.4: every instance has event sub-processes of its own",
    """
    start s -> p
    sub p multi=parallel count=2 -> z
        start i -> a
        user a
        esub h
            start j message=Note -> b
            user b
    user z
    """,
    scenario("one-each", "a a", message("Note", "a b"), message("Note", "b b"), do("2*b", "z")),
)
case(
    "esub-in-loop",
    "event sub-process; loop",
    "13.5.4: a scope that is entered again listens again",
    """
    start s -> m
    xor m -> p
    sub p -> g
        start i -> a
        user a
        esub h
            start j message=Note -> b
            user b
    xor g -> m if again, e default
    end e
    """,
    scenario(
        "twice",
        "a",
        message("Note", "b"),
        do("b", "a", again=True),
        message("Note", "b"),
        do("b", "done", again=False),
    ),
)
case(
    "esub-multiple-triggers",
    "event sub-process; multiple event",
    "10.5.2: any of several triggers begins it",
    """
    start s -> a
    user a -> e
    end e
    esub h
        start i message=One signal=Two alongside -> b
        user b
    """,
    scenario("both", "a", signal("Two", "a b"), message("One", "a b b")),
)
case(
    "esub-terminate-inside",
    "event sub-process; terminate end event",
    "10.5.3: terminate inside an event sub-process ends this only",
    """
    start s -> a
    user a -> e
    end e
    esub h
        start i message=Note alongside -> f
        and f -> b, c
        user b -> x
        user c
        end x terminate
    """,
    scenario("inner", "a", message("Note", "a b c"), do("b", "a"), do("a", "done")),
)
case(
    "esub-in-called-process",
    "event sub-process; call activity",
    "13.5.4: it listens while the called process runs",
    """
    start s -> c
    call c process=Listener -> z
    user z
    """,
    scenario("heard", "a", message("Note", "b"), do("b", "z"), message("Note", "z")),
    called={
        "Listener": """
    start i -> a
    user a
    esub h
        start j message=Note -> b
        user b
    """
    },
)

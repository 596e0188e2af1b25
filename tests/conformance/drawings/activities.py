"""Cases about tasks."""

from tests.conformance.drawings.book import also, case, do, fail, message, scenario

case(
    "task-kinds",
    "user task; manual task; abstract task; service task; script task",
    "10.3.3: each kind waits for whoever does it; a script runs at once",
    """
    start s -> u
    user u -> m
    manual m -> t
    task t -> v
    service v -> k
    script k code="n = n + 1" -> e
    end e
    """,
    scenario(
        "all", "u", do("u", "m"), do("m", "t"), do("t", ""), do("v", also("done", variables={"n": 2}), n=1)
    ),
)
case(
    "task-send-receive",
    "send task; receive task; message",
    "10.3.3: a send task is done when the message has left; a receive task when one has come",
    """
    start s -> x
    send x message=Order -> w
    receive w message=Delivery -> e
    end e
    """,
    scenario("round-trip", also("w", messages=["Order"]), message("Other", "w"), message("Delivery", "done")),
)
case(
    "task-send-to-partner",
    "send task; dw:recipient; dw:answers",
    "design: a step with a recipient is an exchange with a partner; its key: element, instance, round",
    """
    start s -> x
    send x dw.recipient=partner dw.message=request -> w
    receive w dw.message=reply dw.answers=x -> e
    end e
    """,
    scenario(
        "sent",
        also("w", sends=["x##1"], messages=[]),
        message("reply", "done"),
        variables={"partner": "10042"},
    ),
)
case(
    "task-send-in-loop",
    "send task; loop; dw:recipient",
    "design: each round is an exchange of its own",
    """
    start s -> m
    xor m -> x
    send x dw.recipient=partner dw.message=request -> w
    receive w dw.message=reply dw.answers=x -> g
    xor g -> m if again, e default
    end e
    """,
    scenario(
        "twice",
        also("w", sends=["x##1"]),
        message("reply", also("w", sends=["x##1", "x##2"]), again=True),
        message("reply", "done", again=False),
        variables={"partner": "10042"},
    ),
)
case(
    "task-work-error",
    "service task; boundary error",
    "10.3.3 and 10.5.4: an error of outside work is caught by the boundary event that names it",
    """
    start s -> v
    service v -> e
    boundary b on=v error=E_NO -> a
    user a -> e
    end e
    """,
    scenario("caught", "", fail("v", "E_NO", "a", reason="full"), do("a", "done")),
    scenario("other-code", "", fail("v", "E_OTHER", {"failed": 1, "completed": False})),
    scenario("well", "", do("v", "done")),
)

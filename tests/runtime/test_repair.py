"""Corrections: what they mend, what they leave alone, and that no send is ever repeated."""

import pytest

from engine.runtime import (
    CancelCase,
    CaseOverError,
    CompleteTask,
    ElementUnknownError,
    FailWork,
    ItemGoneError,
    ItemKind,
    MoveToken,
    Retry,
    SetData,
    Skip,
    StepKind,
    WrongCommandError,
)
from tests.runtime.play import Play

GATEWAY = """
start s -> f
and f -> g, b
xor g -> a if n > 0, c if n > 5
user a -> e
user c -> e
user b -> e
end e
"""


def test_a_failure_holds_its_branch_only_and_a_retry_after_new_data_goes_on() -> None:
    play = Play(GATEWAY).start(n=0)
    failed = play.item("g", ItemKind.FAILED)
    assert "no condition" in (failed.error or "")
    play.done("b")
    play.do(SetData({"n": 1}))
    result = play.do(Retry(failed.id))
    assert play.elements() == ["a"]
    assert result.closed == (failed.id,)
    play.done("a")
    assert play.completed


def test_a_retry_that_fails_again_opens_a_new_item() -> None:
    play = Play(GATEWAY).start(n=0)
    failed = play.item("g")
    play.do(Retry(failed.id))
    assert play.item("g").kind is ItemKind.FAILED
    assert play.item("g").id != failed.id


def test_skip_with_data_mends_a_gateway() -> None:
    play = Play(GATEWAY).start(n=0)
    play.do(Skip(play.item("g").id, {"n": 3}))
    assert play.elements() == ["a", "b"]


def test_results_survive_a_failed_output_mapping() -> None:
    play = Play("start s -> a\nuser a out.total=x*rate -> z\nuser z").start()
    play.done("a", x=2)
    assert play.item("a").kind is ItemKind.FAILED
    play.do(SetData({"rate": 10}))
    play.do(Retry(play.item("a").id))
    assert play.item("z").data["total"] == 20


def test_uncaught_work_error_can_be_retried_or_skipped_and_boundaries_stay_armed() -> None:
    play = Play("start s -> v\nservice v -> z\nboundary t on=v timer=PT1H -> y\nuser y\nuser z").start()
    play.do(FailWork(play.item("v").id, "E", "full"))
    assert play.elements(ItemKind.FAILED) == ["v"]
    assert play.elements(ItemKind.TIMER) == ["t"]
    play.do(Retry(play.item("v").id))
    assert play.elements(ItemKind.WORK) == ["v"]
    assert play.elements(ItemKind.TIMER) == ["t"]
    play.do(FailWork(play.item("v").id, "E"))
    play.do(Skip(play.item("v", ItemKind.FAILED).id))
    assert play.elements() == ["z"]


def test_skip_leaves_any_wait() -> None:
    play = Play(
        "start s -> t\ncatch t timer=PT1H -> m\nreceive m message=M -> v\nservice v -> u\nuser u"
    ).start()
    for element in ("t", "m", "v", "u"):
        assert play.elements() == [element]
        play.do(Skip(play.item(element).id, {"by": element}))
    assert play.completed
    assert play.last is not None
    assert play.last.data["by"] == "u"


def test_a_stalled_join_can_be_skipped() -> None:
    play = Play(
        "start s -> g\nxor g -> a if True, b default\nuser a -> j\nuser b -> j\nand j -> z\nuser z"
    ).start()
    play.done("a")
    assert "none can come" in (play.item("j").error or "")
    play.do(Retry(play.item("j").id))
    assert play.item("j").kind is ItemKind.FAILED
    play.do(Skip(play.item("j").id))
    assert play.elements() == ["z"]


SENDING = """
start s -> a
user a -> x
send x dw.recipient=partner dw.message=request -> b
user b -> y
send y dw.recipient=partner dw.message=second -> c
user c -> e
end e
"""


def test_a_token_moved_back_passes_its_sends_in_silence_once() -> None:
    play = Play(SENDING).start(partner="1")
    play.done("a")
    play.do(MoveToken(play.item("b").id, "a"))
    assert play.sent == ["x##1"]
    play.done("a")
    assert play.sent == ["x##1"], "what was sent is not sent again"
    play.done("b")
    assert play.sent == ["x##1", "y##1"], "what was not sent yet is"


def test_moved_back_inside_an_instance_only_its_own_sends_are_silent() -> None:
    inside = """
start s -> p
sub p multi=parallel count=2 -> e
    start i -> a
    user a -> x
    send x dw.recipient=partner dw.message=request -> b
    user b
end e
"""
    play = Play(inside).start(partner="1")
    play.done("a")
    moved = play.item("b")
    play.do(MoveToken(moved.id, "a", sent=tuple(play.sent)))
    assert play.sent == ["x#0#1"]
    for item in [one for one in play.open.values() if one.element_id == "a"]:
        play.do(CompleteTask(item.id))
    assert play.sent == ["x#0#1", "x#1#2"]


def test_retry_of_a_send_that_could_not_leave_does_not_send_twice() -> None:
    play = Play(
        "start s -> x\nsend x dw.recipient=partner dw.message=m -> b if go, c if stop\nuser b\nuser c"
    )
    play.start(partner="1", go=False, stop=False)
    assert play.sent == ["x##1"]
    play.do(SetData({"go": True}))
    play.do(Retry(play.item("x").id))
    assert play.sent == ["x##1"]
    assert play.elements() == ["b"]


def test_a_send_without_recipient_value_fails_before_anything_leaves() -> None:
    play = Play("start s -> x\nsend x dw.recipient=partner dw.message=m -> b\nuser b").start()
    assert play.item("x").kind is ItemKind.FAILED
    assert play.sent == []
    play.do(SetData({"partner": "1"}))
    play.do(Retry(play.item("x").id))
    assert play.sent == ["x##1"]


def test_moves_that_make_no_sense_are_refused() -> None:
    play = Play(
        "start s -> a\nuser a multi=parallel count=2 -> z\nboundary t on=a timer=PT1H -> z\nuser z"
    ).start()
    with pytest.raises(WrongCommandError, match="instances"):
        play.do(MoveToken(play.item("a").id, "z"))
    with pytest.raises(WrongCommandError, match="listens"):
        play.do(MoveToken(play.item("t").id, "z"))
    other = Play("start s -> a\nuser a -> z\nuser z").start()
    with pytest.raises(ElementUnknownError):
        other.do(MoveToken(other.item("a").id, "nowhere"))
    with pytest.raises(ElementUnknownError):
        other.do(MoveToken(other.item("a").id, "s"))


def test_set_data_reaches_every_item_and_changes_what_is_shown() -> None:
    play = Play("start s -> f\nand f -> a, p\nuser a -> e\nsub p -> e\n    user b\nend e").start(x=1)
    result = play.do(SetData({"x": 2}))
    assert {item.element_id: item.data["x"] for item in result.changed} == {"a": 2, "b": 2}
    play.do(SetData({"x": 3}, play.item("b").id))
    assert play.item("a").data["x"] == 2
    assert play.item("b").data["x"] == 3


def test_cancel_ends_the_case_and_closes_everything() -> None:
    play = Play(
        "start s -> p\nsub p -> e\n    user b\n    boundary t on=b timer=PT1H -> c\n    user c\nend e"
    ).start()
    result = play.do(CancelCase("withdrawn by the applicant"))
    assert result.completed
    assert not play.open
    assert StepKind.CANCELLED in {step.kind for step in result.steps}
    with pytest.raises(CaseOverError):
        play.do(CancelCase("again"))


def test_done_items_are_gone() -> None:
    play = Play("start s -> a\nuser a -> b\nuser b").start()
    item = play.item("a").id
    play.done("a")
    for wrong in (item, "nonsense", item[:-8] + "zzzzzzzz", item[:-8] + "ffffffff"):
        with pytest.raises(ItemGoneError):
            play.do(CompleteTask(wrong))
    with pytest.raises(WrongCommandError, match="is a task, not a work"):
        play.do(FailWork(play.item("b").id, "E"))


def test_a_failed_output_mapping_of_a_called_process_keeps_its_data() -> None:
    called = {"Inner": "user a"}
    play = Play("call c process=Inner in.x=x out.total=x*rate -> z\nuser z", called).start(x=2)
    play.done("a", x=4)
    failed = play.item("c", ItemKind.FAILED)
    play.do(SetData({"rate": 10}, failed.id))
    play.do(Retry(failed.id))
    assert play.item("z").data["total"] == 40


def test_an_activity_that_cannot_leave_is_not_interrupted_any_more() -> None:
    play = Play("user a -> b if n > 0\nboundary t on=a timer=PT1H -> c\nuser b\nuser c").start(n=0)
    play.done("a")
    assert play.elements() == ["a"]
    assert play.item("a").kind is ItemKind.FAILED
    play.do(SetData({"n": 1}))
    play.do(Retry(play.item("a").id))
    assert play.elements() == ["b"]


def test_an_event_sub_process_that_cannot_begin_is_held_and_mended() -> None:
    drawing = """
user a
esub h
    start i message=M -> b
    user b
    esub k
        start j "timer=${wait}" -> c
        user c
"""
    play = Play(drawing).start()
    play.done("i")
    assert play.elements() == ["h"]
    play.do(SetData({"wait": "PT1H"}))
    play.do(Retry(play.item("h").id))
    assert play.elements() == ["b", "j"]


def test_an_activity_whose_way_out_is_tried_again_was_completed_once() -> None:
    play = Play(
        """
        start s -> h
        adhoc h enough="ready" -> t
            user a
            boundary ua on=a compensate=undoA
            user undoA undo
        throw t compensate -> z
        user z
        """
    ).start()
    play.done("a")
    assert play.elements(ItemKind.FAILED) == ["a"], "ready is not known yet"
    play.do(SetData({"ready": True}))
    retried = play.do(Retry(play.item("a").id))
    assert [step.element_id for step in retried.steps if step.kind is StepKind.COMPLETED] == ["h"]
    play.done("undoA")
    assert play.elements() == ["z"]


def test_a_handler_is_not_moved_away_from_the_compensation_that_waits_for_it() -> None:
    play = Play(
        "start s -> a\nuser a -> t\nboundary ua on=a compensate=undoA\nuser undoA undo\n"
        "throw t compensate -> z\nuser z"
    ).start()
    play.done("a")
    with pytest.raises(WrongCommandError, match="the rest of the compensation waits"):
        play.do(MoveToken(play.item("undoA").id, "z"))
    play.do(Skip(play.item("undoA").id))
    assert play.elements() == ["z"]

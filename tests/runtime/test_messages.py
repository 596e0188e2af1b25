"""Messages: keys of sends, answers, reminders, correlation."""

import pytest

from engine.definitions.reader import read_model
from engine.identifiers import SeededIds
from engine.runtime import (
    CompleteTask,
    DeliverMessage,
    ItemKind,
    Start,
    StartRefusedError,
    advance,
    compile_program,
)
from tests.conformance.driver import BEGIN
from tests.runtime.play import Play

REMINDED = """
start s -> x
send x dw.recipient=partner dw.message=request -> w
receive w dw.message=reply dw.answers=x -> e
boundary t on=w timer=R2/P14D alongside -> y
send y dw.recipient=partner dw.message=reminder dw.reminds=x
end e
"""


def test_a_wait_names_the_send_it_answers_and_a_reminder_the_send_it_reminds_of() -> None:
    play = Play(REMINDED).start(partner="10042")
    assert play.last is not None
    (send,) = play.last.sends
    assert (send.key, send.values["recipient"], send.message) == ("x##1", "10042", "request")
    assert play.item("w").answers == "x##1"
    for key in ("y##1", "y##2"):
        (reminder,) = play.fire("t").sends
        assert (reminder.key, reminder.reminds) == (key, "x##1")
    assert play.elements() == ["w"]


def test_the_latest_send_of_a_loop_is_answered() -> None:
    loop = """
start s -> m
xor m -> x
send x dw.recipient=partner dw.message=request -> w
receive w dw.message=reply dw.answers=x -> g
xor g -> m if again, e default
end e
"""
    play = Play(loop).start(partner="1")
    play.done("w", again=True)
    assert play.item("w").answers == "x##2"


def test_every_instance_waits_for_its_own_answer() -> None:
    many = """
start s -> p
sub p multi=parallel over=bodies as=body -> z
    start i -> x
    send x dw.recipient=body dw.message=request -> w
    receive w dw.message=reply dw.answers=x -> n
    user n
user z
"""
    play = Play(many).start(bodies=["A", "B", "C"])
    found = {item.instance: item.answers for item in play.open.values()}
    assert found == {"0": "x#0#1", "1": "x#1#2", "2": "x#2#3"}
    assert play.last is not None
    assert [send.values["recipient"] for send in play.last.sends] == ["A", "B", "C"]


def test_multi_instance_tasks_pair_by_index() -> None:
    play = Play(
        "start s -> x\nsend x dw.recipient=b dw.message=m multi=parallel over=bs as=b -> w\n"
        "receive w dw.message=r dw.answers=x multi=parallel over=bs as=b -> z\nuser z"
    ).start(bs=["A", "B"])
    assert {item.instance: item.answers for item in play.open.values()} == {"0": "x#0#1", "1": "x#1#2"}


def test_replay_gives_the_same_keys_and_item_ids() -> None:
    one, two = Play(REMINDED).start(partner="1"), Play(REMINDED).start(partner="1")
    assert one.last == two.last


CORRELATED = b"""<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="d" targetNamespace="t">
  <message id="ask" name="Ask"/><message id="answer" name="Answer"/>
  <correlationProperty id="file" name="file">
    <correlationPropertyRetrievalExpression messageRef="ask"><messagePath>reference</messagePath>
    </correlationPropertyRetrievalExpression>
    <correlationPropertyRetrievalExpression messageRef="answer"><messagePath>yourReference</messagePath>
    </correlationPropertyRetrievalExpression>
  </correlationProperty>
  <collaboration id="c">
    <correlationKey id="key" name="key"><correlationPropertyRef>file</correlationPropertyRef></correlationKey>
    <participant id="pool" processRef="p"/>
  </collaboration>
  <process id="p" isExecutable="true">
    <startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="x"/>
    <sendTask id="x" messageRef="ask"/><sequenceFlow id="f2" sourceRef="x" targetRef="w"/>
    <receiveTask id="w" messageRef="answer"/><sequenceFlow id="f3" sourceRef="w" targetRef="e"/>
    <endEvent id="e"/>
  </process>
</definitions>"""


def test_a_thrown_message_fixes_the_values_that_later_waits_are_bound_to() -> None:
    model = read_model(CORRELATED, "c.bpmn")
    program = compile_program(model, "p")
    result = advance(program, None, Start({"reference": "AZ 7"}), now=BEGIN, ids=SeededIds(1))
    (thrown,) = result.messages
    assert (thrown.name, dict(thrown.correlation)) == ("Ask", {"file": "AZ 7"})
    (wait,) = result.opened
    assert dict(wait.correlation) == {"file": "AZ 7"}
    done = advance(
        program,
        result.state,
        DeliverMessage(wait.id, "Answer", {"yourReference": "AZ 7"}),
        now=BEGIN,
        ids=SeededIds(1),
    )
    assert done.completed


def test_message_payload_of_a_throw_is_what_its_mapping_says() -> None:
    play = Play("start s -> a\nuser a -> t\nthrow t message=M in.amount=total -> e\nend e").start(
        total=5, secret=1
    )
    result = play.do(CompleteTask(play.item("a", ItemKind.TASK).id))
    assert [dict(message.payload) for message in result.messages] == [{"amount": 5}]


EACH = b"""<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="d" targetNamespace="t">
  <message id="ask" name="Ask"/><message id="answer" name="Answer"/>
  <correlationProperty id="file" name="file">
    <correlationPropertyRetrievalExpression messageRef="ask"><messagePath>file</messagePath>
    </correlationPropertyRetrievalExpression>
    <correlationPropertyRetrievalExpression messageRef="answer"><messagePath>file</messagePath>
    </correlationPropertyRetrievalExpression>
  </correlationProperty>
  <collaboration id="c"><participant id="pool" processRef="p"/>
    <correlationKey id="key" name="key"><correlationPropertyRef>file</correlationPropertyRef></correlationKey>
  </collaboration>
  <process id="p" isExecutable="true">
    <startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="m"/>
    %s
    <sequenceFlow id="f2" sourceRef="m" targetRef="w2"/>
    <receiveTask id="w2" messageRef="answer"/><sequenceFlow id="f3" sourceRef="w2" targetRef="e"/>
    <endEvent id="e"/>
  </process>
  <process id="q" isExecutable="true">
    <startEvent id="s1"/><sequenceFlow id="g1" sourceRef="s1" targetRef="x"/>
    <sendTask id="x" messageRef="ask"/><sequenceFlow id="g2" sourceRef="x" targetRef="w"/>
    <receiveTask id="w" messageRef="answer"/><sequenceFlow id="g3" sourceRef="w" targetRef="e1"/>
    <endEvent id="e1"/>
  </process>
</definitions>"""
LOOP = b"""<multiInstanceLoopCharacteristics isSequential="%s"><loopDataInputRef>files</loopDataInputRef>
  <inputDataItem id="file"/></multiInstanceLoopCharacteristics>"""
INSIDE = b"""<startEvent id="s1"/><sequenceFlow id="g1" sourceRef="s1" targetRef="x"/>
    <sendTask id="x" messageRef="ask"/><sequenceFlow id="g2" sourceRef="x" targetRef="w"/>
    <receiveTask id="w" messageRef="answer"/><sequenceFlow id="g3" sourceRef="w" targetRef="e1"/>
    <endEvent id="e1"/>"""


@pytest.mark.parametrize("sequential", [b"false", b"true"])
@pytest.mark.parametrize("called", [False, True])
def test_every_instance_and_called_process_has_a_conversation_of_its_own(
    *, sequential: bytes, called: bool
) -> None:
    loop = LOOP % sequential
    if called:
        model = EACH % (b'<callActivity id="m" calledElement="q">' + loop + b"</callActivity>")
    else:
        before = EACH[: EACH.index(b'  <process id="q"')] + b"</definitions>"
        model = before % (b'<subProcess id="m">' + loop + INSIDE + b"</subProcess>")
    program = compile_program(read_model(model, "c.bpmn"), "p")
    ids, open_, bound = SeededIds(1), {}, []
    result = advance(program, None, Start({"files": ["A", "B"]}), now=BEGIN, ids=ids)
    for _ in range(2):
        open_.update({item.id: item for item in result.opened})
        item = open_.pop(next(iter(open_)))
        assert item.element_id == "w"
        bound.append(dict(item.correlation)["file"])
        command = DeliverMessage(item.id, "Answer", {"file": bound[-1]})
        result = advance(program, result.state, command, now=BEGIN, ids=ids)
    assert bound == ["A", "B"]
    (after,) = result.opened
    assert (after.element_id, dict(after.correlation)) == ("w2", {"file": "A"}), (
        "the first one counts outside"
    )


def test_the_message_that_begins_a_case_fixes_its_conversation() -> None:
    start = b'<startEvent id="s"><messageEventDefinition messageRef="ask"/></startEvent>'
    model = CORRELATED.replace(b'<startEvent id="s"/>', start).replace(
        b'<sendTask id="x" messageRef="ask"/>', b'<userTask id="x"/>'
    )
    program = compile_program(read_model(model, "c.bpmn"), "p")
    first = advance(program, None, Start({"reference": "AZ 9"}, "s"), now=BEGIN, ids=SeededIds(1))
    then = advance(program, first.state, CompleteTask(first.opened[0].id), now=BEGIN, ids=SeededIds(1))
    assert [dict(item.correlation) for item in then.opened] == [{"file": "AZ 9"}]
    with pytest.raises(StartRefusedError, match="reference"):
        advance(program, None, Start({}, "s"), now=BEGIN, ids=SeededIds(1))


def test_what_listens_before_the_conversation_begins_is_bound_when_it_does() -> None:
    listener = b"""<subProcess id="h" triggeredByEvent="true">
      <startEvent id="i" isInterrupting="false"><messageEventDefinition messageRef="answer"/></startEvent>
      <userTask id="u"/><sequenceFlow id="g" sourceRef="i" targetRef="u"/></subProcess>
      <userTask id="before"/><sequenceFlow id="f0" sourceRef="s" targetRef="before"/>
      <sequenceFlow id="f1" sourceRef="before" targetRef="x"/>"""
    model = CORRELATED.replace(b'<sequenceFlow id="f1" sourceRef="s" targetRef="x"/>', listener)
    program = compile_program(read_model(model, "c.bpmn"), "p")
    begun = advance(program, None, Start({"reference": "AZ 7"}), now=BEGIN, ids=SeededIds(1))
    listening, task = begun.opened
    assert (listening.element_id, dict(listening.correlation)) == ("i", {})
    then = advance(program, begun.state, CompleteTask(task.id), now=BEGIN, ids=SeededIds(1))
    (changed,) = then.changed
    assert (changed.id, dict(changed.correlation)) == (listening.id, {"file": "AZ 7"})


ASKED_LATER = """
start s -> f
and f -> a, w
user a -> x
send x dw.recipient=partner dw.message=request -> j
receive w dw.message=reply dw.answers=x -> j
and j -> e
end e
esub h
    start i message=reply dw.answers=x alongside -> u
    user u
"""


def test_a_wait_that_was_open_before_the_send_waits_for_its_answer() -> None:
    play = Play(ASKED_LATER).start(partner="1")
    assert (play.item("w").answers, play.item("i").answers) == (None, None)
    play.done("a")
    assert (play.item("w").answers, play.item("i").answers) == ("x##1", "x##1")


def test_a_send_in_one_instance_binds_no_wait_in_another() -> None:
    inside = "\n".join("    " + line for line in ASKED_LATER.replace("start s", "start k").splitlines())
    play = Play(f"start s -> p\nsub p multi=parallel count=2 -> z{inside}\nuser z").start(partner="1")
    first, second = (item for item in play.open.values() if item.element_id == "a")
    play.do(CompleteTask(second.id))
    bound = {item.instance: item.answers for item in play.open.values() if item.kind is ItemKind.MESSAGE}
    assert bound == {first.instance: None, second.instance: f"x#{second.instance}#1"}

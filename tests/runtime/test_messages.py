"""Messages: keys of sends, answers, reminders, correlation."""

from engine.definitions.reader import read_model
from engine.identifiers import SeededIds
from engine.runtime import CompleteTask, DeliverMessage, ItemKind, Start, advance, compile_program
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

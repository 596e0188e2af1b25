"""Scenarios: of a procedure that timers begin and none begins by hand, and of one that sends unasked."""

from pathlib import Path

import pytest

from benchmarks._bench import AUTHORITY, NOON, installation
from engine.clock import TurnedClock
from engine.definitions.package import build_package
from engine.definitions.package_files import read_folder
from engine.service.cases import list_cases, start_case
from engine.service.scenario_timers import ScheduledStart, TimerStartFailedError
from engine.service.scenarios import run_scenarios
from engine.service.starting import StartRefusedError, TimersOnlyError
from engine.service.trial import open_sides
from engine.service.work import run_until_idle
from engine.store.tables import schedules
from processes.bpmn import shipped
from tests.checking import sandbox

FILES = read_folder(Path(__file__).parent / "packages" / "monatsmeldung")
MODEL, STORY = "monatsmeldung.bpmn", "scenarios/drei-monate.yaml"
HEAD = FILES[STORY].decode().partition("steps:")[0] + "steps:\n"
MONTH = "  - {start: meldestelle, at: Monat vorbei}\n"


def story(steps, *, begins="2026-01-31 09:00", model=FILES[MODEL]):
    text = (HEAD + steps).replace("2026-01-31 09:00", begins)
    (verdict,) = run_scenarios(build_package({**FILES, STORY: text.encode(), MODEL: model}))
    return verdict


def test_each_start_turns_the_clock_to_the_next_cycle_and_looks_at_its_case():
    (verdict,) = run_scenarios(build_package(FILES))
    assert verdict.why is None
    assert verdict.passed


def test_data_that_the_timer_did_not_give_is_told():
    verdict = story(MONTH + '  - {then: meldestelle, data: {scheduledFor: "2026-02-27T09:00:00+01:00"}}\n')
    assert not verdict.passed
    assert "scheduledFor is '2026-02-28T09:00:00+01:00'" in verdict.why.replace('"', "'")


def test_the_first_start_switches_on_and_time_counts_from_there():
    wanted = '  - {then: meldestelle, data: {scheduledFor: "2026-03-10T09:00:00+01:00"}}\n'
    verdict = story("  - turn: P10D\n" + MONTH + wanted)
    assert verdict.passed, verdict.why


def test_a_turn_begins_what_is_due_and_the_next_start_goes_on_behind_it():
    told = (
        MONTH
        + "  - turn: P1M\n"
        + "  - {then: meldestelle, tasks: [Zahlen melden]}\n"
        + '  - {then: meldestelle, data: {scheduledFor: "2026-02-28T09:00:00+01:00"}}\n'
        + MONTH
        + '  - {then: meldestelle, data: {scheduledFor: "2026-04-30T09:00:00+02:00"}}\n'
    )
    verdict = story(told, begins="2026-01-31 09:00", model=FILES[MODEL].replace(b"R3/", b"R/"))
    # One month after 28 February is 28 March: the cycle's 31 March has not come yet.
    assert "2026-03-31T09:00:00+02:00" in verdict.why
    verdict = story(told.replace("P1M", "2026-04-01"), model=FILES[MODEL].replace(b"R3/", b"R/"))
    assert verdict.passed, verdict.why


@pytest.mark.parametrize(
    ("steps", "begins", "line", "says"),
    [
        (
            "  - {start: meldestelle, at: Quartal vorbei}\n",
            "2026-01-31 09:00",
            9,
            "Process_Meldung has no timer start 'Quartal vorbei' "
            "(it has: Monat vorbei (Start_Monat), Jahr vorbei (Start_Jahr))",
        ),
        (
            "  - {start: meldestelle, at: Jahr vorbei}\n",
            "2027-01-31 09:00",
            9,
            "every instant of '2026-12-31T08:00:00' has passed",
        ),
        (MONTH * 4, "2026-01-31 09:00", 12, "'Monat vorbei' has begun its last case (cases so far: 3)"),
        (
            "  - start: meldestelle\n",
            "2026-01-31 09:00",
            9,
            "timers begin its cases at 'Start_Monat', 'Start_Jahr' (say which with at: NAME)",
        ),
    ],
)
def test_what_cannot_begin_says_why_and_in_which_line(steps, begins, line, says):
    verdict = story(steps, begins=begins)
    assert not verdict.passed
    assert verdict.why.startswith(f"{STORY}:{line}: ")
    assert says in verdict.why


def test_two_starts_of_one_name_are_told_apart_by_id():
    same = FILES[MODEL].replace(b'name="Jahr vorbei"', b'name="Monat vorbei"')
    assert "more than one timer start 'Monat vorbei'" in story(MONTH, model=same).why
    assert story(MONTH.replace("Monat vorbei", "Start_Jahr"), model=same).passed


def test_begun_by_hand_it_is_refused_with_the_way_to_let_timers_begin_it():
    with installation(build_package(FILES), sandbox=sandbox()) as (app, actor):
        for process in (None, "Process_Meldung"):
            with pytest.raises(TimersOnlyError, match="'dienstweg schedule on monatsmeldung'"):
                start_case(app, actor, "monatsmeldung", process_id=process)
        with pytest.raises(StartRefusedError, match="no single process") as caught:
            start_case(app, actor, "monatsmeldung", process_id="Process_Other")
        assert not isinstance(caught.value, TimersOnlyError)
        assert list_cases(app, actor) == []


def test_a_start_without_a_timer_beside_it_is_begun_by_hand_as_ever():
    head, timer, rest = FILES[MODEL].partition(b'<timerEventDefinition id="Timer_Jahr">')
    assert timer
    plain = {**FILES, MODEL: head + rest.partition(b"</timerEventDefinition>")[2]}
    with installation(build_package(plain), sandbox=sandbox()) as (app, actor):
        assert start_case(app, actor, "monatsmeldung").status == "open"


def test_a_case_that_cannot_begin_fails_with_what_its_incident_says(tmp_path):
    clock = TurnedClock(NOON)
    sides = open_sides(tmp_path, build_package(FILES), {"meldestelle": AUTHORITY}, "letter+post", clock)
    side = sides["meldestelle"]
    try:
        start = ScheduledStart(side, "monatsmeldung", "Process_Meldung", "Start_Monat")
        with pytest.raises(TimerStartFailedError, match="Process_Other has no timer start 'Start_Monat'"):
            ScheduledStart(side, "monatsmeldung", "Process_Other", "Start_Monat")
        with side.app.write() as tx:  # what a damaged row would do
            tx.execute(schedules.update().values(process_id="astray"))
        clock.set(start.next_due())
        run_until_idle(side.app)
        with pytest.raises(
            TimerStartFailedError, match=r"'Start_Monat' begins no case: no case of .* 'astray'"
        ):
            start.begun_case()
    finally:
        side.app.close()


def play_rejected(steps, *, script=None):
    """Play the shipped story of a rejected request with other steps behind its first two, on paper."""
    folder = next(folder for folder in shipped() if folder.name == "vollstreckungshilfe")
    files = read_folder(folder)
    name, model = "scenarios/abgelehnt.yaml", "vollstreckungshilfe.bpmn"
    begun, _, _ = files[name].decode().partition("  - deliver: vollstreckungsersuchen\n")
    begun = begun.replace("[letter+post, xdomea+folder, document+folder]", "[letter+post]")
    if script is not None:
        files = {**files, model: files[model].replace(b"versuche = []\n", script)}
    package = build_package({**files, name: (begun + steps).encode()})
    (verdict,) = run_scenarios(package, "abgelehnt.yaml")
    return verdict


def test_a_message_that_no_step_names_fails_the_scenario():
    silent = play_rejected("")
    assert not silent.passed
    assert "requesting has sent what no step names: vollstreckungsersuchen" in silent.why
    for named in (
        "  - {then: requesting, sent: vollstreckungsersuchen}\n",
        "  - {deliver: vollstreckungsersuchen, from: requesting}\n",
    ):
        assert play_rejected(named).why is None


ACCEPTED = """  - {deliver: vollstreckungsersuchen, from: requesting}
  - complete: Ersuchen prüfen
    as: enforcing
    with: {pruefung: {annahme: ja}}
"""


@pytest.mark.parametrize("then", ["", "  - {then: enforcing, tasks: []}\n"], ids=["at the end", "at then"])
def test_a_branch_that_an_incident_holds_fails_the_scenario(then):
    verdict = play_rejected(ACCEPTED + then, script=b"versuche = [1 / 0]\n")
    assert not verdict.passed
    assert "enforcing has an open incident that no step names" in verdict.why
    assert "at Vollstreckungsauftrag anlegen: " in verdict.why
    assert "division by zero" in verdict.why


@pytest.mark.parametrize("word", ["Script_Anlegen", "Vollstreckungsauftrag anlegen", "element"])
def test_an_incident_that_is_named_belongs_to_the_story(word):
    named = f"  - {{then: enforcing, tasks: [], incidents: [{word}]}}\n"
    later = "  - {then: enforcing, tasks: []}\n"
    verdict = play_rejected(ACCEPTED + named + later, script=b"versuche = [1 / 0]\n")
    assert verdict.why is None


def test_a_named_incident_must_be_open_and_no_other_beside_it():
    absent = play_rejected(ACCEPTED + "  - {then: enforcing, incidents: [Script_Anlegen]}\n")
    assert "enforcing has no open incident 'Script_Anlegen'" in absent.why
    none = (
        ACCEPTED
        + "  - {then: enforcing, incidents: [Script_Anlegen]}\n  - {then: enforcing, incidents: []}\n"
    )
    assert "that no step names" in play_rejected(none, script=b"versuche = [1 / 0]\n").why


def test_a_role_begins_only_its_own_process():
    verdict = play_rejected("  - {start: enforcing}\n")
    assert verdict.why.startswith("scenarios/abgelehnt.yaml:28: ")
    assert "enforcing begins no case by hand: the process begins with an event only" in verdict.why

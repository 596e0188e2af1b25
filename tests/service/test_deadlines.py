"""Deadlines of cases: § 36 BauGB between two town halls, by container and by letter."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from icalendar import Calendar
from sqlalchemy import delete

from engine.actor import Role
from engine.clock import TurnedClock
from engine.deadlines.errors import (
    ExtensionSourceError,
    NotExtendableError,
    ReasonMissingError,
    UnarmedDeadlineError,
)
from engine.definitions.package import ProcedurePackage, build_package
from engine.definitions.package_files import read_folder
from engine.exchange.codes import make_code
from engine.migration.status import Question
from engine.runtime import FireTimer
from engine.runtime.errors import StaleTimerError
from engine.service import timing
from engine.service.advance import move
from engine.service.arrivals import registering
from engine.service.cases import CaseLine, show_case, start_case
from engine.service.deadlines.feed import calendar_feed
from engine.service.deadlines.listing import (
    DeadlineLine,
    extend_deadline,
    list_deadlines,
    of_tasks,
    show_deadline,
)
from engine.service.exchanges import recording
from engine.service.exchanges.listing import list_exchanges, show_exchange
from engine.service.installation import open_installation
from engine.service.migration import ledger
from engine.service.migration.status import status
from engine.service.tasks import list_tasks
from engine.service.trial import Side, open_sides
from engine.service.troubles import list_incidents
from engine.service.verifying import verify_installation
from engine.store.tables import ledger_deadlines
from tests.checking import sandbox
from tests.service.conftest import HOMBURG, NOON, SAARBRUECKEN, Halls

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
on_both = pytest.mark.parametrize("database", BOTH, indirect=True)
PACKAGE = Path(__file__).parent / "packages" / "einvernehmen"
DATA = {"gemeinde": HOMBURG, "einvernehmensersuchen": {"vorhaben": "Carport, Talstraße 1"}}
ANSWER = {"einvernehmensantwort": {"ergebnis": "erteilt"}}
RULE = b'deadline("baugb-36-2", "", "arrival:Send_Ersuchen")'
LAST_DAY = date(2026, 5, 4)
"""Two months from 2 March 2026; 2 May is a Saturday."""
END = datetime(2026, 5, 4, 22, tzinfo=UTC)
"""24:00 of that day in Berlin."""


def package(**texts: str) -> ProcedurePackage:
    """The procedure, with parts of its model written differently."""
    files = dict(read_folder(PACKAGE))
    model = files["einvernehmen.bpmn"].decode()
    for old, new in texts.items():
        written = _PLACES[old]
        assert written in model
        model = model.replace(written, new)
    return build_package({**files, "einvernehmen.bpmn": model.encode()}, where="einvernehmen")


_PLACES = {
    "timer": RULE.decode(),
    "due": "deadline(&#34;baugb-36-2&#34;, &#34;&#34;, &#34;arrival:Start_Ersuchen&#34;)",
}


@dataclass
class Consent(Halls):
    """The building authority (``sb``) asks the municipality (``hom``)."""

    texts: dict[str, str] = field(default_factory=dict)

    def ask(self) -> CaseLine:
        case = start_case(self.sb.app, self.sb.actor, "einvernehmen", DATA, process_id="Process_Bauaufsicht")
        self.work()
        return case

    def deadline(self, side: Side | None = None) -> DeadlineLine:
        side = side or self.sb
        (found,) = list_deadlines(side.app, side.actor, everything=True)
        return found

    def exchange(self) -> str:
        return list_exchanges(self.sb.app, self.sb.actor)[0].id

    def record(self, kind: str, at: date, reason: str = "Anruf") -> recording.FactLine:
        return recording.record_fact(self.sb.app, self.sb.actor, self.exchange(), kind, at, reason)

    def open_tasks(self, side: Side | None = None) -> list[str]:
        side = side or self.sb
        found = list_tasks(side.app, side.actor, limit=500)
        return [task.name for task in found if task.kind != "confirm-posting"]

    def told(self, side: Side | None = None) -> list[tuple[str, str | None]]:
        """What the case's history says of its deadlines."""
        side = side or self.sb
        case = self.deadline(side).case_id
        path = show_case(side.app, side.actor, case).path
        return [(e["command"]["outcome"], e["command"]["end"]) for e in path if e["kind"] == "deadline"]

    def counted(self) -> dict[str, object]:
        """What the migration's status says of deadlines: each by its step and recipient, and nowhere else."""
        admin = replace(self.sb.actor, roles=frozenset({Role.ADMIN}))
        found = status(self.sb.app, admin, Question(by=("step", "recipient", "month")))
        lines = [line for line in found.lines if line.figures.deadlines]
        keys = [tuple(line.key.values()) for line in lines]
        assert keys == [("einvernehmen", "Send_Ersuchen", HOMBURG, "2026-03")]
        assert lines[0].figures.deadlines == found.total.deadlines
        shares = {name: getattr(found.total, name) for name in ("met", "passed", "deemed", "presumed")}
        return {name: (share.count, share.n) for name, share in shares.items() if share.n} | {
            name: n for name, n in found.total.deadlines.items() if name in ("running", "unarmed") and n
        }

    def incidents(self, kind: str) -> list[str]:
        return [i.message for i in list_incidents(self.sb.app, self.sb.actor) if i.kind == kind]


@pytest.fixture
def texts() -> dict[str, str]:
    """What the model says differently; tests are parametrised over it."""
    return {}


@pytest.fixture
def consent(
    tmp_path: Path, texts: dict[str, str], database: str, request: pytest.FixtureRequest
) -> Iterator[Consent]:
    clock = TurnedClock(NOON)
    roles = {"requesting": SAARBRUECKEN, "enforcing": HOMBURG}
    databases = {}
    if database == "postgresql":
        postgres = request.getfixturevalue("postgres")
        databases = {role: postgres.fresh() for role in roles}
    sides = open_sides(tmp_path, package(**texts), roles, "letter+post", clock, databases, sandbox())
    yield Consent(sides, clock, tmp_path)
    for side in sides.values():
        assert verify_installation(side.app).faults == ()
        side.app.close()


@pytest.fixture
def wired(consent: Consent) -> Consent:
    consent.go_electronic()
    return consent


# --- deemed granted, with proof of arrival only ----------------------------------------------------------


@on_both
def test_a_receipt_arms_the_deadline_and_consent_is_deemed_granted_at_its_end(wired: Consent) -> None:
    wired.ask()
    armed = wired.deadline()
    assert (armed.state, armed.end, armed.due_at) == ("armed", LAST_DAY, END)
    assert (armed.basis, armed.revision, armed.light) == ("arrival", 1, "green")
    (timer,) = timing.list_timers(wired.sb.app, wired.sb.actor)
    assert (timer.due_at, timer.revision) == (END, 1)
    (revision,) = show_deadline(wired.sb.app, wired.sb.actor, armed.id)["revisions"]
    facts = show_exchange(wired.sb.app, wired.sb.actor, wired.exchange())["facts"]
    assert revision["evidence"] == [f["evidence_id"] for f in facts if f["kind"] == "received"]

    wired.clock.set(END - timedelta(seconds=1))
    wired.work()
    assert wired.deadline().state == "armed"
    assert wired.counted() == {"running": 1}
    wired.clock.set(END + timedelta(days=40))  # the machine was off for weeks
    wired.work()
    wired.work()
    assert wired.open_tasks() == ["Fiktion vermerken"]
    assert wired.counted() == {"met": (0, 1), "passed": (1, 1), "deemed": (1, 1)}
    assert (wired.deadline().state, wired.deadline().light) == ("fired", "red")
    assert wired.told() == [("unarmed", None), ("armed", "2026-05-04"), ("fired", "2026-05-04")]
    wired.clock.turn(-timedelta(days=200))  # a clock that steps back repeats nothing
    wired.work()
    wired.clock.turn(timedelta(days=400))
    wired.work()
    assert wired.open_tasks() == ["Fiktion vermerken"]


@on_both
def test_without_proof_of_arrival_nothing_is_ever_deemed_granted(consent: Consent) -> None:
    consent.ask()
    consent.complete(consent.sb, "confirm-posting")
    unarmed = consent.deadline()
    assert (unarmed.state, unarmed.light, unarmed.due_at) == ("unarmed", "grey", None)
    assert unarmed.missing == "Es fehlt: Eingang."
    assert consent.counted() == {"unarmed": 1}
    assert unarmed.watch_until == NOON + timedelta(days=14)
    consent.turn(days=13)
    assert consent.incidents("deadline-unarmed") == []
    consent.turn(days=1000)
    consent.turn(days=1000)
    assert consent.open_tasks() == []
    (told,) = consent.incidents("deadline-unarmed")
    assert "Missing: arrival" in told
    assert [line.id for line in list_deadlines(consent.sb.app, consent.sb.actor, state="unarmed")] == [
        unarmed.id
    ]


def test_a_clerks_fact_arms_even_when_the_end_has_passed_long_ago(consent: Consent) -> None:
    consent.ask()
    consent.turn(days=100)
    fact = consent.record("received", date(2026, 3, 2), "Eingangsstempel auf der Kopie der Gemeinde")
    assert consent.deadline().end == LAST_DAY
    shown = show_exchange(consent.sb.app, consent.sb.actor, consent.exchange())
    (note,) = [kept for kept in shown["evidence"] if kept["id"] == fact.evidence_id]
    assert note["kind"] == "note"
    assert [line.id for line in shown["deadlines"]] == [consent.deadline().id]
    consent.work()
    assert consent.open_tasks() == ["Fiktion vermerken"]


@on_both
def test_an_answer_in_time_meets_the_deadline_and_nothing_fires(wired: Consent) -> None:
    wired.ask()
    wired.complete(wired.hom, "Über Einvernehmen entscheiden", ANSWER)
    wired.work()
    assert wired.open_tasks() == ["Antwort auswerten"]
    assert (wired.deadline().state, wired.deadline().light) == ("met", "done")
    counted = {"met": (1, 1), "passed": (0, 1), "deemed": (0, 1)}
    assert wired.counted() == counted
    with wired.sb.app.write() as tx:
        tx.execute(delete(ledger_deadlines))
    assert "is missing" in verify_installation(wired.sb.app).faults[0]
    assert ledger.fill(wired.sb.app) == 1
    assert wired.counted() == counted
    wired.turn(days=100)
    assert wired.open_tasks() == ["Antwort auswerten"]
    assert wired.told()[-1] == ("met", "2026-05-04")


def test_an_answer_before_any_proof_meets_an_unarmed_deadline(consent: Consent) -> None:
    consent.ask()
    code = make_code(consent.sb.app.settings.code, consent.exchange(), consent.sb.app.secret).text
    paper = registering.PaperArrival("einvernehmensantwort", HOMBURG, {"ergebnis": "versagt"}, codes=(code,))
    assert registering.register(consent.sb.app, consent.sb.actor, paper).status == "matched"
    assert consent.open_tasks() == ["Antwort auswerten"]
    assert (consent.deadline().state, consent.deadline().due_at) == ("met", None)


# --- revisions -------------------------------------------------------------------------------------------


@on_both
def test_evidence_that_turns_out_wrong_moves_or_disarms_the_timer(consent: Consent) -> None:
    consent.ask()
    consent.turn(days=10)
    first = consent.record("received", date(2026, 3, 4))
    assert consent.deadline().end == date(2026, 5, 4)
    (timer,) = timing.list_timers(consent.sb.app, consent.sb.actor)
    stale = FireTimer(timer.id, timer.revision)

    recording.withdraw_fact(consent.sb.app, consent.sb.actor, first.id, "Verwechslung")
    assert (consent.deadline().state, consent.deadline().revision) == ("unarmed", 2)
    consent.record("received", date(2026, 3, 10))
    assert (consent.deadline().state, consent.deadline().end) == ("armed", date(2026, 5, 11))
    (timer,) = timing.list_timers(consent.sb.app, consent.sb.actor)
    assert (timer.revision, consent.deadline().revision) == (3, 3)

    consent.clock.set(datetime(2026, 5, 20, tzinfo=UTC))
    with pytest.raises(StaleTimerError), consent.sb.app.write() as tx:
        move(consent.sb.app, tx, consent.deadline().case_id, stale, "system")
    assert consent.open_tasks() == []
    consent.work()
    assert consent.open_tasks() == ["Fiktion vermerken"]
    shown = show_deadline(consent.sb.app, consent.sb.actor, consent.deadline().id)["revisions"]
    assert [(r["outcome"], r["before"] is None, r["after"] is None) for r in shown] == [
        ("armed", True, False),
        ("disarmed", False, True),
        ("armed", True, False),
    ]
    assert all(r["reason"] and r["by"] == "clerk" for r in shown)


@pytest.mark.parametrize(
    "texts", [{"timer": 'deadline("vwvfg-41-2", "P1M", "notification-fiction:Send_Ersuchen")'}]
)
def test_a_letter_that_came_back_takes_the_notification_away(consent: Consent) -> None:
    consent.ask()
    consent.complete(consent.sb, "confirm-posting")
    # Notified on Friday 6 March, the fourth day; a month later is Easter Monday, so the end moves.
    assert (consent.deadline().state, consent.deadline().end) == ("armed", date(2026, 4, 7))
    assert consent.counted() == {"presumed": (1, 1), "running": 1}
    consent.turn(days=8)
    late = consent.record("received", date(2026, 3, 9), "Eingangsstempel")
    assert consent.counted() == {"presumed": (0, 1), "running": 1}
    recording.withdraw_fact(consent.sb.app, consent.sb.actor, late.id, "von einer anderen Sendung")
    assert consent.counted() == {"presumed": (1, 1), "running": 1}
    consent.record("returned", date(2026, 3, 6), "Umschlag mit Vermerk unzustellbar")
    assert consent.deadline().state == "unarmed"
    assert "kam zurück" in (consent.deadline().missing or "")
    assert consent.counted() == {"unarmed": 1}
    consent.turn(days=300)
    assert consent.open_tasks() == []


@on_both
def test_late_evidence_after_firing_opens_an_incident_and_undoes_nothing(wired: Consent) -> None:
    wired.ask()
    wired.turn(days=70)
    assert wired.open_tasks() == ["Fiktion vermerken"]
    (receipt,) = [
        f
        for f in show_exchange(wired.sb.app, wired.sb.actor, wired.exchange())["facts"]
        if f["kind"] == "received"
    ]
    recording.withdraw_fact(wired.sb.app, wired.sb.actor, receipt["id"], "Quittung eines anderen Vorgangs")
    wired.record("received", date(2026, 4, 20), "richtige Quittung")
    assert (wired.deadline().state, wired.deadline().end) == ("fired", LAST_DAY)
    assert wired.open_tasks() == ["Fiktion vermerken"]
    # The clock stands still: both were opened at one instant, so their order says nothing.
    told = sorted(wired.incidents("late-revision"), key=lambda text: "would have ended" in text)
    assert len(told) == 2
    assert "there would have been no end" in told[0]
    assert "would have ended on 2026-06-22" in told[1]
    assert [outcome for outcome, _ in wired.told()][-2:] == ["late-revision", "late-revision"]


# --- extension -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("texts", [{"timer": 'deadline("baugb-4-2", "", "arrival:Send_Ersuchen")'}])
@on_both
def test_a_clerk_extends_where_the_rule_lets_them(wired: Consent) -> None:
    wired.ask()
    before = wired.deadline()
    assert before.end == date(2026, 4, 2)
    sb = wired.sb
    with pytest.raises(ExtensionSourceError):
        extend_deadline(sb.app, sb.actor, before.id, source="addressee", reason="Bitte", period="P2W")
    with pytest.raises(ReasonMissingError):
        extend_deadline(sb.app, sb.actor, before.id, source="requesting-authority", reason=" ", period="P2W")
    after = extend_deadline(
        sb.app, sb.actor, before.id, source="requesting-authority", reason="Ferien", period="P2W"
    )
    assert (after.end, after.revision) == (date(2026, 4, 16), 2)
    (timer,) = timing.list_timers(sb.app, sb.actor)
    assert (timer.due_at, timer.revision) == (datetime(2026, 4, 16, 22, tzinfo=UTC), 2)
    wired.clock.set(datetime(2026, 4, 10, tzinfo=UTC))
    wired.work()
    assert "Fiktion vermerken" not in wired.open_tasks()
    wired.clock.set(datetime(2026, 4, 16, 22, tzinfo=UTC))
    wired.work()
    assert "Fiktion vermerken" in wired.open_tasks()
    assert ("extended", "2026-04-16") in wired.told()


def test_consent_cannot_be_extended_nor_can_what_has_no_end(consent: Consent) -> None:
    consent.ask()
    sb = consent.sb
    with pytest.raises(NotExtendableError):
        extend_deadline(
            sb.app, sb.actor, consent.deadline().id, source="addressee", reason="Ferien", period="P2W"
        )


@pytest.mark.parametrize("texts", [{"timer": 'deadline("vwvfg-31", "P2W", "arrival:Send_Ersuchen")'}])
def test_a_rule_without_a_start_of_its_own_runs_from_the_fact(consent: Consent) -> None:
    consent.ask()
    sb = consent.sb
    with pytest.raises(UnarmedDeadlineError):
        extend_deadline(
            sb.app, sb.actor, consent.deadline().id, source="setting-authority", reason="x", period="P2W"
        )
    consent.turn(days=3)
    consent.record("received", date(2026, 3, 3))
    assert consent.deadline().end == date(2026, 3, 17)
    (revision,) = show_deadline(sb.app, sb.actor, consent.deadline().id)["revisions"]
    assert len(revision["evidence"]) == 1


# --- tasks, reminders, calendars -------------------------------------------------------------------------


@on_both
def test_the_one_who_is_asked_sees_when_the_answer_is_due(wired: Consent) -> None:
    wired.ask()
    hom = wired.hom
    (task,) = list_tasks(hom.app, hom.actor)
    assert task.due_at == END
    line = of_tasks(hom.app, hom.actor, [task.id])[task.id]
    assert (line.rule, line.basis, line.state) == ("baugb-36-2", "arrival", "armed")
    assert line.arrival_id is not None
    wired.clock.set(datetime(2026, 4, 27, 7, tzinfo=UTC))  # 09:00, a week before the end
    wired.work()
    assert set(wired.open_tasks(hom)) == {
        "Über Einvernehmen entscheiden",
        "Frist endet am 04.05.2026: Einvernehmen der Gemeinde",
    }
    wired.clock.set(datetime(2026, 4, 29, 7, tzinfo=UTC))
    assert wired.deadline(hom).light == "yellow"  # 30 April and 4 May are left; 1 May is a holiday
    wired.complete(hom, "Über Einvernehmen entscheiden", ANSWER)
    assert wired.open_tasks(hom) == []
    assert wired.deadline(hom).state == "met"


def test_a_task_done_late_stays_missed(wired: Consent) -> None:
    wired.ask()
    wired.turn(days=80)
    assert wired.deadline(wired.hom).light == "red"
    wired.complete(wired.hom, "Über Einvernehmen entscheiden", ANSWER)
    assert wired.deadline(wired.hom).state == "fired"
    assert wired.told(wired.hom)[-1] == ("missed", "2026-05-04")


def test_a_reminder_is_put_away_by_hand_and_a_stale_one_never_comes(wired: Consent) -> None:
    wired.ask()
    wired.clock.set(datetime(2026, 4, 20, 7, tzinfo=UTC))
    wired.work()
    reminder = "Frist endet am 04.05.2026: Einvernehmen der Gemeinde"
    assert wired.open_tasks() == [reminder]
    wired.complete(wired.sb, reminder)
    assert wired.open_tasks() == []
    assert wired.open_tasks(wired.hom) == ["Über Einvernehmen entscheiden"]  # its own comes a week before


@pytest.mark.parametrize(
    ("texts", "due"),
    [
        ({"due": "P14D"}, datetime(2026, 3, 16, 11, tzinfo=UTC)),
        ({"due": "2026-04-01"}, datetime(2026, 4, 1, 22, tzinfo=UTC)),
        ({"due": "workdays(3)"}, datetime(2026, 3, 5, 23, tzinfo=UTC)),
        ({"due": "deadline(&#34;vwvfg-31&#34;, &#34;P2W&#34;)"}, datetime(2026, 3, 16, 23, tzinfo=UTC)),
    ],
)
def test_other_ways_to_say_when_a_task_is_due(wired: Consent, due: datetime) -> None:
    wired.ask()
    (task,) = list_tasks(wired.hom.app, wired.hom.actor)
    assert task.due_at == due


@pytest.mark.parametrize("texts", [{"due": "einvernehmensersuchen.vorhaben"}])
def test_a_due_date_that_is_none_stops_no_case_and_is_told(wired: Consent) -> None:
    wired.ask()
    (task,) = list_tasks(wired.hom.app, wired.hom.actor)
    assert task.due_at is None
    (incident,) = list_incidents(wired.hom.app, wired.hom.actor)
    assert incident.kind == "due-date"
    assert "Carport" in incident.message


def test_calendars_of_an_authority_and_of_a_clerk(wired: Consent) -> None:
    wired.ask()
    sb = wired.sb
    events = Calendar.from_ical(calendar_feed(sb.app, sb.actor)).walk("VEVENT")
    (event,) = events
    assert event["dtstart"].dt == LAST_DAY
    assert "Einvernehmen der Gemeinde" in event["summary"]
    assert "Carport" not in event.to_ical().decode()
    assert len(Calendar.from_ical(calendar_feed(sb.app, sb.actor, person="clerk")).walk("VEVENT")) == 1
    wired.complete(wired.hom, "Über Einvernehmen entscheiden", ANSWER)
    wired.work()
    (event,) = Calendar.from_ical(calendar_feed(sb.app, sb.actor)).walk("VEVENT")
    assert event["status"] == "CANCELLED"
    wired.turn(days=40)
    assert Calendar.from_ical(calendar_feed(sb.app, sb.actor)).walk("VEVENT") == []


# --- facts -----------------------------------------------------------------------------------------------


def test_facts_need_a_kind_a_day_that_was_and_a_reason(consent: Consent, tmp_path: Path) -> None:
    consent.ask()
    with pytest.raises(recording.FactRefusedError, match="no kind of fact"):
        consent.record("arrived", date(2026, 3, 2))
    with pytest.raises(recording.FactRefusedError, match="has not come"):
        consent.record("received", date(2026, 3, 3))
    with pytest.raises(recording.FactRefusedError, match="reason"):
        consent.record("received", date(2026, 3, 2), "  ")
    with pytest.raises(recording.FactRefusedError, match="year right"):
        consent.record("received", date(2025, 3, 2))  # would have let the consent be deemed granted at once
    scan = tmp_path / "rueckschein.pdf"
    with pytest.raises(recording.FactRefusedError, match="cannot read"):
        recording.record_fact(
            consent.sb.app, consent.sb.actor, consent.exchange(), "received", date(2026, 3, 2), "R", file=scan
        )
    scan.write_bytes(b"%PDF-1.7 scan")
    line = recording.record_fact(
        consent.sb.app, consent.sb.actor, consent.exchange(), "received", date(2026, 3, 2), "R", file=scan
    )
    with pytest.raises(recording.FactKnownError):
        consent.record("received", date(2026, 3, 2))
    kept = show_exchange(consent.sb.app, consent.sb.actor, consent.exchange())["evidence"]
    assert [k["name"] for k in kept if k["id"] == line.evidence_id] == ["rueckschein.pdf"]
    consent.clock.turn(timedelta(days=3))
    consent.record("posted", date(2026, 3, 4))
    with pytest.raises(recording.FactRefusedError, match="posted or sent"):
        consent.record("acknowledged", date(2026, 3, 3))
    recording.withdraw_fact(consent.sb.app, consent.sb.actor, line.id, "falsch")
    with pytest.raises(recording.FactKnownError, match="withdrawn"):
        recording.withdraw_fact(consent.sb.app, consent.sb.actor, line.id, "falsch")


# --- several schedulers ----------------------------------------------------------------------------------


@on_both
def test_several_schedulers_fire_each_deadline_once(consent: Consent) -> None:
    cases = []
    for _ in range(8):
        cases.append(consent.ask().id)
        consent.record("received", consent.clock.now().date(), "Bote")
        consent.clock.turn(timedelta(days=1))
    consent.clock.set(datetime(2026, 9, 1, tzinfo=UTC))
    apps = [open_installation(consent.sb.app.settings.home, clock=consent.clock) for _ in range(3)]
    try:
        with ThreadPoolExecutor(3) as crew:
            fired = sum(crew.map(timing.fire_due, apps))
    finally:
        for app in apps:
            app.close()
    assert fired == len(cases)
    assert consent.open_tasks() == ["Fiktion vermerken"] * len(cases)
    assert consent.incidents("timer") == []
    for case in cases:
        path = show_case(consent.sb.app, consent.sb.actor, case).path
        assert [e["command"]["outcome"] for e in path if e["kind"] == "deadline"].count("fired") == 1

"""Authorities do not see each other, even inside one installation; nor do units of one authority."""

import inspect
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks._bench import package as monthly_package
from engine.actor import Actor, Role
from engine.clock import TurnedClock
from engine.definitions.package import load_package
from engine.errors import NotFoundError
from engine.service import cases, files, inbox, mailbox_health, procedures, tasks, timing, troubles
from engine.service.arrivals import registering
from engine.service.deadlines import feed
from engine.service.deadlines import listing as deadlines
from engine.service.directory import authorities, mailboxes, people
from engine.service.directory.authorities import import_authorities, seed_authorities
from engine.service.directory.people import add_person
from engine.service.exchanges import listing, recording, signing_files
from engine.service.installation import create_installation, open_installation
from engine.service.migration import (
    bookings,
    consents,
    history,
    probing,
    readiness,
    register,
    reverting,
    shadow_results,
    status,
    steps,
    switching,
    volumes,
)
from engine.service.schedules import managing
from engine.service.work import run_until_idle
from engine.store.tables import metadata, shadow_sends
from tests.checking import sandbox
from tests.service.conftest import HOMBURG, NOON, REQUEST, SAARBRUECKEN

MODULES: tuple[ModuleType, ...] = (
    authorities,
    bookings,
    cases,
    consents,
    deadlines,
    listing,
    feed,
    files,
    history,
    inbox,
    mailbox_health,
    mailboxes,
    people,
    probing,
    procedures,
    readiness,
    recording,
    register,
    registering,
    reverting,
    managing,
    shadow_results,
    status,
    steps,
    switching,
    signing_files,
    tasks,
    timing,
    troubles,
    volumes,
)
CONSENT = Path(__file__).parent / "packages" / "einvernehmen"
SHARED = {
    # The directory and deployed content are shared by design; acting on them needs a role.
    "list_authorities",
    "show_authority",
    "import_authorities",
    "list_mailboxes",
    "add_mailbox",
    "end_mailbox",
    "replace_mailboxes",
    "check_mailboxes",
    "list_versions",
    "show_procedure",
    "deploy",
    # These act for the actor's own authority only and name nothing of another one.
    "start_case",
    "switch",
    "switch_on",
    "preview",
    "consent",
    "register",
    # These are about the senders that the actor may see (tests/migration/test_register.py, test_volumes.py,
    # test_readiness.py).
    "import_volumes",
    "remove_import",
    "readiness",
    "rules_naming",
    "probe",
    "overview",
    "relations",
    "list_steps",
    "set_reason",
    "step_history",
    # These answer about nothing where nothing is the actor's own: they have a test of their own below.
    "of_tasks",
    "of_exchanges",
    "calendar_feed",
}
MONTHLY = """
<startEvent id="start"><outgoing>f</outgoing><timerEventDefinition><timeCycle>R/P1M</timeCycle>
</timerEventDefinition></startEvent><endEvent id="end"><incoming>f</incoming></endEvent>
<sequenceFlow id="f" sourceRef="start" targetRef="end"/>
"""
ROLES = frozenset({Role.ADMIN, Role.CLERK, Role.ANALYST})


def services():
    """Every command and query that takes an actor, by name."""
    found = {}
    for module in MODULES:
        for name, function in inspect.getmembers(module, inspect.isfunction):
            parameters = list(inspect.signature(function).parameters)
            own = function.__module__ == module.__name__ and not name.startswith("_")
            if own and parameters[:2] == ["app", "actor"]:
                found[name] = function
    return found


@pytest.fixture(scope="module")
def shared(tmp_path_factory, package):
    """One installation for two authorities; Saarbrücken has a case with everything, Homburg nothing."""
    home = tmp_path_factory.mktemp("shared") / "home"
    roles = [role.value for role in ROLES]

    def prepare(app):
        seed_authorities(app, [SAARBRUECKEN, HOMBURG])
        add_person(app, person_id="sb", name="S", authority=SAARBRUECKEN, roles=roles, by=None)

    create_installation(home, "TWO", prepare=prepare)
    app = open_installation(home, clock=TurnedClock(NOON))
    actor = app.actor("sb")
    unit = add_person(
        app,
        person_id="kasse",
        name="K",
        authority=SAARBRUECKEN,
        roles=roles,
        unit_names=["Kasse"],
        by=actor,
    ).units[0]
    address = ["Am Forum 5", "66424 Homburg"]
    import_authorities(app, actor, [{"id": HOMBURG, "address": address}])
    procedures.deploy(app, actor, package, sandbox=sandbox())
    clerk = app.actor("kasse")
    case = cases.start_case(app, clerk, "vollstreckungshilfe")
    document = home / "x.txt"
    document.write_text("x")
    files.add_document(app, clerk, case.id, document)
    task = tasks.list_tasks(app, clerk)[0]
    tasks.complete_task(app, clerk, task.id, REQUEST)
    procedures.deploy(app, actor, load_package(CONSENT), sandbox=sandbox())
    consent = {"gemeinde": HOMBURG, "einvernehmensersuchen": {"vorhaben": "Carport"}}
    cases.start_case(app, clerk, "einvernehmen", consent, process_id="Process_Bauaufsicht")
    run_until_idle(app)
    asked = deadlines.list_deadlines(app, clerk)[0].exchange_id
    switching.switch(app, actor, switching.Switch("letter+post", reason="go"))
    procedures.deploy(app, actor, monthly_package("monthly", MONTHLY), sandbox=sandbox())
    managing.switch_on(app, actor, "monthly")
    given = {"person": "S", "until": NOON.date(), "reason": "note"}
    consents.consent(app, actor, "Neunkirchen", **given)
    with app.write() as tx:
        row = dict.fromkeys(("id", "exchange_id", "rule_id", "procedure_key", "element_id"), "x")
        row |= dict.fromkeys(("message_type", "channel", "state", "content", "test_exchange"), "x")
        own = {"authority_id": SAARBRUECKEN, "recipient_id": HOMBURG, "created_at": NOON}
        tx.execute(shadow_sends.insert().values(**row | own | {"id": "shadow-send"}))
    recording.record_fact(app, clerk, asked, "received", NOON.date(), "stamp")
    arrival = registering.register(
        app,
        clerk,
        registering.PaperArrival("erinnerung", HOMBURG, {"hinweis": "Bitte um Nachricht."}),
    )
    yield app, actor, clerk, case, unit, arrival
    app.close()


def keys_of(app, actor, clerk, case, arrival):
    """Return a valid key of Saarbrücken for every kind of thing."""
    with app.read() as tx:
        from sqlalchemy import select

        from engine.store.tables import case_documents, facts, timers

        document = tx.scalar(select(case_documents.c.id))
        timer = tx.scalar(select(timers.c.id))
        fact = tx.scalar(select(facts.c.id))
    return {
        "show_case": case.id,
        "show_task": tasks.list_tasks(app, clerk)[0].id,
        "claim_task": tasks.list_tasks(app, clerk)[0].id,
        "typed_data": tasks.list_tasks(app, clerk)[0].id,
        "complete_task": tasks.list_tasks(app, clerk)[0].id,
        "export_files": tasks.list_tasks(app, clerk)[0].id,
        "show_exchange": listing.list_exchanges(app, clerk)[0].id,
        "explain_exchange": listing.list_exchanges(app, clerk)[0].id,
        "show_arrival": arrival.id,
        "assign": arrival.id,
        "reject": arrival.id,
        "list_documents": case.id,
        "add_document": case.id,
        "open_document": document,
        "show_timer": timer,
        "show_schedule": managing.list_schedules(app, actor)[0].id,
        "switch_off": managing.list_schedules(app, actor)[0].id,
        "show_deadline": deadlines.list_deadlines(app, clerk)[0].id,
        "extend_deadline": deadlines.list_deadlines(app, clerk)[0].id,
        "record_fact": listing.list_exchanges(app, clerk)[0].id,
        "withdraw_fact": fact,
        "withdraw_consent": consents.list_consents(app, actor)[0].id,
        "show_shadow": "shadow-send",
        "revert": switching.list_rules(app, actor)[0]["id"],
        "show_incident": "0" * 12,
        "retry": "0" * 12,
        "resolve": "0" * 12,
    }


EXTRA = {
    "export_files": (Path("nowhere"),),
    "assign": (None, "reason"),
    "reject": ("reason",),
    "typed_data": ({},),
    "retry": ("reason",),
    "resolve": ("reason",),
    "revert": ("reason",),
    "record_fact": ("received", NOON.date(), "reason"),
    "withdraw_fact": ("reason",),
}
NAMED = {"extend_deadline": {"source": "addressee", "reason": "reason", "period": "P1M"}}


@pytest.mark.parametrize("name", sorted(set(services()) - SHARED))
def test_another_authoritys_things_do_not_exist(shared, name, tmp_path):
    app, actor, clerk, case, _, arrival = shared
    stranger = Actor("stranger", HOMBURG, ROLES)
    function = services()[name]
    if name.startswith(("list_", "status")) and name != "list_documents":
        found = function(app, stranger)
        assert not list(found.lines if name == "status" else found), name
        return
    keys = keys_of(app, actor, clerk, case, arrival)
    assert name in keys, f"{name} is new: say here what it must not show"
    extra = EXTRA.get(name, ())
    if name == "add_document":
        file = tmp_path / "x"
        file.write_text("x")
        extra = (file,)
    with pytest.raises(NotFoundError):
        function(app, stranger, keys[name], *extra, **NAMED.get(name, {}))


def test_another_authoritys_deadlines_are_in_nobodys_calendar_or_task_list(shared):
    app, whole, clerk, _, _, _ = shared
    for stranger in (Actor("x", HOMBURG, ROLES), Actor("x", SAARBRUECKEN, ROLES, frozenset({"other"}))):
        assert b"VEVENT" not in feed.calendar_feed(app, stranger)
        every = [task.id for task in tasks.list_tasks(app, whole)]
        assert deadlines.of_tasks(app, stranger, every) == {}
        sent = [exchange.id for exchange in listing.list_exchanges(app, whole)]
        assert deadlines.of_exchanges(app, stranger, sent) == {}
        with pytest.raises(NotFoundError):
            feed.calendar_feed(app, Actor("x", HOMBURG, ROLES), person="sb")
    assert b"VEVENT" in feed.calendar_feed(app, clerk)
    assert b"VEVENT" in feed.calendar_feed(app, whole, person="kasse")


@pytest.mark.parametrize("name", ["list_cases", "list_tasks", "list_exchanges", "list_deadlines"])
def test_units_of_one_authority_are_kept_apart(shared, name):
    app, whole, clerk, _, unit, _ = shared
    function = services()[name]
    other = Actor("jugendamt", SAARBRUECKEN, ROLES, frozenset({"another unit"}))
    assert len(list(function(app, clerk))) == len(list(function(app, whole))) > 0
    assert list(function(app, other)) == []
    assert unit in clerk.units


def test_every_table_names_its_authority():
    exempt = {
        "installation",
        "authorities",
        "procedure_versions",
        "processes",
        "package_files",
        "message_types",
    }
    for table in metadata.sorted_tables:
        if table.name in exempt:
            continue
        assert "authority_id" in table.c, table.name
        assert not table.c.authority_id.nullable, table.name

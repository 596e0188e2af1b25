"""Bad input: a clear error, nothing lost, nothing half done."""

import pytest

from engine.actor import Actor, Role
from engine.definitions.forms import FormRefusedError
from engine.definitions.message_types import MessageDataRefusedError
from engine.definitions.package import PackageRefusedError, build_package
from engine.errors import DienstwegError
from engine.exchange.codes import make_code
from engine.exchange.ports import Mailbox
from engine.service import files, tasks
from engine.service.access import PersonUnknownError, RoleMissingError
from engine.service.arrivals import assigning, registering
from engine.service.cases import list_cases, show_case, start_case
from engine.service.directory.authorities import AuthorityUnknownError
from engine.service.directory.mailboxes import add_mailbox, list_mailboxes, replace_mailboxes
from engine.service.directory.people import add_person
from engine.service.exchanges.listing import list_exchanges, show_exchange
from engine.service.installation import AlreadyInstalledError, create_installation, open_installation
from engine.service.migration.switching import Switch, switch
from engine.service.procedures import MessageTypeChangedError, ModelRefusedError, deploy, list_versions
from engine.service.settings import NotInstalledError, SettingsRefusedError
from engine.service.verifying import verify_installation
from tests.service.conftest import HOMBURG, REFUSAL, REQUEST, SAARBRUECKEN


def letter_code(halls):
    exchange = list_exchanges(halls.sb.app, halls.sb.actor)[0]
    return make_code(halls.sb.app.settings.code, exchange.id, halls.sb.app.secret).text


def register(side, code, sender=HOMBURG, message="vollstreckungsantwort", data=None):
    answer = {"ergebnis": "abgelehnt", "bericht": "Die Schuldnerin ist verzogen.", "anzahl_versuche": 0}
    paper = registering.PaperArrival(message, sender, data or answer, codes=(code,))
    return registering.register(side.app, side.actor, paper)


def refused(error, action, *words):
    with pytest.raises(error) as caught:
        action()
    for word in words:
        assert word in str(caught.value)
    return caught.value


def test_an_unknown_recipient_leaves_the_task_open(halls):
    case = start_case(halls.sb.app, halls.sb.actor, "vollstreckungshilfe")
    task = halls.task(halls.sb, "Ersuchen erfassen")
    refused(
        AuthorityUnknownError,
        lambda: halls.complete(halls.sb, "Ersuchen erfassen", {**REQUEST, "empfaenger": "Entenhausen"}),
        "Entenhausen",
        "authority list",
    )
    assert halls.task(halls.sb, "Ersuchen erfassen").id == task.id
    assert list_exchanges(halls.sb.app, halls.sb.actor) == []
    assert len(show_case(halls.sb.app, halls.sb.actor, case.id).path) == 1


def test_every_faulty_field_is_named_at_once(halls):
    start_case(halls.sb.app, halls.sb.actor, "vollstreckungshilfe")
    wrong = {**REQUEST, "vollstreckungsersuchen": {"forderung": {"hauptforderung": "viel"}}}
    error = refused(FormRefusedError, lambda: halls.complete(halls.sb, "Ersuchen erfassen", wrong))
    keys = {fault.key for fault in error.faults}
    assert "vollstreckungsersuchen.forderung.hauptforderung" in keys
    assert "vollstreckungsersuchen.schuldner.name" in keys


def test_the_second_completion_reads_who_and_when(halls):
    start_case(halls.sb.app, halls.sb.actor, "vollstreckungshilfe")
    task = halls.task(halls.sb, "Ersuchen erfassen")
    halls.complete(halls.sb, "Ersuchen erfassen", REQUEST)
    refused(
        tasks.TaskDoneError,
        lambda: tasks.complete_task(halls.sb.app, halls.sb.actor, task.id, REQUEST),
        "Sachbearbeitung requesting finished this task at 12:00",
    )
    assert len(list_exchanges(halls.sb.app, halls.sb.actor)) == 1


def test_a_claimed_task_is_not_taken_by_one_click(halls):
    start_case(halls.sb.app, halls.sb.actor, "vollstreckungshilfe")
    add_person(
        halls.sb.app,
        person_id="other",
        name="Otto Other",
        authority=SAARBRUECKEN,
        roles=["clerk"],
        by=halls.sb.actor,
    )
    other = halls.sb.app.actor("other")
    task = halls.task(halls.sb, "Ersuchen erfassen")
    tasks.claim_task(halls.sb.app, other, task.id)
    for action in (
        lambda: tasks.claim_task(halls.sb.app, halls.sb.actor, task.id),
        lambda: tasks.complete_task(halls.sb.app, halls.sb.actor, task.id, REQUEST),
    ):
        refused(tasks.TaskClaimedError, action, "Otto Other")
    tasks.claim_task(halls.sb.app, other, task.id, release=True)
    assert tasks.claim_task(halls.sb.app, halls.sb.actor, task.id).claimed_by == "clerk"


@pytest.mark.parametrize("slip", ["0", "garbage", "SB-0000-0000-0000-B0000-00000"])
def test_a_code_that_is_none_is_explained(halls, slip):
    halls.request()
    refused(registering.CodeRefusedError, lambda: register(halls.sb, slip), slip)


def test_a_mistyped_code_is_explained_and_the_right_one_suggested(halls):
    halls.request()
    code = letter_code(halls)
    swapped = code[:3] + code[4] + code[3] + code[5:]
    if swapped != code:
        refused(registering.CodeRefusedError, lambda: register(halls.sb, swapped), code)


def test_a_forged_own_code_is_refused(halls):
    halls.request()
    exchange = list_exchanges(halls.sb.app, halls.sb.actor)[0]
    forged = make_code(halls.sb.app.settings.code, exchange.id, b"another secret").text
    refused(registering.CodeRefusedError, lambda: register(halls.sb, forged), "seal")


def test_a_sender_that_is_not_the_exchanges_recipient_is_refused(halls):
    halls.request()
    code = letter_code(halls)
    refused(
        registering.SenderMismatchError,
        lambda: register(halls.sb, code, sender="10042111"),
        HOMBURG,
        "10042111",
    )


def test_a_foreign_code_on_an_answer_nobody_asked_for_goes_to_the_list(halls):
    foreign = make_code("XY", "b2b8a4a2-0000-4000-8000-000000000000", b"elsewhere").text
    line = register(halls.hom, foreign, sender=SAARBRUECKEN)
    assert line.status == "unmatched"
    assert [a.id for a in registering.list_arrivals(halls.hom.app, halls.hom.actor)] == [line.id]
    assert assigning.reject(halls.hom.app, halls.hom.actor, line.id, "not for us").status == "rejected"
    refused(
        registering.ArrivalSettledError,
        lambda: assigning.reject(halls.hom.app, halls.hom.actor, line.id, "again"),
    )


def test_a_letter_with_missing_data_is_not_registered(halls):
    halls.request()
    code = letter_code(halls)
    refused(MessageDataRefusedError, lambda: register(halls.sb, code, data={"bericht": "x"}), "ergebnis")
    assert registering.list_arrivals(halls.sb.app, halls.sb.actor, everything=True) == []


def test_an_answer_to_an_ended_case_is_late_not_lost(halls):
    case = halls.request()
    code = letter_code(halls)
    assert register(halls.sb, code).status == "matched"
    halls.complete(halls.sb, "Antwort auswerten", {"auswertung": {"weiteres": "stundung"}})
    assert show_case(halls.sb.app, halls.sb.actor, case.id).case.status == "ended"
    assert register(halls.sb, code).status == "duplicate"
    late = register(
        halls.sb, code, data={"ergebnis": "abgelehnt", "bericht": "Doch noch da.", "anzahl_versuche": 1}
    )
    assert late.status == "late"
    assert "ended" in str(late.reason)
    assert "answered already" in str(late.reason)


def test_a_broken_model_does_not_deploy(halls, package):
    name = "vollstreckungshilfe.bpmn"
    for damage in (b"<nonsense", package.files[name].replace(b'sourceRef="Start_Bedarf"', b'sourceRef="no"')):
        broken = build_package({**package.files, name: damage})
        refused(ModelRefusedError, lambda b=broken: deploy(halls.sb.app, halls.sb.actor, b), name)
    assert len(list_versions(halls.sb.app, halls.sb.actor)) == 1


def test_unchanged_content_is_no_new_version(halls, package):
    assert not deploy(halls.sb.app, halls.sb.actor, package).new


def test_a_changed_message_type_needs_a_new_version(halls, package):
    path = "messages/vollstreckungsantwort/letter.jinja"
    changed = build_package({**package.files, path: package.files[path] + b"\nNachsatz\n"})
    refused(
        MessageTypeChangedError,
        lambda: deploy(halls.sb.app, halls.sb.actor, changed),
        "vollstreckungsantwort",
    )
    assert len(list_versions(halls.sb.app, halls.sb.actor)) == 1


def test_a_package_with_faults_names_them(package):
    refused(
        PackageRefusedError,
        lambda: build_package({**package.files, "procedure.yaml": b"key: x\n"}),
        "procedure.yaml",
    )


@pytest.mark.parametrize(
    "wanted",
    [
        Switch("telegram"),
        Switch("xdomea+telegram"),
        Switch("xdomea+folder", recipient=HOMBURG),
        Switch("letter+post", step="Send_Ersuchen"),
        Switch("letter+post", procedure="vollstreckungshilfe", step="No_Such"),
        Switch("letter+post", procedure="nothing"),
        Switch("letter+post", recipient="Entenhausen"),
        Switch("letter+post", stage="pilot", share=0),
    ],
)
def test_a_switch_that_cannot_be_is_refused(halls, wanted):
    with pytest.raises(DienstwegError) as caught:
        switch(halls.sb.app, halls.sb.actor, wanted)
    assert caught.value.hint or len(str(caught.value)) > 20


@pytest.mark.parametrize(
    ("channel", "address"), [("xdomea+telegram", "x"), ("post", "x"), ("xdomea+folder", " ")]
)
def test_a_mailbox_needs_an_installed_channel_and_an_address(halls, channel, address):
    mailbox = Mailbox(HOMBURG, channel, address, halls.clock.now().date())
    with pytest.raises(DienstwegError):
        add_mailbox(halls.sb.app, halls.sb.actor, mailbox)
    assert list_mailboxes(halls.sb.app, halls.sb.actor) == []


def test_a_clerk_without_the_role_cannot_switch(halls):
    clerk = Actor("x", SAARBRUECKEN, frozenset({Role.CLERK}))
    refused(RoleMissingError, lambda: switch(halls.sb.app, clerk, Switch("letter+post")), "admin")


def test_empty_and_missing_files_are_refused(halls, tmp_path):
    case = start_case(halls.sb.app, halls.sb.actor, "vollstreckungshilfe")
    empty = tmp_path / "empty.pdf"
    empty.touch()
    for path in (empty, tmp_path / "no.pdf"):
        refused(
            files.FileRefusedError,
            lambda p=path: files.add_document(halls.sb.app, halls.sb.actor, case.id, p),
            path.name,
        )


def test_people_and_installations_that_are_not_there(halls, tmp_path):
    refused(PersonUnknownError, lambda: halls.sb.app.actor("nobody"), "nobody")
    refused(NotInstalledError, lambda: open_installation(tmp_path / "nowhere"), "init")
    refused(AlreadyInstalledError, lambda: create_installation(halls.sb.app.settings.home, "AB"))
    refused(SettingsRefusedError, lambda: create_installation(tmp_path / "x", "too long"))
    (halls.sb.app.settings.home / "dienstweg.toml").write_text('code = "SB"\ncolour = "red"\n')
    refused(SettingsRefusedError, lambda: open_installation(halls.sb.app.settings.home), "colour")


def test_tampering_shows(halls):
    halls.request()
    halls.work()
    halls.complete(halls.sb, "confirm-posting")
    with halls.sb.app.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE history SET actor = 'somebody else' WHERE sequence = 2")
    faults = verify_installation(halls.sb.app).faults
    assert len(faults) == 1
    assert "history 2 was changed" in faults[0]


def test_posting_cannot_lie_in_the_future_or_before_the_letter(halls):
    halls.request()
    halls.work()
    for day in ("2027-01-01", "2026-02-01", "tomorrow"):
        with pytest.raises(DienstwegError):
            halls.complete(halls.sb, "confirm-posting", {"posted_on": day})
    halls.turn(days=2)
    halls.complete(halls.sb, "confirm-posting", {"posted_on": "2026-03-03"})
    exchange = list_exchanges(halls.sb.app, halls.sb.actor)[0]
    facts = show_exchange(halls.sb.app, halls.sb.actor, exchange.id)["facts"]
    assert [(f["kind"], f["at"].date().isoformat()) for f in facts if f["kind"] == "posted"] == [
        ("posted", "2026-03-03")
    ]


def test_nothing_is_listed_that_is_not_there(halls):
    assert list_cases(halls.hom.app, halls.hom.actor) == []
    for action in (
        lambda: show_case(halls.sb.app, halls.sb.actor, "nothing"),
        lambda: show_exchange(halls.sb.app, halls.sb.actor, "nothing"),
        lambda: tasks.show_task(halls.sb.app, halls.sb.actor, "nothing"),
        lambda: registering.show_arrival(halls.sb.app, halls.sb.actor, "nothing"),
        lambda: files.open_document(halls.sb.app, halls.sb.actor, "nothing"),
    ):
        with pytest.raises(DienstwegError, match="nothing"):
            action()


def test_refusal_needs_its_reason(electronic):
    electronic.request()
    electronic.work()
    with pytest.raises(FormRefusedError):
        electronic.complete(electronic.hom, "Ersuchen prüfen", {"pruefung": {"annahme": "nein"}})
    electronic.complete(electronic.hom, "Ersuchen prüfen", REFUSAL)


def test_mailboxes_are_replaced_all_or_none(halls):
    day = halls.clock.now().date()
    known = Mailbox(HOMBURG, "xdomea+folder", str(halls.folder), day)
    unknown = Mailbox("99999999", "xdomea+folder", str(halls.folder), day)
    before = list_mailboxes(halls.sb.app, halls.sb.actor)

    refused(
        AuthorityUnknownError,
        lambda: replace_mailboxes(halls.sb.app, halls.sb.actor, [known, unknown]),
        "99999999",
    )

    assert list_mailboxes(halls.sb.app, halls.sb.actor) == before
    replace_mailboxes(halls.sb.app, halls.sb.actor, [known])
    assert len(list_mailboxes(halls.sb.app, halls.sb.actor)) == len(before) + 1

"""What happens between a deadline's opening and its end: watching unarmed ones, reminding before the end.

Both are jobs that commit with the deadline, so they come after any downtime, and once. A job of an older
revision does nothing.
"""

from typing import TYPE_CHECKING

from sqlalchemy import Connection, insert, select, update

from engine.deadlines.domain import State, watch_is_due
from engine.deadlines.reminders import reminders
from engine.deadlines.rules_reading import load_rules
from engine.service.deadlines import rows
from engine.service.deadlines.rows import REMINDER, Kept
from engine.service.stories import Entry, note, read_head
from engine.store.tables import cases, incidents, tasks
from engine.work.ports import Job

if TYPE_CHECKING:
    from engine.service.installation import Installation

SYSTEM = "system"
UNARMED = "deadline-unarmed"
"""Kind of incident about a deadline whose start is still not known."""


def watch(app: "Installation", tx: Connection, kept: Kept) -> None:
    """Have somebody look when a deadline is still unarmed at the end of its watch period."""
    until = kept.deadline.watch_until
    app.queue.enqueue(
        tx,
        "deadline-watch",
        {"deadline": kept.deadline.id, "case": kept.case_id},
        authority_id=kept.authority_id,
        key=f"{kept.deadline.id}:{until.isoformat()}",
        due=until,
    )


def handle_watch(app: "Installation", tx: Connection, job: Job) -> None:
    """Open an incident for a deadline that has been unarmed for too long."""
    read_head(tx, job.arguments["case"])
    kept = rows.find(tx, job.arguments["deadline"])
    now = app.clock.now()
    if kept is None or not watch_is_due(kept.deadline, now):
        return
    missing = kept.deadline.missing.en if kept.deadline.missing else "nothing is known of its start"
    text = f"{kept.deadline.rule} has no end since {kept.deadline.opened_at:%Y-%m-%d}: {missing}"
    tx.execute(
        insert(incidents).values(
            id=str(app.ids.new()),
            authority_id=kept.authority_id,
            case_id=kept.case_id,
            kind=UNARMED,
            subject_id=kept.deadline.id,
            element_id=kept.element_id,
            message=text,
            status="open",
            opened_at=now,
        )
    )
    command = {"incident": UNARMED, "subject": kept.deadline.id, "details": {"message": text}}
    note(tx, app.ids, kept.case_id, Entry(now, SYSTEM, "incident", command))


def close_watch(app: "Installation", tx: Connection, kept: Kept) -> None:
    """Close the incident about an end that is known now, or no longer waited for."""
    now = app.clock.now()
    if now < kept.deadline.watch_until:
        return  # nobody has been told yet
    tx.execute(
        update(incidents)
        .where(incidents.c.subject_id == kept.deadline.id, incidents.c.kind == UNARMED)
        .where(incidents.c.status == "open")
        .values(status="closed", closed_at=now, closed_by=SYSTEM, resolution=kept.deadline.state.value)
    )


def remind(app: "Installation", tx: Connection, kept: Kept) -> None:
    """Plan the reminders before the end of an armed deadline; those already past are left out."""
    deadline = kept.deadline
    if not kept.remind_before or deadline.end is None:
        return
    calendar = app.settings.deadlines.calendars.for_authority(kept.authority_id)
    for instant in reminders(deadline.end, kept.remind_before, calendar):
        if instant <= app.clock.now():
            continue
        app.queue.enqueue(
            tx,
            REMINDER,
            {"deadline": deadline.id, "case": kept.case_id, "revision": deadline.revision},
            authority_id=kept.authority_id,
            key=f"{deadline.id}:{deadline.revision}:{instant.isoformat()}",
            due=instant,
        )


def handle_reminder(app: "Installation", tx: Connection, job: Job) -> None:
    """Put a task before the case's clerks: a deadline ends soon."""
    read_head(tx, job.arguments["case"])
    kept = rows.find(tx, job.arguments["deadline"])
    if kept is None or kept.deadline.state is not State.ARMED or kept.deadline.end is None:
        return
    if kept.deadline.revision != job.arguments["revision"]:
        return
    title = load_rules().get(kept.deadline.rule).title.de
    tx.execute(
        insert(tasks).values(
            id=str(app.ids.new()),
            authority_id=kept.authority_id,
            case_id=kept.case_id,
            unit_id=tx.scalar(select(cases.c.unit_id).where(cases.c.id == kept.case_id)),
            kind=REMINDER,
            element_id=kept.element_id,
            instance=kept.instance,
            name=f"Frist endet am {kept.deadline.end:%d.%m.%Y}: {title}",
            subject_id=kept.deadline.id,
            status="open",
            opened_at=app.clock.now(),
            due_at=kept.deadline.due,
        )
    )


def close_reminders(app: "Installation", tx: Connection, kept: Kept) -> None:
    """Take back reminders of an end that has moved or is no longer waited for."""
    if not kept.remind_before:
        return
    tx.execute(
        update(tasks)
        .where(tasks.c.kind == REMINDER, tasks.c.subject_id == kept.deadline.id, tasks.c.status == "open")
        .where(tasks.c.case_id == kept.case_id)
        .values(status="withdrawn", closed_at=app.clock.now(), closed_by=SYSTEM)
    )

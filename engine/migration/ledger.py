"""The ledger: what became of one exchange, in one row without a word of its content. Pure.

``docs/reference/migration.md`` defines every column; this module computes them, and nothing else does.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from engine.exchange.decision import POST

LOCAL_ZONE = ZoneInfo("Europe/Berlin")
"""Months are the sender's calendar months."""
PAPER = "A"
SENT, OPEN, HELD, UNKNOWN, WITHDRAWN = "sent", "open", "held", "unknown", "withdrawn"
RECEIPTS = ("received", "imported", "acknowledged", "retrieved", "known")
"""Facts that prove that the recipient has it. Posting and hand-over prove nothing of the sort."""
UNCOUNTED_ARRIVALS = ("confirmation", "duplicate")
"""Arrivals that carry no message of their own."""
ARRIVAL = "arrival"
"""State of a month's rows that count arrivals instead of exchanges."""
DEADLINE = "deadline"
UNARMED, RUNNING, MET, PASSED, DEEMED, DROPPED = "unarmed", "running", "met", "passed", "deemed", "dropped"
DEADLINES = {f"{DEADLINE}-{one}": one for one in (UNARMED, RUNNING, MET, PASSED, DEEMED, DROPPED)}
"""States of a month's rows that count deadlines, and what became of these."""

DIMENSIONS = ("authority_id", "procedure_key", "element_id", "recipient_id", "month")
SPLITS = ("intended_channel", "channel", "level", "state", "fallback")
SUMS = (
    *("exchanges", "receipts", "answered", "rejected", "copies", "failed"),
    *("postage_cents", "posted", "spared_cents", "spared"),
    *("arrivals", "scanned", "printed"),
    *("deadlines", "notified", "presumed"),
)
DURATIONS = ("transports", "leads")
"""Whole minutes, separated by blanks, in ascending order; None: none."""
_CODE = re.compile(r"\[([a-z0-9-]{1,40})\]$")


def month_of(instant: datetime) -> str:
    """Return the local calendar month of an instant, ``YYYY-MM``."""
    return instant.astimezone(LOCAL_ZONE).strftime("%Y-%m")


def months_between(first: str, last: str) -> list[str]:
    """Return every month from ``first`` to ``last`` (``YYYY-MM``), both included; none from a later one."""
    begin, end = (int(year) * 12 + int(month) - 1 for year, month in (first.split("-"), last.split("-")))
    return [f"{number // 12:04d}-{number % 12 + 1:02d}" for number in range(begin, end + 1)]


def cell_of(*names: str) -> int:
    """Return the number of the cell (source or kind, sender, procedure, step, recipient, month): 64 bits."""
    digest = hashlib.blake2b("\x1f".join(names).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def entry(exchange: Any, sends: Sequence[Any], told: Iterable[Any]) -> dict[str, Any]:
    """Return the ledger's row of an exchange from its row, its dispatches by number, and its facts.

    Test dispatches and what is told of them do not exist here; withdrawn facts must have been left out.
    """
    tests = {send.id for send in sends if send.test}
    real = [send for send in sends if not send.test]
    known = [fact for fact in told if fact.dispatch_id not in tests]
    counted, meant = counts(real, known)
    receipt = min((f for f in known if f.kind in RECEIPTS), key=lambda f: (f.at, f.kind), default=None)
    posted = [fact.at for fact in known if fact.kind == "posted"]
    postage = [send.postage_cents for send in real if send.postage_cents is not None]
    month = month_of(exchange.created_at)
    who = (exchange.authority_id, exchange.procedure_key, exchange.element_id, exchange.recipient_id)
    return {
        "exchange_id": exchange.id,
        "authority_id": exchange.authority_id,
        "procedure_key": exchange.procedure_key,
        "element_id": exchange.element_id,
        "recipient_id": exchange.recipient_id,
        "month": month,
        "cell": cell_of("", *who, month),
        "state": SENT if counted else _unsent(exchange.status, real),
        "intended_channel": meant.intended_channel if meant else None,
        "channel": counted.channel if counted else None,
        "level": counted.level if counted else None,
        "fallback": _fallback(counted, meant) if counted else None,
        "receipt": receipt.kind if receipt else None,
        "created_at": exchange.created_at,
        "handed_over_at": counted.handed_over_at if counted else None,
        "posted_at": min(posted, default=None),
        "received_at": receipt.at if receipt else None,
        "answered_at": exchange.answered_at,
        "rejected": any(fact.kind == "rejected" for fact in known),
        "copies": sum(send.state == "handed_over" and send.copy for send in real),
        "failed": sum(send.state == "failed" for send in real),
        "postage_cents": sum(postage) if postage else None,
    }


def counts(sends: Sequence[Any], told: Sequence[Any]) -> tuple[Any, Any]:
    """Return the dispatch by which an exchange counts and the one that was meant to do it, or None twice.

    It counts by the last that was handed over and is no copy. Where what became of that stays unknown, a copy
    that was handed over is what really went; so is a copy on paper where the recipient refused the electronic
    one or nothing proves that they have it: a mailbox that nobody empties moved nothing off paper.
    """
    gone = [send for send in sends if send.state == "handed_over"]
    originals = [send for send in gone if not send.copy]
    meant = (originals or gone or [None])[-1]
    letters = [send for send in gone if send.copy and send.level == PAPER]
    if meant is None or meant.level == PAPER or not letters or _arrived(meant, letters[0], told):
        return meant, meant
    return letters[-1], meant


def _arrived(send: Any, copy: Any, told: Sequence[Any]) -> bool:
    """Tell whether a dispatch is proved to have arrived, of itself or before its copy went, and was taken."""
    mine = [fact for fact in told if fact.dispatch_id == send.id]
    if any(fact.kind == "rejected" for fact in mine):
        return False
    before = (f for f in told if f.dispatch_id is None and f.at < copy.handed_over_at)
    return any(fact.kind in RECEIPTS for fact in (*mine, *before))


def _unsent(status: str, sends: Sequence[Any]) -> str:
    if status in (HELD, WITHDRAWN):
        return status
    return UNKNOWN if sends and sends[-1].state == "outcome_unknown" else OPEN


def _fallback(send: Any, meant: Any) -> str | None:
    """Return why another channel carried it than the rules intended, as a code; None where it did not."""
    if send is not meant:
        return "copy"
    if send.channel == send.intended_channel:
        return None
    for seen in send.decision.get("considered", ()):
        if seen["channel"] == send.intended_channel:
            if seen["verdict"] == "failed before":
                return "failed"
            found = (_CODE.search(reason) for reason in seen["reasons"])
            return next((match[1] for match in found if match), "other")
    return "other"


FALLBACKS = {
    "failed": "Versand gescheitert",
    "copy": "Eingang nicht belegt, Kopie auf Papier",
    "no-mailbox": "kein offenes Postfach",
    "not-yet": "Postfach noch nicht offen",
    "ended": "Postfach geschlossen",
    "no-address": "keine Postanschrift",
    "form-class": "Form nicht zugelassen",
    "no-adapter": "Kanal nicht installiert",
    "certificate-expired": "Zertifikat abgelaufen",
    "certificate-untrusted": "Zertifikat nicht vertraut",
    "certificate-usage": "Zertifikat für anderes ausgestellt",
    "no-signer": "keine Signatur möglich",
    "no-substitute": "kein Ersatz der Schriftform vereinbart",
    "no-key": "Signaturschlüssel fehlt",
    "no-issuers": "Aussteller der Signatur nicht hinterlegt",
    "not-qualified": "Signatur nicht qualifiziert",
    "format": "Format nicht zugelassen",
    "no-common-version": "keine gemeinsame xdomea-Version",
    "no-folder": "Ordner fehlt",
    "unwritable": "kein Schreibrecht in der Ablage",
    "bad-settings": "Postfach falsch eingestellt",
    "bad-mapping": "Abbildung fehlerhaft",
    "mapping": "Abbildung fehlerhaft",
    "no-such-message": "Nachricht in diesem Standard nicht vorgesehen",
    "too-large": "zu groß",
    "disk-full": "Ablage voll",
    "name-taken": "Name in der Ablage vergeben",
    "no-journal": "Journal nicht schreibbar",
    "other": "anderer Grund",
}
"""Codes of fallbacks in words, German for screens. Never the words of a dispatch: they may name a file."""


def fallback_text(code: str | None) -> str | None:
    """Return a fallback's reason in words; a code of somebody else's adapter speaks for itself."""
    return FALLBACKS.get(code, code) if code else None


def arrival_entry(arrival: Any, procedure: str | None, *, scanned: bool, printed: bool) -> dict[str, Any]:
    """Return the ledger's row of an arrival: whether it changed between paper and file."""
    partner = arrival.sender_id or arrival.claimed_sender_id or ""
    month = month_of(arrival.received_at)
    paper = arrival.channel == POST
    return {
        "arrival_id": arrival.id,
        "authority_id": arrival.authority_id,
        "procedure_key": procedure or "",
        "partner_id": partner,
        "month": month,
        "cell": cell_of(ARRIVAL, arrival.authority_id, procedure or "", "", partner, month),
        "channel": arrival.channel,
        "scanned": paper and scanned,
        "printed": not paper and printed,
    }


def deadline_entry(deadline: Any, *, deemed: bool) -> dict[str, Any]:
    """Return the ledger's row of a deadline, from its row joined with its case and what it hangs on.

    ``deemed`` tells whether its rule grants something at its end. A deadline without a message belongs to
    the month in which it was opened.
    """
    began = deadline.created_at or deadline.received_at or deadline.opened_at
    named = {
        "authority_id": deadline.authority_id,
        "procedure_key": deadline.procedure_key or deadline.case_procedure or "",
        "element_id": deadline.element_id or "",
        "recipient_id": deadline.recipient_id or deadline.sender_id or deadline.claimed_sender_id or "",
        "month": month_of(began),
    }
    presumed = _presumed(deadline)
    return {
        "deadline_id": deadline.id,
        **named,
        "cell": cell_of(DEADLINE, *named.values()),
        "outcome": _became(deadline, deemed=deemed),
        "notified": presumed is not None,
        "presumed": bool(presumed),
    }


def _became(deadline: Any, *, deemed: bool) -> str:
    """Return what became of a deadline; one that was settled after its end was not met, whatever ended it."""
    if deadline.state == "fired":
        return DEEMED if deemed else PASSED
    if deadline.state == "cancelled":
        late = deadline.due_at is not None and deadline.settled_at >= deadline.due_at
        return PASSED if late else DROPPED
    return {"unarmed": UNARMED, "armed": RUNNING, "met": MET}[str(deadline.state)]


def _presumed(deadline: Any) -> bool | None:
    """Tell whether an act counts as notified on the day that the law presumes; None: no act, or not yet."""
    if deadline.basis != "notification-fiction" or deadline.state == "unarmed":
        return None
    told = [each for each in deadline.revisions if each["outcome"] != "late-revision" and each["explanation"]]
    if not told or told[-1]["explanation"]["notification"] is None:
        return None
    explained = told[-1]["explanation"]
    return bool(explained["notification"] == explained["stages"][0]["end"])


Key = tuple[str, ...]
"""A month's row: dimensions and splits, empty where there is none."""


def tally(rows: Iterable[Any]) -> dict[Key, dict[str, Any]]:
    """Add up ledger rows into months' rows."""
    found: dict[Key, dict[str, Any]] = {}
    for row in rows:
        sent = row.state == SENT
        add(
            found,
            (
                *(row.authority_id, row.procedure_key, row.element_id, row.recipient_id, row.month),
                *(row.intended_channel or "", row.channel or "", row.level or "", row.state),
                row.fallback or "",
            ),
            {
                "exchanges": 1,
                "receipts": int(sent and row.received_at is not None),
                "answered": int(row.answered_at is not None),
                "rejected": int(row.rejected),
                "copies": row.copies,
                "failed": row.failed,
                "postage_cents": row.postage_cents or 0,
                "posted": int(row.postage_cents is not None),
                "spared_cents": _spared(row) or 0,
                "spared": int(_spared(row) is not None),
                "transports": _minutes(row.handed_over_at, row.received_at) if sent else [],
                "leads": _minutes(row.created_at, row.answered_at) if sent else [],
            },
        )
    return found


def tally_arrivals(rows: Iterable[Any]) -> dict[Key, dict[str, Any]]:
    """Add up the ledger's arrivals into months' rows; they name no step and no level."""
    found: dict[Key, dict[str, Any]] = {}
    for row in rows:
        who = (row.authority_id, row.procedure_key, "", row.partner_id, row.month)
        measures = {"arrivals": 1, "scanned": int(row.scanned), "printed": int(row.printed)}
        add(found, (*who, "", row.channel, "", ARRIVAL, ""), measures)
    return found


def tally_deadlines(rows: Iterable[Any]) -> dict[Key, dict[str, Any]]:
    """Add up the ledger's deadlines into months' rows; they name no channel."""
    found: dict[Key, dict[str, Any]] = {}
    for row in rows:
        who = (row.authority_id, row.procedure_key, row.element_id, row.recipient_id, row.month)
        measures = {"deadlines": 1, "notified": int(row.notified), "presumed": int(row.presumed)}
        add(found, (*who, "", "", "", f"{DEADLINE}-{row.outcome}", ""), measures)
    return found


def kind_of(state: str) -> str:
    """Return what rows of a state count: exchanges (empty), arrivals or deadlines."""
    return DEADLINE if state in DEADLINES else ARRIVAL if state == ARRIVAL else ""


def add(found: dict[Key, dict[str, Any]], key: Key, measures: Mapping[str, Any]) -> None:
    """Add measures to those of ``key``; durations are lists of minutes here."""
    mine = found.get(key)
    if mine is None:
        mine = found[key] = {**dict.fromkeys(SUMS, 0), **{name: [] for name in DURATIONS}}
    for name, value in measures.items():
        mine[name] += value


def _spared(row: Any) -> int | None:
    """What the letter would have cost that was not needed; of what went on paper nothing was spared."""
    electronic = row.state == SENT and row.level != PAPER
    cents: int | None = row.spared_cents if electronic else None
    return cents


def _minutes(start: datetime | None, end: datetime | None) -> list[int]:
    """A fact may be known by its day only and then lie before the hand-over: nothing took less than 0."""
    if start is None or end is None:
        return []
    return [max(0, int((end - start).total_seconds() // 60))]


def packed(minutes: Sequence[int]) -> str | None:
    """Write minutes as a month's row keeps them."""
    return " ".join(map(str, sorted(minutes))) if minutes else None

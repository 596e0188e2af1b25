"""Messages of form ``written``: a person signs before they go.

The dispatch waits (``awaiting_signature``) with its bytes frozen, and a task *sign* is open. A letter is
printed from exactly these bytes, signed by hand, and the task completed. On an electronic channel the files
are signed as they are: detached signatures come from the clerk's own software, or a signer makes them in the
task; every file must bear one that law and mailbox take, before anything is made for the carrier.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, select, update

from engine.actor import Actor
from engine.deadlines.iso import ZONE, zone_of
from engine.errors import RefusedError
from engine.exchange.ports import Carrier, Envelope, Mailbox, Part, Prepared, split_channel
from engine.exchange.signers import (
    MEDIA_TYPE,
    ROLE,
    SUFFIX,
    Signature,
    SignatureRefusedError,
    Signer,
    SigningRequest,
)
from engine.exchange.written import Ways, ways
from engine.service.exchanges import outcomes
from engine.service.exchanges.parts import add_parts, load_prepared
from engine.service.stories import Entry, note
from engine.store.tables import dispatch_parts, dispatches, exchanges

if TYPE_CHECKING:
    from engine.service.installation import Installation

SIGN = "sign"
AWAITING = "awaiting_signature"
UNSIGNED = "unsigned"
"""Mark of a dispatch that its carrier has not prepared yet."""
RECORD = "Signaturen.txt"


class SigningRefusedError(RefusedError):
    """The signature cannot be confirmed like this."""


class Plan(Enum):
    """What has to happen before a message of written form goes."""

    NOTHING = None
    """The carrier satisfies the form by itself, by a seal."""
    PAPER = "Brief drucken und unterschreiben lassen, dann Aufgabe abschließen"
    FILES = "Dateien elektronisch signieren, dann Aufgabe abschließen"


def plan(app: "Installation", carrier: Carrier, sender: Mailbox | None, recipient: Mailbox) -> Plan:
    """Return what a message of written form needs on this carrier; the channel was found ready."""
    if not carrier.describe().electronic:
        return Plan.PAPER
    return Plan.NOTHING if _ways(app, carrier, sender, recipient).by_itself else Plan.FILES


def unsigned(
    envelope: Envelope, parts: Sequence[Part], carrier: Carrier, sender: Mailbox | None, recipient: Mailbox
) -> Prepared:
    """Freeze the files that are to be signed; the carrier prepares them when they are."""
    roles = carrier.describe().roles
    wanted = tuple(part for part in parts if part.role in roles)
    identifier = envelope.dispatch_id
    return Prepared(identifier, identifier, wanted, sender, recipient, {UNSIGNED: True})


def is_signed(dispatch: Mapping[str, Any]) -> bool:
    """Tell whether a dispatch was signed as files and now waits for its carrier to prepare it."""
    return bool(dispatch["prepared"]["details"].get(UNSIGNED)) and dispatch["state"] == "prepared"


def ask(app: "Installation", tx: Connection, exchange: RowMapping, dispatch_id: str, wanted: Plan) -> None:
    """Open the task of having a dispatch signed."""
    outcomes.add_task(app, tx, exchange, SIGN, wanted.value, dispatch_id)


def complete(
    app: "Installation",
    tx: Connection,
    task: Mapping[str, Any],
    actor: Actor,
    data: Mapping[str, Any],
    files: Sequence[Path] = (),
) -> None:
    """Take the signatures, or note that a letter is signed, and let the dispatch go.

    A letter: ``signed_by`` in ``data``, else who completes the task. Files: ``files`` are signatures made
    elsewhere; without any, the signer that ``data`` names as ``signer`` makes them.
    Raises SigningRefusedError, SignatureRefusedError.
    """
    dispatch = tx.execute(select(dispatches).where(dispatches.c.id == task["subject_id"])).mappings().one()
    if dispatch["state"] != AWAITING:
        raise SigningRefusedError(f"the message waits for no signature: it is {dispatch['state']}")
    exchange = tx.execute(select(exchanges).where(exchanges.c.id == dispatch["exchange_id"])).mappings().one()
    if dispatch["prepared"]["details"].get(UNSIGNED):
        signed = _sign_files(app, tx, exchange, dict(dispatch), actor, data, files)
    else:
        signed = _signed_by_hand(actor, data, files)
    tx.execute(update(dispatches).where(dispatches.c.id == dispatch["id"]).values(state="prepared"))
    command = {"signed": dispatch["id"], "exchange": exchange["id"], **signed}
    note(tx, app.ids, exchange["case_id"], Entry(app.clock.now(), actor.person_id, "signature", command))
    app.queue.enqueue(
        tx,
        "send",
        {"exchange": exchange["id"]},
        authority_id=exchange["authority_id"],
        key=f"send:{exchange['id']}",
    )
    app.probe("signed")


def letter_of(app: "Installation", dispatch_id: str) -> tuple[str, Path]:
    """Return name and place of the letter's frozen bytes: what is printed for the signature."""
    query = select(dispatch_parts.c.name, dispatch_parts.c.sha256).where(
        dispatch_parts.c.dispatch_id == dispatch_id
    )
    with app.read() as tx:
        row = tx.execute(query.order_by(dispatch_parts.c.position).limit(1)).one()
    return row.name, app.documents.local_path(row.sha256)


def _signed_by_hand(actor: Actor, data: Mapping[str, Any], files: Sequence[Path]) -> dict[str, Any]:
    _refuse_unknown(data, "signed_by")
    if files:
        raise SigningRefusedError("a letter on paper is signed by hand", hint="leave out --file")
    signed_by = data.get("signed_by", actor.person_id)
    if not isinstance(signed_by, str) or not signed_by.strip():
        raise SigningRefusedError(f"signed_by is {signed_by!r}", hint="give the name of who signed")
    return {"signed_by": signed_by}


def _sign_files(
    app: "Installation",
    tx: Connection,
    exchange: RowMapping,
    dispatch: Mapping[str, Any],
    actor: Actor,
    data: Mapping[str, Any],
    files: Sequence[Path],
) -> dict[str, Any]:
    """Have the frozen files signed and keep the signatures with them, as parts and as evidence."""
    _refuse_unknown(data, "signer")
    frozen = load_prepared(app, tx, dispatch)
    _, carrier_name = split_channel(dispatch["channel"])
    found = _ways(app, app.adapters.carrier(carrier_name), frozen.sender, frozen.recipient)
    signer = _signer(app, found, data.get("signer"), files)
    with TemporaryDirectory() as folder:
        request = SigningRequest(exchange["authority_id"], frozen.parts, files)
        signatures = signer.sign(request, Path(folder))
        _refuse_unsigned(frozen.parts, signatures, found.accepted)
        parts = _as_parts(signatures, found.accepted)
        add_parts(app, tx, dispatch, parts, first=len(frozen.parts))
        for part in parts:
            content = part.path.read_bytes()
            outcomes.add_evidence(
                app, tx, exchange, dispatch["id"], ROLE, part.name, content, actor.person_id
            )
    told = "".join(f"{line}\n" for line in _lines(signatures)).encode()
    outcomes.add_evidence(app, tx, exchange, dispatch["id"], ROLE, RECORD, told, actor.person_id)
    people = sorted({each.signer for each in signatures if each.substitute in found.accepted})
    return {"signed_by": ", ".join(people), "signer": signer.describe().name}


def _ways(app: "Installation", carrier: Carrier, sender: Mailbox | None, recipient: Mailbox) -> Ways:
    today = app.clock.now().astimezone(zone_of(ZONE)).date()
    return ways(carrier, sender, recipient, today, app.adapters.signers())


def _signer(app: "Installation", found: Ways, wanted: Any, files: Sequence[Path]) -> Signer:
    """Choose the signer: the one that is named, else one that takes files, where files were brought."""
    able = [app.adapters.signer(name) for name in found.signers]
    names = [each.describe().name for each in able]
    if wanted is not None and wanted not in names:
        known = ", ".join(names) or "none"
        reasons = "; ".join(each.message for each in found.blockers)
        raise SigningRefusedError(f"{wanted!r} is no signer for this", hint=f"able are: {known}. {reasons}")
    fitting = [
        each
        for each in able
        if each.describe().takes_files == bool(files) and wanted in (None, each.describe().name)
    ]
    if not fitting:
        raise SigningRefusedError(
            "the files are not signed yet",
            hint="write them out with 'task files TASK', sign them, and complete the task with "
            "--file for each signature (.p7s)",
        )
    if len(fitting) > 1:
        raise SigningRefusedError(
            "there are several signers", hint=f"name one: --set signer={fitting[0].describe().name}"
        )
    if not files and wanted is None:
        # A signature is a person's act: nobody signs by pressing a key too early.
        raise SigningRefusedError(
            "the files are not signed yet",
            hint=f"bring signatures with --file, or let {fitting[0].describe().name} sign: "
            f'--data \'{{"signer": "{fitting[0].describe().name}"}}\'',
        )
    return fitting[0]


def _refuse_unsigned(parts: Sequence[Part], signatures: Sequence[Signature], accepted: Sequence[str]) -> None:
    """Refuse unless every file bears a signature that law and mailbox take."""
    for part in parts:
        over = [each for each in signatures if each.signed == part.name]
        if not over:
            raise SignatureRefusedError(
                "no signature is over this file", where=part.name, hint="bring one for every file"
            )
        if not any(each.substitute in accepted for each in over):
            first = over[0]
            why = first.remark or f"it is a {first.substitute}"
            raise SignatureRefusedError(
                f"the signature of {first.signer} is not what is asked for: {why}",
                where=part.name,
                hint=f"the mailbox takes {', '.join(accepted)}",
            )


def _as_parts(signatures: Iterable[Signature], accepted: Sequence[str]) -> list[Part]:
    """Name each signature after the file it is over, as German authorities do: ``Brief.pdf.p7s``."""
    found: list[Part] = []
    for each in signatures:
        if each.substitute not in accepted:
            continue
        names = {part.name for part in found}
        name, number = f"{each.signed}{SUFFIX}", 1
        while name in names:
            number += 1
            name = f"{each.signed}.{number}{SUFFIX}"
        found.append(Part(name, MEDIA_TYPE, each.path, ROLE))
    return found


def _lines(signatures: Iterable[Signature]) -> list[str]:
    return [
        f"{each.signed}: {each.signer}, {each.at.isoformat() if each.at else 'ohne Zeitangabe'}, "
        f"{each.substitute or f'nicht qualifiziert ({each.remark})'}; "
        f"ausgestellt von {each.issuer}, Seriennummer {each.serial}; auf Sperrung nicht geprüft"
        for each in signatures
    ]


def _refuse_unknown(data: Mapping[str, Any], name: str) -> None:
    unknown = sorted(set(data) - {name})
    if unknown:
        raise SigningRefusedError(f"{unknown[0]!r} is not asked here", hint=f"give {name} or nothing")

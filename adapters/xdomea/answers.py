"""The standard's own confirmations and error answers."""

from collections.abc import Mapping
from datetime import datetime

from adapters.xdomea import carriage, names
from adapters.xdomea.carriage import Carried
from adapters.xdomea.compose import PRODUCT, fit
from adapters.xdomea.errors import DamagedFieldsError
from adapters.xdomea.message import ImportResult, Message, System
from adapters.xdomea.nodes import Code
from adapters.xdomea.parties import authority_of, contact_of
from adapters.xdomea.versions import KINDS, Family, exists, family
from engine.exchange.ports import Party


def receipt(message: Message, own: Party, installation: str, at: datetime) -> Message | None:
    """Build the confirmation of receipt; None where the version has none for this type."""
    kind = message.kind
    if kind is None or kind.receipt is None:
        return None
    return _answer(message, kind.receipt, own, installation, at)


def import_result(
    message: Message,
    own: Party,
    installation: str,
    at: datetime,
    failures: Mapping[str, str],
    reason: str | None,
) -> Message | None:
    """Build the confirmation of import; None where the version has none for this type.

    ``failures`` gives the reason of each object that was not imported, by its id; ``reason`` refuses all.
    """
    kind = message.kind
    if kind is None or kind.import_receipt is None:
        return None
    answer = _answer(message, kind.import_receipt, own, installation, at)
    if answer is None:
        return None
    of = family(message.version)
    if of is Family.V2:
        reasons = [reason] if reason else list(failures.values())
        answer.result = ImportResult(succeeded=not reasons, errors=["; ".join(reasons)] if reasons else [])
    else:
        ids = [item.id for item in message.objects if item.id and names.IS_UUID.fullmatch(item.id)]
        results = [_result(each, reason or failures.get(each)) for each in dict.fromkeys(ids)]
        if not results:
            return None
        if kind.import_receipt == "0402":
            answer.handed_over = results
        else:
            answer.transferred = results
    fit(answer, of)
    return answer


def _result(object_id: str, reason: str | None) -> ImportResult:
    return ImportResult(object_id=object_id, succeeded=reason is None, errors=[reason] if reason else [])


def _asked(message: Message) -> Carried:
    """Return the identity that the message carries; a refusal of damaged fields does without."""
    try:
        ours = carriage.read_message(message.extensions)
    except DamagedFieldsError:
        return Carried()
    return ours[0] if ours else Carried()


def _answer(message: Message, code: str, own: Party, installation: str, at: datetime) -> Message | None:
    of = family(message.version)
    if of is Family.V4 or not exists(code, message.version) or message.sender is None:
        return None
    if not names.IS_UUID.fullmatch(message.process_id or ""):
        return None
    asked = _asked(message)
    carried = Carried(
        answers=asked.exchange,
        sender=own.authority_id,
        recipient=asked.sender or authority_of(message.sender),
        sender_reference=asked.recipient_reference,
        recipient_reference=asked.sender_reference,
        test=asked.test,
    )
    answer = Message(
        version=message.version,
        element=KINDS[code].element,
        process_id=message.process_id,
        type=Code(code),
        created=at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        sender=contact_of(own, of),
        recipient=message.sender,
        system=System(instance=installation, product=PRODUCT),
        extensions=[carriage.message_extension(carried, None, of)],
    )
    fit(answer, of)
    return answer

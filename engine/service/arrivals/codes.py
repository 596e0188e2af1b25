"""Codes printed on paper: which exchange of whom they stand for, seen from one authority.

An installation may hold several authorities. Its codes carry its seal whoever of them wrote the letter, so a
right seal alone does not say that the receiving authority asked: a sister authority's code is the sender's.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import Connection, RowMapping, select

from engine.errors import RefusedError
from engine.exchange.codes import Kind, Standing, exchange_key, parse_code, read_code
from engine.exchange.ports import Reading, Reference
from engine.store.tables import arrivals, exchanges

if TYPE_CHECKING:
    from engine.service.installation import Installation

TAKEN = ("matched", "started", "filed", "confirmation")
"""States of an arrival whose sender was sure and whose content has been dealt with."""


class RegistrationRefusedError(RefusedError):
    """The arrival cannot be registered like this."""


class CodeRefusedError(RefusedError):
    """The printed code cannot be used."""


class SenderMismatchError(RefusedError):
    """The sender is not the one this exchange went to."""


def understand_codes(
    app: "Installation",
    tx: Connection,
    authority_id: str,
    codes: Sequence[str],
    sender_id: str,
    arrival_id: str | None = None,
) -> tuple[list[Reference], str | None]:
    """Return the references that the codes on a letter of ``sender_id`` give, and the letter's own identity.

    An own code names the exchange that is answered. Any other code is the sender's exchange: one that came
    before names the case that goes on, a new one is the letter's own identity; of several new
    ones the last. ``arrival_id`` is the letter's own arrival, which does not count as having come before.

    Raises CodeRefusedError, RegistrationRefusedError, SenderMismatchError.
    """
    references: list[Reference] = []
    identity: str | None = None
    for text in codes:
        reading = read_code(text, app.settings.code, app.secret)
        if reading.code is None or reading.standing is Standing.FORGED:
            hint = f"probably {reading.suggestion} is meant" if reading.suggestion else None
            raise CodeRefusedError(reading.explanation, where=f"code {text!r}", hint=hint)
        code = reading.code.whole()
        if reading.standing is Standing.OWN:
            own = _asked_by_us(tx, authority_id, code.key, text, sender_id)
            if own is not None:
                references.append(Reference("code", own))
                continue
        if _came_before(tx, authority_id, code.key, arrival_id):
            references.append(Reference("exchange", code.text))
            identity = identity or code.text
        else:
            identity = code.text
    return references, identity


def refuse_own_letter(codes: Sequence[str], identity: str | None, where: str) -> None:
    """Refuse a scan that bears our own letter, and nothing of a partner's, as what the partner wrote.

    ``identity``: the partner's own code, as ``understand_codes`` found it. An answer sheet alone is an
    answer. Raises RegistrationRefusedError.
    """
    if identity is None and any(parse_code(code).kind is Kind.LETTER for code in codes):
        raise RegistrationRefusedError(
            "the scan bears our own letter only: it may have come back undelivered",
            where=where,
            hint="a returned letter: 'dienstweg fact record EXCHANGE returned --at DAY --reason …', then "
            "'dienstweg arrival assign' files the scan; an answer written on it: register it with --answer",
        )


def by_sister(tx: Connection, authority_id: str, reading: Reading) -> Reading:
    """Return what was read of a scan, with a sister authority's code understood as the sender's.

    The sender stays a claim until a clerk has vouched for it, as with every letter.
    """
    found = [
        (reference.value, sister)
        for reference in reading.references
        if reference.kind == "code" and reading.sender_exchange is None
        for sister in [_sister_exchange(tx, authority_id, exchange_key(reference.value))]
        if sister is not None and not _is_ours(tx, authority_id, reference.value)
    ]
    if not found:
        return reading
    new = [it for it in found if not _came_before(tx, authority_id, exchange_key(it[0]), None)]
    value, sister = (new or found)[0]
    remark = f"{value}: letter of {sister['authority_id']}, an authority of this installation"
    return replace(
        reading,
        sender_exchange=value,
        sender_id=reading.sender_id or sister["authority_id"],
        remarks=(remark, *reading.remarks),
    )


def _asked_by_us(tx: Connection, authority_id: str, key: str, text: str, sender_id: str) -> str | None:
    """Return the own exchange a code stands for, None for a sister's; refuse any other sender."""
    exchange = _exchange(tx, authority_id, key)
    if exchange is not None:
        if exchange["recipient_id"] != sender_id:
            raise SenderMismatchError(
                f"code {text} was sent to {exchange['recipient_id']}, not to {sender_id}",
                hint="check the sender; register without the code and assign the arrival if it is right",
            )
        return str(exchange["id"])
    sister = _sister_exchange(tx, authority_id, key)
    if sister is None:
        raise RegistrationRefusedError(
            f"code {text} is ours, but belongs to no exchange of this authority",
            hint="check the recipient of the letter; another authority of this installation may be meant",
        )
    if sister["authority_id"] != sender_id:
        raise SenderMismatchError(
            f"code {text} is of {sister['authority_id']}, not of {sender_id}", hint="check the sender"
        )
    return None


def _exchange(tx: Connection, authority_id: str, key: str) -> RowMapping | None:
    query = select(exchanges).where(exchanges.c.authority_id == authority_id, exchanges.c.code_key == key)
    return tx.execute(query).mappings().one_or_none()


def _is_ours(tx: Connection, authority_id: str, code: str) -> bool:
    return _exchange(tx, authority_id, exchange_key(code)) is not None


def _sister_exchange(tx: Connection, authority_id: str, key: str) -> RowMapping | None:
    """Return the exchange that another authority of this installation had with this one."""
    query = select(exchanges).where(
        exchanges.c.code_key == key,
        exchanges.c.recipient_id == authority_id,
        exchanges.c.authority_id != authority_id,
    )
    return tx.execute(query).mappings().one_or_none()


def _came_before(tx: Connection, authority_id: str, key: str, besides: str | None) -> bool:
    earlier = select(arrivals.c.id).where(
        arrivals.c.authority_id == authority_id,
        arrivals.c.sender_key == key,
        arrivals.c.status.in_(TAKEN),
        arrivals.c.id != (besides or ""),
    )
    return tx.execute(earlier.limit(1)).first() is not None

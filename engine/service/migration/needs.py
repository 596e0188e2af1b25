"""What exchanges of each step were like: sizes and media types of the last twelve months."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, case, func, select

from engine.exchange.ports import FormClass
from engine.migration.readiness import Need
from engine.service.migration.steps import SendingStep
from engine.store.tables import exchange_documents, exchanges

LOOK_BACK = timedelta(days=365)
USUAL = 0.95
"""The share of past exchanges that were not larger than what counts as usual."""
RARE = 0.05
"""A media type that fewer past exchanges had does not count as usual."""

StepKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Past:
    """Exchanges of one step, their documents together."""

    seen: int
    usual_bytes: int
    largest_bytes: int
    media_types: tuple[str, ...]


def load_needs(
    tx: Connection, senders: Sequence[str], steps: Sequence[SendingStep], now: datetime
) -> list[Need]:
    """Return what each of ``steps`` asks of a channel."""
    past = _past(tx, senders, now - LOOK_BACK)
    return [_need(each, past.get((each.step.procedure, each.step.element))) for each in steps]


def _need(each: SendingStep, past: Past | None) -> Need:
    message_type, form = each.message_type, FormClass(each.step.form)
    if past is not None:
        return Need(message_type, form, past.usual_bytes, past.largest_bytes, past.media_types, past.seen)
    wanted = [document for document in message_type.documents if document.get("required")]
    types = {document["media_types"][0] for document in wanted if document.get("media_types")}
    return Need(message_type, form, media_types=tuple(sorted(types)))


def _past(tx: Connection, senders: Sequence[str], since: datetime) -> Mapping[StepKey, Past]:
    step = (exchanges.c.procedure_key, exchanges.c.element_id)
    mine = (exchanges.c.authority_id.in_(senders), exchanges.c.created_at >= since)
    sums = (
        select(*step, func.coalesce(func.sum(exchange_documents.c.size), 0).label("size"))
        .join(exchange_documents, exchange_documents.c.exchange_id == exchanges.c.id, isouter=True)
        .where(*mine)
        .group_by(exchanges.c.id, *step)
        .subquery()
    )
    order = (sums.c.procedure_key, sums.c.element_id)
    rank = func.cume_dist().over(partition_by=order, order_by=sums.c.size).label("rank")
    ranked = select(*order, sums.c.size, rank).subquery()
    usual = func.min(case((ranked.c.rank >= USUAL, ranked.c.size)))
    sizes = select(
        ranked.c.procedure_key, ranked.c.element_id, func.count(), usual, func.max(ranked.c.size)
    ).group_by(ranked.c.procedure_key, ranked.c.element_id)
    types: dict[StepKey, list[tuple[str, int]]] = {}
    kinds = (
        select(*step, exchange_documents.c.media_type, func.count(exchanges.c.id.distinct()))
        .join(exchange_documents, exchange_documents.c.exchange_id == exchanges.c.id)
        .where(*mine)
        .group_by(*step, exchange_documents.c.media_type)
    )
    for procedure, element, media_type, count in tx.execute(kinds):
        types.setdefault((procedure, element), []).append((media_type, count))
    found = {}
    for procedure, element, seen, at_most, largest in tx.execute(sizes):
        key = (procedure, element)
        usual_types = sorted(name for name, count in types.get(key, ()) if count >= RARE * seen)
        found[key] = Past(seen, int(at_most), int(largest), tuple(usual_types))
    return found

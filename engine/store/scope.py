"""The one function that keeps authorities, and units inside an authority, apart."""

from typing import Any

from sqlalchemy import ColumnElement, Table, and_, or_

from engine.actor import Actor


def visible_to(actor: Actor, table: Table) -> ColumnElement[bool]:
    """Return the condition under which ``actor`` may see rows of ``table``.

    Rows of another authority do not exist for the actor. Where rows carry a unit and the actor is bound to
    units, only those units' rows and rows of no unit are seen.
    """
    own = table.c.authority_id == actor.authority_id
    if actor.units and "unit_id" in table.c:
        return and_(own, or_(table.c.unit_id.is_(None), table.c.unit_id.in_(sorted(actor.units))))
    return own


def sees(actor: Actor, row: Any) -> bool:
    """Tell of one row that was read what ``visible_to`` says to the database."""
    if row.authority_id != actor.authority_id:
        return False
    unit = getattr(row, "unit_id", None)
    return not actor.units or unit is None or unit in actor.units

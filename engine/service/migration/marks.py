"""Writing a row that is added up by cell, and marking its cell."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Table, bindparam

from engine.store.database import upsert
from engine.store.prepared import Prepared, insert_into
from engine.store.tables import ledger_marks

if TYPE_CHECKING:
    from engine.service.installation import Installation

_MARK = insert_into(ledger_marks)


def written(table: Table, key: str, kept: Sequence[str] = ()) -> dict[str, Prepared]:
    """Return the statement that writes a row or replaces it, ``kept`` columns apart, by database."""
    columns = [column.name for column in table.c if column.name not in kept]
    found = {}
    for dialect in ("sqlite", "postgresql"):
        values = {name: bindparam(name, type_=table.c[name].type) for name in columns}
        statement = upsert(dialect, table).values(values)
        changed = {name: statement.excluded[name] for name in columns if name != key}
        found[dialect] = Prepared(statement.on_conflict_do_update(index_elements=[key], set_=changed))
    return found


def mark(app: "Installation", tx: Connection, row: Mapping[str, Any]) -> None:
    """Note that the cell of a row has to be added up anew; nobody waits for anybody."""
    named = {name: row[name] for name in ("authority_id", "cell", "month")}
    _MARK.run(tx, id=str(app.ids.new()), **named)

"""Channel rules of a sender, as the store keeps them."""

from sqlalchemy import Connection, select

from engine.exchange.decision import Rule
from engine.store.tables import channel_rules


def load_rules(tx: Connection, authority_id: str) -> list[Rule]:
    """Return every channel rule of the sending authority, ended ones included."""
    rows = tx.execute(select(channel_rules).where(channel_rules.c.authority_id == authority_id)).mappings()
    return [
        Rule(
            id=row["id"],
            channel=row["channel"],
            stage=row["stage"],
            share=row["share"],
            valid_from=row["valid_from"],
            created_at=row["created_at"],
            valid_until=row["valid_until"],
            procedure_key=row["procedure_key"],
            element_id=row["element_id"],
            recipient_id=row["recipient_id"],
        )
        for row in rows
    ]

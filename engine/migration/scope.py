"""Which relations are meant: any set of fields of a relation, the rest left open."""

from collections.abc import Callable
from dataclasses import dataclass

from engine.exchange.decision import Relation


@dataclass(frozen=True, slots=True)
class Scope:
    """A set of relations; None in a field means any.

    ``sender``, ``recipient`` and ``district`` are authorities' keys. A relation is in a district when its
    recipient is: a municipality of that district, or the district itself.
    """

    procedure: str | None = None
    step: str | None = None
    sender: str | None = None
    recipient: str | None = None
    district: str | None = None

    def matches(self, relation: Relation, district_of: Callable[[str], str | None]) -> bool:
        """Tell whether ``relation`` is meant; ``district_of`` gives an authority's district."""
        return (
            self.procedure in (None, relation.procedure_key)
            and self.step in (None, relation.element_id)
            and self.sender in (None, relation.sender_id)
            and self.recipient in (None, relation.recipient_id)
            and self.district in (None, district_of(relation.recipient_id))
        )

    @property
    def width(self) -> int:
        """How many fields are left open; 0 is one relation in one district."""
        return [self.procedure, self.step, self.sender, self.recipient, self.district].count(None)

    def describe(self) -> str:
        """Return the scope in words, e.g. ``procedure amtshilfe, to 10041100``, or ``everything``."""
        named = {
            "procedure": self.procedure,
            "step": self.step,
            "from": self.sender,
            "to": self.recipient,
            "district": self.district,
        }
        return ", ".join(f"{word} {value}" for word, value in named.items() if value) or "everything"

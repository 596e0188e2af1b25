"""What the words of imported figures stand for: authorities, procedures and steps, by key or by name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from engine.actor import Actor
from engine.migration.volume_rows import Row, Tally
from engine.service.directory.authorities import load_authorities
from engine.service.migration.scope import senders
from engine.service.migration.steps import load_steps
from engine.store.tables import procedure_versions

if TYPE_CHECKING:
    from engine.service.installation import Installation


class Names:
    """Keys by themselves and by name; a name that several have stands for none."""

    def __init__(self, named: Iterable[tuple[str, Iterable[str]]]) -> None:
        """Take keys, each with its names."""
        self._keys: dict[str, set[str]] = {}
        for key, names in named:
            for name in {key, *names}:
                self._keys.setdefault(_plain(name), set()).add(key)

    def get(self, text: str) -> str | None:
        """Return the key that ``text`` stands for."""
        found = self._keys.get(_plain(text), set())
        return next(iter(found)) if len(found) == 1 else None


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


@dataclass(frozen=True, slots=True)
class Unclear:
    """A word that stands for nothing here."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Words:
    """Turns a row's words into keys."""

    authorities: Names
    procedures: Names
    steps: dict[str, Names]
    """By procedure."""
    senders: frozenset[str]
    default_sender: str

    def understand(self, row: Row, tally: Tally) -> tuple[str, str, str, str] | None:
        """Return sender, procedure, element and recipient, or None after noting the fault."""
        found = self._understood(row.texts)
        if isinstance(found, Unclear):
            text = row.texts[found.field]
            said = f"{found.field} {text[:80]!r} {found.message}" if text else f"{found.field} is missing"
            tally.fault(row.line, found.field, said)
            return None
        return found

    def _understood(self, texts: Mapping[str, str]) -> "tuple[str, str, str, str] | Unclear":
        procedure = self.procedures.get(texts["procedure"])
        if procedure is None:
            return Unclear("procedure", "is no deployed procedure")
        element = self.steps.get(procedure, Names(())).get(texts["step"])
        if element is None:
            return Unclear("step", f"is no step of {procedure} that sends")
        sender = self.authorities.get(texts["sender"]) if texts["sender"] else self.default_sender
        if sender is None or sender not in self.senders:
            return Unclear("sender", "is no authority whose sends you see")
        recipient = self.authorities.get(texts["recipient"])
        if recipient is None:
            return Unclear("recipient", "is not in the directory")
        if recipient == sender:
            return Unclear("recipient", "is the sender itself")
        return sender, procedure, element, recipient


def load_words(app: "Installation", tx: Connection, actor: Actor) -> Words:
    """Return the words of the directory and the deployed models; only the actor's senders may be named."""
    titles = {
        row.procedure_key: row.title
        for row in tx.execute(
            select(procedure_versions.c.procedure_key, procedure_versions.c.title).order_by(
                procedure_versions.c.number
            )
        )
    }
    steps: dict[str, list[tuple[str, list[str]]]] = {}
    for each in load_steps(app, tx):
        steps.setdefault(each.step.procedure, []).append((each.step.element, [each.step.name]))
    authorities = load_authorities(tx).values()
    return Words(
        authorities=Names((each.id, (each.name, each.official_name)) for each in authorities),
        procedures=Names((key, (title,)) for key, title in titles.items()),
        steps={procedure: Names(named) for procedure, named in steps.items()},
        senders=frozenset(senders(tx, actor)),
        default_sender=actor.authority_id,
    )

"""Why a step still is on paper, and which of several reasons counts for one relation."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from engine.exchange.parcels import FormClass


class Why(StrEnum):
    """The groups that postal steps are split into; every postal step is in exactly one."""

    PAPER_BOUND = "paper-bound"
    RELAXABLE = "relaxable"
    NO_CHANNEL = "no-channel"
    TECHNICAL = "technical"
    NO_FORM = "no-form"


TITLES = {
    Why.PAPER_BOUND: "rechtlich an Papier gebunden",
    Why.RELAXABLE: "Form ablösbar",
    Why.NO_CHANNEL: "Empfänger ohne Kanal",
    Why.TECHNICAL: "technisch",
    Why.NO_FORM: "keine Form nötig",
}
"""German, for screens."""
SUBSTITUTES = "VwVfG § 3a Abs. 2 und 3; OZG § 9a: Ersatz der Schriftform"
"""What every written form can be replaced by, unless a statute excludes it."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a step is on paper, who says so and by what source."""

    why: Why
    source: str
    origin: str
    """``form`` (derived from the form class), ``procedure`` (its package) or ``set`` (by a person)."""
    relief: str | None = None
    """What lets the form go."""
    since: date | None = None
    """Since when the relief holds."""
    as_of: date | None = None
    """The day on which the source was read."""
    note: str | None = None
    """Why the person set it."""
    set_by: str | None = None
    set_at: datetime | None = None


def derived(form: FormClass) -> Reason:
    """Return the reason that the form class alone gives.

    Schriftform can be replaced electronically unless a statute excludes that, so ``written`` counts as
    relaxable until somebody who has read the statute says that it is bound to paper. In 2021 an act of the
    Saarland lifted the Schriftform in 992 provisions: many steps need none any more.
    """
    if form is FormClass.WRITTEN:
        return Reason(
            Why.RELAXABLE, SUBSTITUTES, "form", relief="qualified signature or seal, or no form any more"
        )
    return Reason(Why.NO_FORM, f"form class {form.value}", "form")


def for_relation(reason: Reason, *, has_channel: bool) -> Why:
    """Return the one reason that counts for a relation.

    The law's goes before the technique's, that before the recipient's. ``has_channel`` tells whether the
    recipient has opened anything but its letter box.
    """
    if reason.why in (Why.PAPER_BOUND, Why.RELAXABLE, Why.TECHNICAL):
        return reason.why
    return reason.why if has_channel else Why.NO_CHANNEL


@dataclass(frozen=True, slots=True)
class Reasons:
    """The reasons of all steps, as each sender sees them."""

    by_step: Mapping[tuple[str, str], Reason]
    """Procedure and element → what the package or the form class says."""
    set_by_sender: Mapping[tuple[str, str, str], Reason]
    """Sender, procedure and element → what a person of the sender has set."""
    reachable: frozenset[str]
    """Authorities with an open electronic mailbox."""

    def of_step(self, sender: str, procedure: str, element: str) -> Reason:
        """Return the reason of a step; one that nobody knows any more needs no form that we know of."""
        found = self.set_by_sender.get((sender, procedure, element)) or self.by_step.get((procedure, element))
        return found or Reason(Why.NO_FORM, "the step is in no deployed version any more", "form")

    def of(self, procedure: str, element: str, sender: str, recipient: str) -> Why:
        """Return why a relation still is on paper."""
        reason = self.of_step(sender, procedure, element)
        return for_relation(reason, has_channel=recipient in self.reachable)

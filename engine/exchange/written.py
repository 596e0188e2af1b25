"""How a message of written form can go on an electronic channel: law, mailbox and what can be made here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from engine.exchange.parcels import Blocker, Mailbox
from engine.exchange.ports import Carrier
from engine.exchange.signers import ROLE, MakesSubstitutes, Signer
from engine.exchange.substitutes import SubstituteUnknownError, admissible


@dataclass(frozen=True, slots=True)
class Ways:
    """What can satisfy the written form on one channel."""

    accepted: tuple[str, ...]
    """Substitutes that law and mailbox take."""
    by_itself: bool
    """The carrier adds one without a person."""
    signers: tuple[str, ...]
    """Signers that can make one in a sign task."""
    blockers: tuple[Blocker, ...]
    """Why nothing can; empty where something can."""


def ways(
    carrier: Carrier, sender: Mailbox | None, recipient: Mailbox, on: date, signers: Iterable[Signer]
) -> Ways:
    """Return how a message of written form can go to ``recipient`` on an electronic carrier."""
    try:
        accepted = admissible(recipient, on)
    except SubstituteUnknownError as error:
        return _none((), Blocker("bad-settings", "recipient", str(error)))
    if not accepted:
        message = "the mailbox takes no substitute of the written form that law admits"
        return _none((), Blocker("no-substitute", "recipient", message))
    if sender is None:
        return _none(accepted, Blocker("no-mailbox", "sender", f"no own mailbox on {recipient.channel}"))
    own = carrier.substitutes(sender) if isinstance(carrier, MakesSubstitutes) else ()
    if set(own) & set(accepted):
        return Ways(accepted, True, (), ())
    asked = f"the mailbox asks for {', '.join(accepted)} for the written form"
    if ROLE not in carrier.describe().roles:
        name = carrier.describe().name
        return _none(accepted, Blocker("no-signer", "sender", f"{asked}; {name} carries no signatures"))
    offers = [(signer.describe().name, signer.offer(sender.authority_id)) for signer in signers]
    able = tuple(name for name, offer in offers if set(offer.substitutes) & set(accepted))
    if able:
        return Ways(accepted, False, able, ())
    reasons = [f"{name}: {it.message}" for name, offer in offers for it in offer.blockers]
    told = "; ".join(reasons) or "no signer is installed"
    return _none(accepted, Blocker("no-signer", "sender", f"{asked}; {told}"))


def _none(accepted: tuple[str, ...], blocker: Blocker) -> Ways:
    return Ways(accepted, False, (), (blocker,))

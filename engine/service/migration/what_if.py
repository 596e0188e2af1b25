"""Mailboxes that are not there yet: read from a line of text, and judged as far as their terms are said."""

import json
import shlex
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from engine.errors import RefusedError
from engine.exchange.ports import Blocker, FormClass, Mailbox, Requirements, split_channel
from engine.service.directory.authorities import find_authority
from engine.service.directory.terms import check_terms
from engine.service.exchanges.blockers import Boxes, Judge

if TYPE_CHECKING:
    from engine.service.installation import Installation

ADDRESS = "(assumed)"
UNSAID = frozenset(
    {
        *("bad-settings", "no-address", "no-folder", "unwritable", "disk-full"),
        *("certificate-expired", "certificate-untrusted", "certificate-usage"),
    }
)
"""What is found about address and certificates of a mailbox that nobody has opened yet says nothing."""
EXAMPLE = "mailbox 10045114 xdomea+ego_mail form=none,confidential max-bytes=30000000"


class WhatIfRefusedError(RefusedError):
    """This says no mailbox that could be assumed."""


def read_mailbox(app: "Installation", tx: Connection, text: str, on: date) -> Mailbox:
    """Return the mailbox of a line like ``mailbox 10045114 xdomea+ego_mail form=none max-bytes=30000000``.

    Terms that are not named are those of ``mailbox add``; unknown words become settings of the channel.
    Raises WhatIfRefusedError, AuthorityUnknownError, UnknownChannelError, TermRefusedError.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise WhatIfRefusedError(f"{text!r}: {error}", hint=f"write e.g. '{EXAMPLE}'") from error
    if len(words) < 3 or words[0] != "mailbox":
        raise WhatIfRefusedError(f"{text!r} says no mailbox", hint=f"write e.g. '{EXAMPLE}'")
    _, owner, channel, *terms = words
    try:
        split_channel(channel)
    except ValueError as error:
        raise WhatIfRefusedError(str(error), hint="a channel is payload+carrier") from error
    app.adapters.channel(channel)
    authority = find_authority(tx, owner).id
    said = dict(_term(term, text) for term in terms)
    settings = {name: _setting(value) for name, value in said.items() if name not in _TERMS}
    check_terms(settings)
    return Mailbox(
        authority_id=authority,
        channel=channel,
        address=ADDRESS,
        valid_from=on,
        settings=settings,
        **{_TERMS[name][0]: _TERMS[name][1](value) for name, value in said.items() if name in _TERMS},
    )


def _term(term: str, text: str) -> tuple[str, str]:
    name, equals, value = term.partition("=")
    if not (equals and name and value):
        raise WhatIfRefusedError(f"{term!r} is no term", where=text, hint="write NAME=VALUE")
    return name, value


def _forms(value: str) -> tuple[FormClass, ...]:
    try:
        return tuple(FormClass(name) for name in value.split(","))
    except ValueError as error:
        raise WhatIfRefusedError(str(error), hint="form classes: none, confidential, written") from error


def _bytes(value: str) -> int:
    if not value.isascii() or not value.isdigit():
        raise WhatIfRefusedError(f"max-bytes is {value!r}", hint="write a number of bytes")
    return int(value)


_TERMS: Mapping[str, tuple[str, Any]] = {
    "form": ("form_classes", _forms),
    "formats": ("formats", lambda value: tuple(value.split(","))),
    "max-bytes": ("max_bytes", _bytes),
}


def _setting(value: str) -> Any:
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value


class Assuming:
    """Judges as if some mailboxes were open; what is not said of them does not count against them."""

    def __init__(self, judge: Judge, boxes: Boxes, assumed: Sequence[Mailbox]) -> None:
        """Take the place of ``judge`` for relations of the owners of ``assumed``."""
        self._judge = judge.assuming(boxes.assuming(assumed))
        self._assumed = {(each.authority_id, each.channel): each for each in assumed}

    def blockers(
        self, channel: str, sender_id: str, recipient_id: str, requirements: Requirements
    ) -> list[Blocker]:
        """Return what would keep ``channel`` from carrying this."""
        found = self._judge.blockers(channel, sender_id, recipient_id, requirements)
        owners = {"sender": sender_id, "recipient": recipient_id}
        kept = [
            each
            for each in found
            if each.code not in UNSAID or (owners.get(each.side, ""), channel) not in self._assumed
        ]
        recipient = self._assumed.get((recipient_id, channel))
        if recipient is not None and len(kept) < len(found):
            known = {each.code for each in kept}
            kept += [each for each in _terms(recipient, requirements) if each.code not in known]
        return kept


def _terms(recipient: Mailbox, requirements: Requirements) -> list[Blocker]:
    """Hold an exchange against what is said of a mailbox whose carrier could not judge it."""
    found = []
    if recipient.max_bytes is not None and requirements.total_bytes > recipient.max_bytes:
        text = f"{requirements.total_bytes} bytes; the mailbox would take {recipient.max_bytes}"
        found.append(Blocker("too-large", "recipient", text))
    refused = sorted(set(requirements.media_types) - set(recipient.formats)) if recipient.formats else []
    if refused:
        found.append(Blocker("format", "recipient", f"the mailbox would take no {', '.join(refused)}"))
    if requirements.form is FormClass.WRITTEN:
        text = "what it takes instead of a signature on paper is not said"
        found.append(Blocker("no-signer", "recipient", text))
    return found

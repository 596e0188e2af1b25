"""Mailboxes as JSON, kept with a dispatch so that it goes where it was prepared for."""

from datetime import date
from typing import Any

from engine.exchange.ports import FormClass, Mailbox


def mailbox_to_json(mailbox: Mailbox) -> dict[str, Any]:
    """Return ``mailbox`` as JSON data."""
    return {
        "authority_id": mailbox.authority_id,
        "channel": mailbox.channel,
        "address": mailbox.address,
        "valid_from": mailbox.valid_from.isoformat(),
        "valid_until": mailbox.valid_until.isoformat() if mailbox.valid_until else None,
        "formats": list(mailbox.formats),
        "max_bytes": mailbox.max_bytes,
        "form_classes": [form.value for form in mailbox.form_classes],
        "accepts_test": mailbox.accepts_test,
        "settings": dict(mailbox.settings),
    }


def mailbox_from_json(data: dict[str, Any]) -> Mailbox:
    """Return the mailbox that ``mailbox_to_json`` wrote down."""
    until = data["valid_until"]
    return Mailbox(
        authority_id=data["authority_id"],
        channel=data["channel"],
        address=data["address"],
        valid_from=date.fromisoformat(data["valid_from"]),
        valid_until=date.fromisoformat(until) if until else None,
        formats=tuple(data["formats"]),
        max_bytes=data["max_bytes"],
        form_classes=tuple(FormClass(form) for form in data["form_classes"]),
        accepts_test=data["accepts_test"],
        settings=data["settings"],
    )

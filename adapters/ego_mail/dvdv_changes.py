"""What answers of the DVDV change in the own directory: mailboxes, and the certificates of senders."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import MAXYEAR, date, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from adapters.ego_mail.dvdv import Access, Directory, DvdvRefusedError
from adapters.ego_mail.osci.errors import CertificateError
from adapters.ego_mail.osci.keys import fingerprint, load_certificates, subject
from adapters.ego_mail.osci.trust import Use, check_usage
from engine.clock import local_day
from engine.exchange.ports import Mailbox

LIMIT = 30_000_000
"""Of a new mailbox; eGo-MAIL's published terms. The DVDV says nothing of sizes and formats."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one authority's entry would change."""

    authority_id: str
    name: str
    lines: tuple[str, ...]
    """For people; empty: all is known already."""
    mailbox: Mailbox | None = None
    """Takes the place of what is open on its channel."""
    senders: bytes | None = None
    """The new content of the authority's file below ``senders``."""


def changes_of(
    directory: Directory,
    key: str | None,
    channel: str,
    known: Mapping[str, Mailbox],
    senders: Path | None,
    now: datetime,
) -> list[Change]:
    """Compare what was read with the ``known`` mailboxes (by authority, open now) and sender files.

    ``key`` is the authority of services whose organization the files do not describe. Raises
    DvdvRefusedError where a service belongs to nobody, or has no certificate that is good now or later.
    """
    accesses: dict[str, Access] = {}
    for access in directory.accesses:
        owner = directory.key_of(access) or key
        if owner is None:
            raise DvdvRefusedError(
                f"no key is known for {access.organization!r}",
                hint="give the answer about the organization too, or its key with --authority",
            )
        if owner in accesses:
            raise DvdvRefusedError(f"several services of {owner}", hint="give the eGo-MAIL service alone")
        accesses[owner] = access
    found = []
    for owner in sorted({*accesses, *directory.clients}):
        service = accesses.get(owner)
        name = directory.names.get(owner) or (service.organization if service else owner)
        mailbox, lines = _mailbox(owner, service, channel, known.get(owner), now) if service else (None, [])
        signers = [*directory.clients.get(owner, ()), *(service.signature if service else ())]
        content, more = _senders(signers, senders / f"{owner}.pem" if senders else None, now)
        found.append(Change(owner, name, (*lines, *more), mailbox, content))
    return found


def _mailbox(
    owner: str, access: Access, channel: str, known: Mailbox | None, now: datetime
) -> tuple[Mailbox | None, list[str]]:
    """Return the mailbox that takes the place of the known one, and what is new about it."""
    certificate = _best(access.cipher, Use.CIPHER, now, f"the addressee of {access.organization}")
    settings = {"certificate": _pem(certificate)}
    for name, use, choices in (
        ("intermediary_cipher", Use.CIPHER, access.intermediary_cipher),
        ("intermediary_signature", Use.SIGNATURE, access.intermediary_signature),
    ):
        if choices:
            settings[name] = _pem(_best(choices, use, now, f"the intermediary of {access.organization}"))
    today = local_day(now)
    since = max([today, *_days(certificate.not_valid_before_utc, access.valid_from)])
    until = _last_day(access.valid_until)
    if until is not None and until < since:
        raise DvdvRefusedError(f"the service of {access.organization} ended on {until.isoformat()}")
    old = known or Mailbox(owner, channel, "", since, max_bytes=LIMIT)
    address = access.address or old.address
    if not address:
        raise DvdvRefusedError(f"no intermediary is named for {access.organization}")
    new = replace(
        old,
        address=address,
        valid_from=since,
        valid_until=until,
        settings={**old.settings, **settings},
    )
    lines = list(_differences(known, new))
    return (new, [*lines, f"from {since.isoformat()}"]) if lines else (None, [])


def _differences(known: Mailbox | None, new: Mailbox) -> Iterator[str]:
    if known is None:
        yield f"new mailbox on {new.channel} at {new.address}; the DVDV names no formats: check them"
    elif known.address != new.address:
        yield f"address {known.address} becomes {new.address}"
    before = {} if known is None else known.settings
    for name in ("certificate", "intermediary_cipher", "intermediary_signature"):
        text = new.settings.get(name)
        if text is not None and _print(text) != _print(before.get(name)):
            label = (
                "cipher certificate" if name == "certificate" else name.replace("_", "'s ") + " certificate"
            )
            yield f"{label}: {_describe(load_certificates(text.encode())[0])}"
    if known is not None and known.valid_until != new.valid_until:
        yield f"open until {new.valid_until.isoformat() if new.valid_until else 'further notice'}"


def _senders(
    named: Sequence[x509.Certificate], file: Path | None, now: datetime
) -> tuple[bytes | None, list[str]]:
    """Return the new content of a sender's file: what is good of the old, and what is new."""
    if file is None or not named:
        return None, []
    old = load_certificates(file) if file.exists() else []
    known = {fingerprint(each) for each in old}
    fresh = [
        each
        for each in named
        if fingerprint(each) not in known and each.not_valid_after_utc > now and _usable(each, Use.SIGNATURE)
    ]
    if not fresh:
        return None, []
    ended = [each for each in old if each.not_valid_after_utc <= now]
    lines = [f"signature certificate: {_describe(each)}" for each in fresh]
    lines += [f"signature certificate no longer needed: {_describe(each)}" for each in ended]
    kept = [each for each in old if each not in ended]
    return b"".join(each.public_bytes(Encoding.PEM) for each in (*kept, *fresh)), lines


def _best(choices: Sequence[x509.Certificate], use: Use, now: datetime, whose: str) -> x509.Certificate:
    """Return the certificate that is good for longest."""
    good = [each for each in choices if each.not_valid_after_utc > now and _usable(each, use)]
    if not good:
        raise DvdvRefusedError(f"{whose} has no {use.value} certificate that is good now or later")
    return max(good, key=lambda each: each.not_valid_after_utc)


def _usable(certificate: x509.Certificate, use: Use) -> bool:
    try:
        check_usage(certificate, use)
    except CertificateError:
        return False
    return True


def _days(*instants: datetime | None) -> list[date]:
    return [_day(each) for each in instants if each is not None]


def _last_day(instant: datetime | None) -> date | None:
    """Return the last open day; None for ever, which directories write as the calendar's last year."""
    return None if instant is None or instant.year == MAXYEAR else _day(instant)


def _day(instant: datetime) -> date:
    try:
        return local_day(instant)
    except OverflowError:
        raise DvdvRefusedError(f"{instant.isoformat()} is no day of the calendar") from None


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode("ascii")


def _print(text: str | None) -> str | None:
    return None if text is None else fingerprint(load_certificates(text.encode())[0])


def _describe(certificate: x509.Certificate) -> str:
    begins, ends = certificate.not_valid_before_utc.date(), certificate.not_valid_after_utc.date()
    return f"{subject(certificate)}, {begins.isoformat()} to {ends.isoformat()}"

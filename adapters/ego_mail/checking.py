"""Whether mailboxes work: keys, certificates, connection, and a dialog that fetches nothing."""

from collections.abc import Iterator
from datetime import datetime

from cryptography import x509

from adapters.ego_mail.offices import Offices
from adapters.ego_mail.osci.client import Intermediary
from adapters.ego_mail.osci.dialog import Dialog
from adapters.ego_mail.osci.errors import CertificateError
from adapters.ego_mail.osci.keys import fingerprint, subject
from adapters.ego_mail.osci.trust import TrustStore, Use, check_validity
from adapters.ego_mail.settings import Office, intermediary_of, terms_of
from engine.errors import DienstwegError
from engine.exchange.abilities import Finding
from engine.exchange.ports import Mailbox


def check_mailbox(offices: Offices, mailbox: Mailbox, own: Mailbox | None, now: datetime) -> list[Finding]:
    """Try an own mailbox as it is used, or hold a partner's against the trust store of ``own``."""
    found: list[Finding] = []
    try:
        looking = _own(offices, mailbox, now) if own == mailbox else _partner(offices, mailbox, own, now)
        found.extend(looking)
    except DienstwegError as error:
        found.append(Finding("settings", str(error), fault=True))
    return found


def _own(offices: Offices, mailbox: Mailbox, now: datetime) -> Iterator[Finding]:
    office = offices.of(mailbox)
    for label, certificate in office.keys.certificates():
        # Held against the own trust store: partners are likely to have the same issuers.
        use = Use.CIPHER if label == "cipher" else Use.SIGNATURE
        yield _certificate(f"own {label} certificate", certificate, use, office.trust, now)
    yield from _same_key(office, mailbox)
    intermediary = intermediary_of(mailbox, office.intermediary)
    yield from _intermediary(intermediary, now)
    yield _dialog(offices, office, intermediary)


def _same_key(office: Office, mailbox: Mailbox) -> Iterator[Finding]:
    """Hold the own cipher key against what the mailbox tells partners: they seal for that one."""
    own = office.keys.identity.decrypter
    if own is None or "certificate" not in mailbox.settings:
        return
    named = terms_of(mailbox, office.intermediary).certificate
    if fingerprint(named) != fingerprint(own.certificate):
        message = (
            f"the mailbox names {subject(named)}, serial {named.serial_number:x}, but the own cipher key is"
        )
        yield Finding(
            "other-key",
            f"{message} another one ({subject(own.certificate)}, serial {own.certificate.serial_number:x})",
            fault=True,
        )


def _partner(offices: Offices, mailbox: Mailbox, own: Mailbox | None, now: datetime) -> Iterator[Finding]:
    if own is None:
        message = f"no own mailbox on {mailbox.channel}: only the end of the certificate is looked at"
        yield Finding("no-own-mailbox", message)
        yield _valid("cipher certificate", terms_of(mailbox, None).certificate, now)
        return
    office = offices.of(own)
    terms = terms_of(mailbox, office.intermediary)
    yield _certificate("cipher certificate", terms.certificate, Use.CIPHER, office.trust, now)
    if mailbox.authority_id not in office.senders.values():
        yield Finding(
            "no-sender-certificate",
            "its signature certificate is not among the senders: what it sends goes to a clerk first",
        )
    yield from _intermediary(terms.intermediary, now)
    if terms.intermediary.uri != intermediary_of(own, office.intermediary).uri:
        yield _dialog(offices, office, terms.intermediary)


def _certificate(
    label: str, certificate: x509.Certificate, use: Use, trust: TrustStore, now: datetime
) -> Finding:
    """Look at a certificate's chain, usage and validity."""
    until = certificate.not_valid_after_utc
    try:
        trust.check(certificate, use, now)
    except CertificateError as error:
        return Finding("certificate", f"{label}: {error}", fault=True, until=until)
    return Finding("certificate", f"{label} {subject(certificate)}", until=until)


def _valid(label: str, certificate: x509.Certificate, now: datetime) -> Finding:
    until = certificate.not_valid_after_utc
    try:
        check_validity(certificate, now)
    except CertificateError as error:
        return Finding("certificate", f"{label}: {error}", fault=True, until=until)
    return Finding("certificate", f"{label} {subject(certificate)}", until=until)


def _intermediary(intermediary: Intermediary, now: datetime) -> Iterator[Finding]:
    for label, certificate in (("cipher", intermediary.cipher), ("signature", intermediary.signature)):
        if certificate is not None:
            yield _valid(f"the intermediary's {label} certificate", certificate, now)


def _dialog(offices: Offices, office: Office, intermediary: Intermediary) -> Finding:
    """Open and end a dialog; it acknowledges nothing."""
    try:
        with Dialog(offices.client(office, intermediary)):
            pass
    except DienstwegError as error:
        return Finding("dialog", str(error), fault=True)
    return Finding("dialog", f"a test dialog with {intermediary.uri} went well")

"""What stands in the way of a delivery, found without asking anybody outside."""

from collections.abc import Sequence
from datetime import datetime

from adapters.ego_mail.errors import EgoMailSettingsError
from adapters.ego_mail.osci.errors import CertificateError, CertificateExpiredError, CertificateUsageError
from adapters.ego_mail.osci.trust import Use, check_validity
from adapters.ego_mail.settings import Office, Terms, terms_of
from engine.exchange.ports import Blocker, FormClass, Mailbox, Requirements


def blockers_of(
    office: Office, recipient: Mailbox, requirements: Requirements, now: datetime
) -> list[Blocker]:
    """Look at the addressee's terms and everybody's certificates."""
    try:
        terms = terms_of(recipient, office.intermediary)
    except EgoMailSettingsError as error:
        return [_recipient("bad-settings", str(error))]
    found = [
        *_certificates(office, terms, now),
        *_formats(recipient, requirements),
        *_form(recipient, requirements.form),
    ]
    whole = requirements.sizes if requirements.separable else (requirements.total_bytes,)
    for size in requirements.sizes if terms.per_file else whole:
        blocker = size_blocker(recipient, terms, [size])
        if blocker is not None:
            found.append(blocker)
            break
    if requirements.test and not recipient.accepts_test:
        found.append(_recipient("no-tests", "the mailbox takes no test messages"))
    return found


def size_blocker(recipient: Mailbox, terms: Terms, sizes: Sequence[int]) -> Blocker | None:
    """Hold sizes in bytes against the mailbox's limit, one by one or summed up as its terms say."""
    if recipient.max_bytes is None:
        return None
    size = max(sizes, default=0) if terms.per_file else sum(sizes)
    if size <= recipient.max_bytes:
        return None
    unit = "a file" if terms.per_file else "a message"
    return _recipient("too-large", f"{size} bytes; the mailbox takes {recipient.max_bytes} {unit}")


def _certificates(office: Office, terms: Terms, now: datetime) -> list[Blocker]:
    found = []
    for label, own in office.keys.certificates():
        try:
            check_validity(own, now)
        except CertificateError as error:
            found.append(Blocker("certificate-expired", "sender", f"own {label} certificate: {error}"))
    try:
        office.trust.check(terms.certificate, Use.CIPHER, now)
    except CertificateError as error:
        found.append(_recipient(_code(error), str(error)))
    if terms.intermediary.cipher is not None:
        try:
            check_validity(terms.intermediary.cipher, now)
        except CertificateError as error:
            found.append(Blocker("certificate-expired", "channel", f"the intermediary: {error}"))
    return found


def _code(error: CertificateError) -> str:
    if isinstance(error, CertificateExpiredError):
        return "certificate-expired"
    return "certificate-usage" if isinstance(error, CertificateUsageError) else "certificate-untrusted"


def _formats(recipient: Mailbox, requirements: Requirements) -> list[Blocker]:
    refused = sorted(set(requirements.media_types) - set(recipient.formats)) if recipient.formats else []
    if not refused:
        return []
    return [_recipient("format", f"the mailbox takes no {', '.join(refused)}")]


def _form(recipient: Mailbox, form: FormClass) -> list[Blocker]:
    """Hold the form against the mailbox; what satisfies the written form is the engine's to find out."""
    if form in recipient.form_classes:
        return []
    return [_recipient("form-class", f"form {form.value} is not accepted there")]


def _recipient(code: str, message: str) -> Blocker:
    return Blocker(code, "recipient", message)

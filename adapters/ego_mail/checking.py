"""Whether an own mailbox works: keys, certificates, connection, and a dialog that fetches nothing."""

from dataclasses import dataclass
from datetime import datetime

from adapters.ego_mail.offices import Offices
from adapters.ego_mail.osci.dialog import Dialog
from adapters.ego_mail.osci.errors import CertificateError
from adapters.ego_mail.osci.trust import Use, expiry_warnings
from adapters.ego_mail.settings import Office, intermediary_of
from engine.errors import DienstwegError
from engine.exchange.ports import Mailbox


@dataclass(frozen=True, slots=True)
class MailboxReport:
    """What was found about one own mailbox."""

    authority_id: str
    address: str
    ok: bool
    faults: tuple[str, ...]
    warnings: tuple[str, ...]


def check_mailbox(offices: Offices, mailbox: Mailbox, now: datetime) -> MailboxReport:
    """Try an own mailbox; faults are reported, not raised. The dialog acknowledges nothing."""
    faults: list[str] = []
    labelled = []
    try:
        office = offices.of(mailbox)
        intermediary = intermediary_of(mailbox, office.intermediary)
        labelled = list(office.keys.certificates())
        if intermediary.cipher is not None:
            labelled.append(("intermediary", intermediary.cipher))
        faults += _distrusted(office, now)
        with Dialog(offices.client(office, intermediary)):
            pass
    except DienstwegError as error:
        faults.append(str(error))
    warnings = tuple(str(each) for each in expiry_warnings(labelled, now))
    return MailboxReport(mailbox.authority_id, mailbox.address, not faults, tuple(faults), warnings)


def _distrusted(office: Office, now: datetime) -> list[str]:
    """Hold the own certificates against the own trust store: partners are likely to have the same."""
    found = []
    for label, certificate in office.keys.certificates():
        use = Use.CIPHER if label == "cipher" else Use.SIGNATURE
        try:
            office.trust.check(certificate, use, now)
        except CertificateError as error:
            found.append(f"own {label} certificate: {error}")
    return found

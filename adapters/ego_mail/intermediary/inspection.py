"""The inspection report: how the intermediary found the certificates of a message."""

from datetime import datetime

from adapters.ego_mail.osci.cards import Inspection, Timestamp
from adapters.ego_mail.osci.keys import subject
from adapters.ego_mail.osci.roles import (
    ADDRESSEE_CIPHER,
    ADDRESSEE_SIGNATURE,
    AUTHOR_CIPHER,
    AUTHOR_SIGNATURE,
    ORIGINATOR_CIPHER,
    ORIGINATOR_SIGNATURE,
    READER_CIPHER,
    Certificates,
)
from adapters.ego_mail.osci.trust import TrustStore

INCOMPLETE = "3707"

_OUTDATED = {
    ORIGINATOR_CIPHER: "3500",
    ORIGINATOR_SIGNATURE: "3700",
    AUTHOR_SIGNATURE: "3701",
    AUTHOR_CIPHER: "3704",
    ADDRESSEE_CIPHER: "3705",
    READER_CIPHER: "3706",
    ADDRESSEE_SIGNATURE: "3708",
}
_UNTRUSTED = {
    ORIGINATOR_CIPHER: "9501",
    ORIGINATOR_SIGNATURE: "9700",
    AUTHOR_SIGNATURE: "3702",
    AUTHOR_CIPHER: "9704",
    ADDRESSEE_CIPHER: "9706",
    READER_CIPHER: "9708",
    ADDRESSEE_SIGNATURE: "9711",
}


def inspect(
    certificates: Certificates, trust: TrustStore | None, at: datetime
) -> tuple[tuple[Inspection, ...], list[str]]:
    """Return the report and feedback codes (3xxx, 9xxx) it leads to; nobody is asked about revocation."""
    inspections: list[Inspection] = []
    codes: list[str] = []
    for entry in certificates.entries:
        certificate = entry.certificate
        in_time = certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc
        known = trust is not None and trust.knows_issuer(certificate, at)
        inspections.append(
            Inspection(
                at=Timestamp(plain=at),
                subject=subject(certificate),
                issuer=certificate.issuer.rfc4514_string(),
                serial=certificate.serial_number,
                kind="unknown",
                math="ok" if known else "indeterminate",
                offline="valid" if in_time else "invalid",
            )
        )
        if not in_time:
            codes.append(_OUTDATED[entry.role])
        elif trust is not None and not known:
            codes.append(_UNTRUSTED[entry.role])
    if trust is None:
        codes.append(INCOMPLETE)
    return tuple(inspections), list(dict.fromkeys(codes))

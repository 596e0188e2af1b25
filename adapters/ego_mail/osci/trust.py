"""Which certificates are believed, for how long, and when to worry about them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography import x509
from cryptography.x509 import verification

from adapters.ego_mail.osci.errors import (
    CertificateExpiredError,
    CertificateUntrustedError,
    CertificateUsageError,
)
from adapters.ego_mail.osci.keys import fingerprint, subject

MAX_CHAIN = 6


class Use(StrEnum):
    """What a certificate is needed for."""

    SIGNATURE = "signature"
    CIPHER = "cipher"


@dataclass(frozen=True, slots=True)
class ExpiryWarning:
    """A certificate that has expired or soon will."""

    certificate: x509.Certificate
    label: str
    days_left: int
    """Whole days until it ends; negative after that."""

    def __str__(self) -> str:
        day = self.certificate.not_valid_after_utc.date().isoformat()
        when = f"ends in {self.days_left} days" if self.days_left >= 0 else "has ended"
        return f"{self.label} ({subject(self.certificate)}) {when}, on {day}"


class TrustStore:
    """Anchors (issuers), intermediates to build chains with, and single pinned certificates.

    A pinned certificate is believed without a chain, e.g. an intermediary's published by its operator.
    Revocation is not asked for: OSCI leaves that to the intermediary's inspection report.
    """

    def __init__(
        self,
        anchors: Iterable[x509.Certificate] = (),
        *,
        intermediates: Iterable[x509.Certificate] = (),
        pinned: Iterable[x509.Certificate] = (),
    ) -> None:
        """Collect what is believed."""
        self._anchors = tuple(anchors)
        self._intermediates = tuple(intermediates)
        self._pinned = frozenset(fingerprint(certificate) for certificate in pinned)

    def check(
        self,
        certificate: x509.Certificate,
        use: Use,
        at: datetime,
        *,
        chain: Sequence[x509.Certificate] = (),
    ) -> None:
        """Accept ``certificate`` for ``use`` at an instant.

        Raises CertificateExpiredError, CertificateUsageError or CertificateUntrustedError.
        """
        check_validity(certificate, at)
        check_usage(certificate, use)
        if fingerprint(certificate) in self._pinned:
            return
        if not self._anchors:
            raise CertificateUntrustedError(
                f"{subject(certificate)} is not among the trusted certificates",
                hint="add it or its issuer to the trust store",
            )
        self._build_chain(certificate, at, chain)

    def knows_issuer(self, certificate: x509.Certificate, at: datetime) -> bool:
        """Tell whether a chain to an anchor exists, or the certificate is pinned."""
        if fingerprint(certificate) in self._pinned:
            return True
        try:
            self._build_chain(certificate, at, ())
        except CertificateUntrustedError:
            return False
        return True

    def _build_chain(
        self, certificate: x509.Certificate, at: datetime, chain: Sequence[x509.Certificate]
    ) -> None:
        if not self._anchors:
            raise CertificateUntrustedError(f"no issuer is trusted, so {subject(certificate)} is not")
        verifier = (
            verification.PolicyBuilder()
            .store(verification.Store(list(self._anchors)))
            .time(at)
            .max_chain_depth(MAX_CHAIN)
            .extension_policies(
                # OSCI says nothing of server names and extended usages; issuers are held to the rules.
                ee_policy=verification.ExtensionPolicy.permit_all(),
                ca_policy=verification.ExtensionPolicy.webpki_defaults_ca(),
            )
            .build_client_verifier()
        )
        try:
            verifier.verify(certificate, [*chain, *self._intermediates])
        except verification.VerificationError as error:
            raise CertificateUntrustedError(
                f"{subject(certificate)}, issued by {certificate.issuer.rfc4514_string()}: {error}",
                hint="add its issuer to the trust store if you believe it",
            ) from error


def check_validity(certificate: x509.Certificate, at: datetime) -> None:
    """Raise CertificateExpiredError where ``at`` is outside the validity period."""
    if at < certificate.not_valid_before_utc:
        raise CertificateExpiredError(
            f"{subject(certificate)} is valid only from {certificate.not_valid_before_utc.isoformat()}"
        )
    if at > certificate.not_valid_after_utc:
        raise CertificateExpiredError(
            f"{subject(certificate)} expired on {certificate.not_valid_after_utc.isoformat()}",
            hint="ask its owner for the new certificate",
        )


def check_usage(certificate: x509.Certificate, use: Use) -> None:
    """Raise CertificateUsageError where a key usage extension forbids ``use``; without one all goes."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return
    signs = usage.digital_signature or usage.content_commitment
    encrypts = usage.key_encipherment or usage.data_encipherment
    if use is Use.SIGNATURE and not signs:
        raise CertificateUsageError(f"{subject(certificate)} is not made for signatures")
    if use is Use.CIPHER and not encrypts:
        raise CertificateUsageError(f"{subject(certificate)} is not made for encryption")


def expiry_warnings(
    certificates: Iterable[tuple[str, x509.Certificate]],
    now: datetime,
    within: timedelta = timedelta(weeks=8),
) -> list[ExpiryWarning]:
    """Return warnings for all labelled certificates that end before ``now + within``, soonest first."""
    found = [
        ExpiryWarning(certificate, label, (certificate.not_valid_after_utc - now).days)
        for label, certificate in certificates
        if certificate.not_valid_after_utc <= now + within
    ]
    return sorted(found, key=lambda warning: warning.days_left)

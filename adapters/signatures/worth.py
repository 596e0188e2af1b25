"""What a certificate makes a signature worth: qualified for signatures, qualified for seals, or neither.

Qualified is what its issuer is listed for (the installation's list of qualified issuers, taken from the
trusted lists of Art. 22 eIDAS) and what the certificate says of itself in its QCStatements
(ETSI EN 319 412-5): both.
Revocation is not asked for here (``docs/decisions/0066-no-revocation-checks.md``).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from asn1crypto import core
from cryptography import x509
from cryptography.x509.oid import NameOID, ObjectIdentifier

from adapters.ego_mail.osci.errors import CertificateError
from adapters.ego_mail.osci.keys import subject
from adapters.ego_mail.osci.trust import TrustStore, Use
from adapters.signatures.cms import Signed
from engine.exchange.substitutes import SEAL, SIGNATURE

QC_STATEMENTS = ObjectIdentifier("1.3.6.1.5.5.7.1.3")
QUALIFIED, DEVICE, TYPES = "0.4.0.1862.1.1", "0.4.0.1862.1.4", "0.4.0.1862.1.6"
FOR_SIGNATURES, FOR_SEALS = "0.4.0.1862.1.6.1", "0.4.0.1862.1.6.2"
AHEAD = timedelta(minutes=5)
"""How far a signer's clock may be ahead."""


class _Statement(core.Sequence):  # type: ignore[misc]
    _fields = [  # noqa: RUF012  (the parser wants a list)
        ("statement_id", core.ObjectIdentifier),
        ("statement_info", core.Any, {"optional": True}),
    ]


class _Statements(core.SequenceOf):  # type: ignore[misc]
    _child_spec = _Statement


class _Types(core.SequenceOf):  # type: ignore[misc]
    _child_spec = core.ObjectIdentifier


class Worth:
    """Judges signatures by the list of qualified issuers."""

    def __init__(self, issuers: Sequence[x509.Certificate]) -> None:
        """Believe ``issuers``, and nobody else."""
        self._trust = TrustStore(issuers)

    def of(self, signed: Signed, at: datetime) -> tuple[str | None, str | None]:
        """Return which substitute a verified signature is at an instant, or None and why it is none."""
        certificate = signed.certificate
        if signed.at is not None and signed.at > at + AHEAD:
            return None, f"claims to be of {signed.at.isoformat()}, which has not come yet"
        try:
            for instant in {at, signed.at or at}:
                self._trust.check(certificate, Use.SIGNATURE, instant, chain=signed.others)
        except CertificateError as error:
            return None, str(error)
        return self._own_word(certificate)

    @staticmethod
    def _own_word(certificate: x509.Certificate) -> tuple[str | None, str | None]:
        name = subject(certificate)
        said = statements(certificate)
        if QUALIFIED not in said or DEVICE not in said:
            return None, f"{name}: the certificate does not say that it is qualified, key in a secure device"
        if FOR_SEALS in said:
            return SEAL, None
        if FOR_SIGNATURES not in said and TYPES in said:
            return None, f"{name}: the certificate is neither for signatures nor for seals"
        if is_pseudonym(certificate):
            return None, f"{name}: a pseudonym does not satisfy the written form (§ 3a(2) sentence 3 VwVfG)"
        return SIGNATURE, None


def statements(certificate: x509.Certificate) -> frozenset[str]:
    """Return the object identifiers of a certificate's QCStatements and of the types they name."""
    try:
        found = certificate.extensions.get_extension_for_oid(QC_STATEMENTS).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return frozenset()
    if not isinstance(found, x509.UnrecognizedExtension):
        return frozenset()
    said: set[str] = set()
    try:
        for each in _Statements.load(found.value, strict=True):
            said.add(each["statement_id"].dotted)
            if each["statement_id"].dotted == TYPES:
                said |= {kind.dotted for kind in each["statement_info"].parse(_Types)}
    except (ValueError, TypeError, AttributeError):
        return frozenset()
    return frozenset(said)


def is_pseudonym(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate names no person: by attribute, or by the ending of German issuers."""
    names = certificate.subject
    common = [str(each.value) for each in names.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return bool(names.get_attributes_for_oid(NameOID.PSEUDONYM)) or any(
        each.upper().endswith(":PN") for each in common
    )


def person(certificate: x509.Certificate) -> str:
    """Return who a certificate belongs to, for people."""
    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(common[0].value) if common else subject(certificate)

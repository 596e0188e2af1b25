"""What can go wrong with an OSCI message, one class each, so that a caller can tell the cases apart."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.errors import EnvironmentFaultError, RefusedError

if TYPE_CHECKING:
    from adapters.ego_mail.osci.feedback import Feedback


class OsciError(RefusedError):
    """The OSCI message was refused."""


# --- form ----------------------------------------------------------------------------------------


class MalformedMessageError(OsciError):
    """The bytes are not an OSCI message."""


class LimitExceededError(OsciError):
    """The message is larger than the configured limit."""


class TruncatedAttachmentError(MalformedMessageError):
    """An attachment ends before its announced end."""


# --- algorithms ----------------------------------------------------------------------------------


class UnsupportedAlgorithmError(OsciError):
    """The message uses an algorithm this installation does not know."""


class DeprecatedAlgorithmError(UnsupportedAlgorithmError):
    """The message uses a deprecated algorithm, which is read only by explicit setting."""


# --- signature -----------------------------------------------------------------------------------


class SignatureError(OsciError):
    """The signature does not stand."""


class SignatureMissingError(SignatureError):
    """The message is not signed although a signature is required."""


class SignatureInvalidError(SignatureError):
    """The signature value does not match the signed information and the certificate."""


class DigestMismatchError(SignatureError):
    """A signed part was changed after signing."""


class WrongReferenceError(SignatureError):
    """The signature refers to something that is not the part it must cover."""


class NotAllSignedError(SignatureError):
    """A part that must be signed is not covered by the signature."""


class SignatureWrappingError(SignatureError):
    """An identifier occurs twice or in a place where signed parts must not be: the message was rearranged."""


# --- dialog --------------------------------------------------------------------------------------


class DialogError(OsciError):
    """The answer does not belong to this dialog."""


class ReplayedChallengeError(DialogError):
    """Challenge and response do not fit: an old or foreign message was played in."""


class ConversationMismatchError(DialogError):
    """The conversation id is another one."""


class SequenceMismatchError(DialogError):
    """The sequence number is another one."""


class UnencryptedAnswerError(DialogError):
    """The answer to an encrypted order came unencrypted."""


# --- certificates and keys -----------------------------------------------------------------------


class CertificateError(OsciError):
    """A certificate is not acceptable."""


class CertificateSwappedError(CertificateError):
    """The message carries another certificate than the one expected for this role."""


class CertificateExpiredError(CertificateError):
    """A certificate is outside its validity period."""


class CertificateUntrustedError(CertificateError):
    """A certificate does not lead to a trusted issuer."""


class CertificateUsageError(CertificateError):
    """A certificate's key usage does not allow this."""


class KeyFileError(OsciError):
    """The key file cannot be opened."""


# --- encryption ----------------------------------------------------------------------------------


class DecryptionError(OsciError):
    """The data could not be decrypted: wrong key, or changed on the way."""


class WrongRecipientError(DecryptionError):
    """The data is encrypted for somebody else."""


# --- answers -------------------------------------------------------------------------------------


class FeedbackError(OsciError):
    """The other side carried out the order with an error."""

    def __init__(self, feedback: "Sequence[Feedback]", *, where: str | None = None) -> None:
        """Keep the whole feedback; the message joins the error entries' texts."""
        self.feedback = tuple(feedback)
        texts = "; ".join(str(entry) for entry in feedback if entry.is_error)
        super().__init__(texts or None, where=where)

    @property
    def codes(self) -> tuple[str, ...]:
        """All four-digit codes of the feedback."""
        return tuple(entry.code for entry in self.feedback)


class SoapFaultError(OsciError):
    """The other side could not process the message at all."""

    def __init__(self, code: str, text: str, *, server: bool, where: str | None = None) -> None:
        """Keep the OSCI ``code`` and whether the other side (``server``) is at fault."""
        self.code = code
        self.server = server
        super().__init__(f"{code} {text}".strip(), where=where)


# --- the way there -------------------------------------------------------------------------------


class UnreachableError(EnvironmentFaultError):
    """The other side could not be reached; nothing was sent."""


class PreparedMissingError(EnvironmentFaultError):
    """The file of a prepared delivery is gone; nothing was sent."""


class OutcomeUnknownError(EnvironmentFaultError):
    """The connection broke after sending began; the order may or may not have been carried out."""


class HttpStatusError(EnvironmentFaultError):
    """The web server refused the request before OSCI; the order was not carried out."""

    def __init__(self, status: int, reason: str, *, where: str | None = None) -> None:
        """Keep the HTTP ``status``."""
        self.status = status
        super().__init__(f"HTTP {status} {reason}", where=where)


_MAYBE_DONE = {"9801", "9810", "9811"}
"""Used before, reached but failed, failed while executing: only the process card tells."""


def definitely_not_done(error: Exception) -> bool:
    """Tell whether an order that ended with ``error`` surely had no effect, so that it may be sent again.

    Everything else, a wrong signature over the answer included, leaves the outcome open.
    """
    if isinstance(error, FeedbackError):
        return not _MAYBE_DONE.intersection(error.codes)
    if isinstance(error, SoapFaultError):
        return not error.server
    return isinstance(error, UnreachableError | HttpStatusError | PreparedMissingError)

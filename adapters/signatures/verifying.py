"""From signature files and the files beside them to verified signatures, when sending and when receiving."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from adapters.signatures import cms
from adapters.signatures.cms import Signed
from adapters.signatures.errors import SignatureBrokenError
from adapters.signatures.settings import SignatureSettings
from adapters.signatures.worth import Worth, person
from engine.exchange.ports import AdapterContext, Part
from engine.exchange.signers import SUFFIX, Signature, SignatureRefusedError

__all__ = ["Beside", "Verifier", "is_signature"]


def is_signature(part: Part) -> bool:
    """Tell whether a part is a detached signature by its name."""
    return part.name.lower().endswith(SUFFIX)


@dataclass(frozen=True, slots=True)
class Beside:
    """What the signatures beside the files of an arrival prove."""

    signatures: tuple[Signature, ...]
    faults: tuple[str, ...]
    """Signatures that are broken or over no file of the message, in words for a clerk."""
    unsigned: tuple[str, ...]
    """Files without a signature of their own."""

    @property
    def broken(self) -> bool:
        """Tell whether a file was changed after signing, or a signature is not what it claims."""
        return bool(self.faults)

    def report(self) -> str:
        """Write it down in German, as evidence."""
        lines = ["Prüfung der Signaturen", ""]
        for each in self.signatures:
            when = each.at.isoformat() if each.at else "ohne Zeitangabe"
            lines.append(f"{each.signed}: {each.signer}, {when}")
            lines.append(f"  ausgestellt von {each.issuer}, Seriennummer {each.serial}")
            lines.append(
                f"  {each.substitute}" if each.substitute else f"  nicht qualifiziert: {each.remark}"
            )
        lines += [f"FEHLER: {fault}" for fault in self.faults]
        lines += [f"ohne Signatur: {name}" for name in self.unsigned]
        lines.append("Ob ein Zertifikat gesperrt wurde, ist nicht geprüft.")
        return "\n".join(lines) + "\n"


class Verifier:
    """Verifies detached signatures by an installation's list of qualified issuers."""

    def __init__(self, context: AdapterContext) -> None:
        """Use ``[adapters.signatures]`` of the installation; read when first needed."""
        self._settings = SignatureSettings(context)
        self._worth: Worth | None = None

    def beside(self, parts: Sequence[Part], at: datetime) -> Beside | None:
        """Verify the signatures among an arrival's files as of ``at``; None where there is none.

        Nothing is raised for what the sender did; faults are returned. Raises SignatureSettingsError.
        """
        files = [part for part in parts if not is_signature(part)]
        found: list[Signature] = []
        faults: list[str] = []
        signatures = [part for part in parts if is_signature(part)]
        if not signatures:
            return None
        for part in signatures:
            try:
                found += self.verify(part.path, files, at)
            except SignatureRefusedError as error:
                faults.append(f"{part.name}: {error.message}")
        signed = {each.signed for each in found}
        return Beside(tuple(found), tuple(faults), tuple(it.name for it in files if it.name not in signed))

    def verify(self, file: Path, parts: Sequence[Part], at: datetime) -> list[Signature]:
        """Return what one signature file signs among ``parts``; raise SignatureBrokenError."""
        found = []
        for signed in cms.read(_content(file)):
            part = next((each for each in parts if cms.covers(signed, each.path)), None)
            if part is None:
                raise SignatureBrokenError(
                    "is over none of these files, or the file was changed after signing"
                )
            cms.verify(signed, part.path)
            found.append(self._signature(signed, part, file, at))
        return found

    def _signature(self, signed: Signed, part: Part, file: Path, at: datetime) -> Signature:
        self._worth = self._worth or Worth(self._settings.issuers())
        substitute, remark = self._worth.of(signed, at)
        certificate = signed.certificate
        return Signature(
            signed=part.name,
            path=file,
            signer=person(certificate),
            issuer=certificate.issuer.rfc4514_string(),
            serial=f"{certificate.serial_number:x}",
            at=signed.at,
            substitute=substitute,
            remark=remark,
        )


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as source:
            return source.read(cms.MAX_BYTES + 1)
    except OSError as error:
        raise SignatureRefusedError(f"cannot be read: {error.strerror}", where=str(file)) from error

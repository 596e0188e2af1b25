"""The signer ``own-software``: a person signs the frozen files elsewhere and brings the signatures."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from adapters.signatures import cms
from adapters.signatures.settings import TABLE, SignatureSettings
from adapters.signatures.verifying import Verifier
from engine.errors import DienstwegError
from engine.exchange.ports import AdapterContext, Blocker
from engine.exchange.signers import (
    SUFFIX,
    Offer,
    Signature,
    SignatureRefusedError,
    SignerDescription,
    SigningRequest,
)
from engine.exchange.substitutes import SEAL, SIGNATURE


class OwnSoftware:
    """Takes detached signatures and verifies them."""

    def __init__(self, context: AdapterContext) -> None:
        """Use ``[adapters.signatures]``."""
        self._settings = SignatureSettings(context)
        self._verifier = Verifier(context)
        self._clock = context.clock

    def describe(self) -> SignerDescription:
        """Say what this signer is."""
        return SignerDescription("own-software", "mit eigener Signatursoftware signieren", takes_files=True)

    def offer(self, authority_id: str) -> Offer:
        """Return qualified signature and seal, once there are issuers to verify them by."""
        try:
            issuers = self._settings.issuers()
        except DienstwegError as error:
            return Offer((), (Blocker("bad-settings", "sender", str(error)),))
        if not issuers:
            reason = f"no qualified issuers are known, so no signature can be verified ({TABLE} qualified)"
            return Offer((), (Blocker("no-issuers", "sender", reason),))
        return Offer((SIGNATURE, SEAL))

    def sign(self, request: SigningRequest, folder: Path) -> Sequence[Signature]:
        """Verify the files that were brought; raise SignatureRefusedError that names the file.

        They travel as DER, whatever the software wrote.
        """
        found: list[Signature] = []
        for number, file in enumerate(request.files):
            try:
                signatures = self._verifier.verify(file, request.parts, self._clock.now())
            except SignatureRefusedError as error:
                raise type(error)(error.message, where=file.name, hint=error.hint) from error
            binary = folder / f"{number}{SUFFIX}"
            binary.write_bytes(cms.to_der(file.read_bytes()))
            found += [replace(each, path=binary) for each in signatures]
        return found

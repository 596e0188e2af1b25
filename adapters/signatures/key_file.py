"""The signer ``pkcs12``: a key in a file, for trial and tests.

What its signatures are worth is judged as everybody else's: a key in a file is no qualified one, unless its
certificate says so and its issuer is on the installation's list.
"""

from collections.abc import Sequence
from pathlib import Path

from adapters.ego_mail.osci.keys import KeyPair
from adapters.signatures import cms
from adapters.signatures.settings import TABLE, SignatureSettings
from adapters.signatures.verifying import Verifier
from adapters.signatures.worth import Worth
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


class KeyFileSigner:
    """Signs with the authority's key in a PKCS#12 file."""

    def __init__(self, context: AdapterContext) -> None:
        """Use ``[adapters.signatures.keys.<authority>]``."""
        self._settings = SignatureSettings(context)
        self._verifier = Verifier(context)
        self._clock = context.clock

    def describe(self) -> SignerDescription:
        """Say what this signer is."""
        return SignerDescription("pkcs12", "mit dem Schlüssel in der Datei signieren", takes_files=False)

    def offer(self, authority_id: str) -> Offer:
        """Return what the key's certificate makes its signatures worth."""
        try:
            pair = self._settings.key(authority_id)
            if pair is None:
                reason = f"no key in a file ({TABLE} keys.{authority_id})"
                return Offer((), (Blocker("no-key", "sender", reason),))
            substitute, remark = self._worth(pair)
        except DienstwegError as error:
            return Offer((), (Blocker("bad-settings", "sender", str(error)),))
        if substitute is None:
            return Offer((), (Blocker("not-qualified", "sender", f"the key in the file: {remark}"),))
        return Offer((substitute,))

    def sign(self, request: SigningRequest, folder: Path) -> Sequence[Signature]:
        """Sign every part; raise SignatureRefusedError without a key, SignatureSettingsError."""
        pair = self._settings.key(request.authority_id)
        if pair is None:
            raise SignatureRefusedError("there is no key in a file", where=request.authority_id)
        found: list[Signature] = []
        for part in request.parts:
            file = folder / f"{part.name}{SUFFIX}"
            file.write_bytes(self._signature(pair, part.path))
            found += self._verifier.verify(file, [part], self._clock.now())
        return found

    def _signature(self, pair: KeyPair, content: Path) -> bytes:
        return cms.make(content, pair.certificate, pair.chain, pair.signing_key(), self._clock.now())

    def _worth(self, pair: KeyPair) -> tuple[str | None, str | None]:
        now = self._clock.now()
        unsigned = cms.Signed(pair.certificate, pair.chain, "sha256", b"", now, b"", None, b"")
        return Worth(self._settings.issuers()).of(unsigned, now)

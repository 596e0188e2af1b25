"""Signers: detached signatures over files, made in a clerk's own software or with a key in a file."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.exchange.ports import AdapterContext
    from engine.exchange.signers import Signer


def create_own_software(context: "AdapterContext") -> "Signer":
    """Make the signer that takes signatures which were made elsewhere."""
    from adapters.signatures.own_software import OwnSoftware

    return OwnSoftware(context)


def create_pkcs12(context: "AdapterContext") -> "Signer":
    """Make the signer that uses a key in a file."""
    from adapters.signatures.key_file import KeyFileSigner

    return KeyFileSigner(context)

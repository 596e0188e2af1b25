"""Errors of signatures."""

from engine.errors import EnvironmentFaultError
from engine.exchange.signers import SignatureRefusedError


class SignatureSettingsError(EnvironmentFaultError):
    """The settings of signatures cannot be used."""


class SignatureBrokenError(SignatureRefusedError):
    """A signature file is no CMS signature, or does not verify."""

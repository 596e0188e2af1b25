"""The injected source of identifiers and other randomness that ends in the database."""

import random
import secrets
from typing import Protocol
from uuid import UUID


class IdSource(Protocol):
    """Gives identifiers that never repeat."""

    def new(self) -> UUID:
        """Return a fresh random (version 4) UUID."""
        ...

    def token(self, size: int) -> bytes:
        """Return ``size`` random bytes, fit for salts and nonces."""
        ...


class RandomIds:
    """Identifiers from the operating system's random source."""

    def new(self) -> UUID:
        """Return a fresh random (version 4) UUID."""
        return UUID(bytes=secrets.token_bytes(16), version=4)

    def token(self, size: int) -> bytes:
        """Return ``size`` unpredictable bytes."""
        return secrets.token_bytes(size)


class SeededIds:
    """Repeatable identifiers for tests and replays; never for an installation."""

    def __init__(self, seed: int = 0) -> None:
        """Start the sequence that ``seed`` stands for."""
        self._random = random.Random(seed)

    def new(self) -> UUID:
        """Return the sequence's next UUID."""
        return UUID(bytes=self._random.randbytes(16), version=4)

    def token(self, size: int) -> bytes:
        """Return the sequence's next ``size`` bytes."""
        return self._random.randbytes(size)

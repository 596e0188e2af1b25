"""One process checks the models of a test run: starting one takes longer than most tests."""

import atexit
from functools import cache

from engine.definitions.checker import Sandbox


@cache
def sandbox() -> Sandbox:
    """Return the run's sandbox, which starts with its first model."""
    box = Sandbox()
    atexit.register(box.close)
    return box

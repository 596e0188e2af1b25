"""What all tests share: how property tests are run, and one PostgreSQL server a test session."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.postgres import Postgres, PostgresMissingError

# No test is timed (a loaded machine is no fault), and CI draws the same examples for the same code: what a
# fresh draw finds is found on a developer's machine, not in somebody else's change.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("here"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Where the server cannot start, tests that need it say so and are skipped."""
    try:
        server = Postgres()
    except PostgresMissingError as error:
        pytest.skip(str(error))
    yield server
    server.close()

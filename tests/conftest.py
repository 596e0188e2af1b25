"""One PostgreSQL server a test session; tests that need it are skipped, with the reason, where it cannot start."""

from collections.abc import Iterator

import pytest

from tests.postgres import Postgres, PostgresMissingError


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    try:
        server = Postgres()
    except PostgresMissingError as error:
        pytest.skip(str(error))
    yield server
    server.close()

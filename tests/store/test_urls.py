"""What is no database's URL is refused before anything happens, and its password is not repeated."""

import pytest

from engine.store.database import Database
from engine.store.errors import DatabaseUrlError


@pytest.mark.parametrize(
    "url",
    [
        "",
        "data/dienstweg.db",
        "postgresql://clerk:secret@host:port/dienstweg",
        "mysql://clerk:secret@host/dienstweg",
        "postgresql+asyncpg://clerk:secret@host/dienstweg",
        "sqlite://",
        "sqlite:///:memory:",
    ],
)
def test_what_is_no_url_is_refused(url):
    with pytest.raises(DatabaseUrlError, match="write sqlite:") as caught:
        Database(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["postgres://host/dienstweg", "postgresql://host/dienstweg"])
def test_postgresql_is_reached_with_the_driver_used_here(url):
    assert Database(url).url.drivername == "postgresql+psycopg"

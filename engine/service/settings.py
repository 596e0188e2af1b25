"""Where an installation lives and how it is set up: ``dienstweg.toml``, overridden by the environment."""

import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from engine.errors import EnvironmentFaultError, RefusedError
from engine.service.deadlines.settings import DeadlineSettings
from engine.service.migration_settings import MigrationSettings

FILE = "dienstweg.toml"
DEFAULT_HOME = "dienstweg-data"


class NotInstalledError(EnvironmentFaultError):
    """There is no installation here."""


class SettingsRefusedError(RefusedError):
    """The settings cannot be used."""


class S3Settings(BaseModel, extra="forbid"):
    """Where documents lie in an S3-compatible store; credentials come from boto3's own places."""

    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    """URL of a store that is not Amazon's."""
    region: str | None = None


class MailboxSettings(BaseModel, extra="forbid"):
    """How mailboxes are watched."""

    check_hours: float = Field(default=24.0, ge=0.1)
    """After how many hours the work loop looks at a mailbox again."""
    warn_days: int = Field(default=30, ge=0)
    """How many days before a certificate ends an incident says so."""


class Settings(BaseSettings):
    """An installation's settings; every one can be given as ``DIENSTWEG_<NAME>``."""

    model_config = SettingsConfigDict(env_prefix="DIENSTWEG_", env_nested_delimiter="__", extra="forbid")

    home: Path
    code: str = Field(pattern=r"^[A-Z0-9]{2,8}$")
    """Short code of the installation; printed on letters, part of file references."""
    database_url: str = ""
    """Empty: SQLite in the home folder."""
    documents: Path | None = None
    """Folder of the document store; by default below home."""
    s3: S3Settings | None = None
    """Documents in an S3-compatible store; ``documents`` is then the local cache."""
    person: str | None = None
    """Who acts where ``--as`` is not given."""
    language: str = "de"
    stalled_after: float = Field(default=30.0, ge=1.0)
    """Seconds without a sign of life after which a worker's jobs are taken up by others."""
    deadlines: DeadlineSettings = Field(default_factory=DeadlineSettings)
    """How deadlines are counted: ``[deadlines]``."""
    scanners: list[str] = Field(default_factory=list)
    """Malware scanners that everything must pass that comes in, e.g. ``["clamd"]``."""
    mailboxes: MailboxSettings = Field(default_factory=MailboxSettings)
    """How mailboxes are watched: ``[mailboxes]``."""
    migration: MigrationSettings = Field(default_factory=MigrationSettings)
    """How rules are watched and tests kept: ``[migration]``."""
    adapters: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """One table an adapter, e.g. ``[adapters.folder]``."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file, but not over where the installation was said to be.

        DIENSTWEG_HOME is only for whoever names no folder; else ``--home`` would open another's database.
        """
        where = InitSettingsSource(settings_cls, {"home": init_settings()["home"]})
        return where, env_settings, init_settings

    @property
    def database(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{self.home / 'dienstweg.db'}"

    @property
    def document_folder(self) -> Path:
        """The folder of the document store."""
        return self.documents or self.home / "documents"


def default_home() -> Path:
    """Return the home folder the environment names, or ``dienstweg-data`` in the working folder."""
    return Path(os.environ.get("DIENSTWEG_HOME", DEFAULT_HOME))


def read_settings(home: Path) -> Settings:
    """Read the settings of the installation at ``home``.

    Raises NotInstalledError where there is none, SettingsRefusedError naming every faulty setting.
    """
    file = home / FILE
    if not file.is_file():
        raise NotInstalledError(
            f"no installation at {home}",
            hint="make one with 'dienstweg init', or name its folder with --home or DIENSTWEG_HOME",
        )
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
        return Settings(**{**values, "home": home})
    except tomllib.TOMLDecodeError as error:
        raise SettingsRefusedError(f"not TOML: {error}", where=str(file)) from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise SettingsRefusedError(faults, where=str(file), hint="see docs/reference/settings.md") from error

"""Which folder an installation's settings speak of, whatever the environment says besides."""

from pathlib import Path

import pytest

from cli.demo import DemoElsewhereError, refuse_other_stores
from engine.service.installation import create_installation, open_installation
from engine.service.settings import default_home, read_settings


def test_a_named_folder_is_not_turned_into_the_one_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIENSTWEG_HOME", str(tmp_path / "ours"))
    for name in ("ours", "theirs"):
        create_installation(tmp_path / name, name.upper())
    for name in ("ours", "theirs"):
        home = tmp_path / name
        assert read_settings(home).database == f"sqlite:///{home / 'dienstweg.db'}"
        assert read_settings(home).document_folder == home / "documents"
        app = open_installation(home)
        assert app.database.url.database == str(home / "dienstweg.db")
        app.close()
    assert default_home() == tmp_path / "ours"


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create_installation(tmp_path / "one", "SB", person="weber")
    monkeypatch.setenv("DIENSTWEG_PERSON", "klein")
    assert read_settings(tmp_path / "one").person == "klein"


@pytest.mark.parametrize("name", ["DIENSTWEG_DATABASE_URL", "DIENSTWEG_S3__BUCKET", "DIENSTWEG_DOCUMENTS"])
def test_the_demo_never_writes_into_real_stores(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_other_stores()
    monkeypatch.setenv(name, "postgresql://host/production")
    with pytest.raises(DemoElsewhereError, match=name):
        refuse_other_stores()

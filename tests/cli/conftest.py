"""The command line as people type it, in this process."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from cli.main import run


@dataclass(frozen=True)
class Result:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def dienstweg(monkeypatch, capsys):
    """Run one command; returns its exit status and what it printed."""

    def call(*arguments: object) -> Result:
        monkeypatch.setattr("sys.argv", ["dienstweg", *map(str, arguments)])
        capsys.readouterr()
        try:
            run()
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 0
        printed = capsys.readouterr()
        return Result(status, printed.out, printed.err)

    return call


@pytest.fixture
def home(tmp_path, dienstweg):
    folder = tmp_path / "sb"
    made = dienstweg("--home", folder, "init", "--code", "SB", "--authority", "10041100")
    assert made.status == 0, made.err
    return folder


@pytest.fixture
def sb(home, dienstweg):
    """Run a command in Saarbrücken's installation, with the procedure deployed."""
    assert dienstweg("--home", home, "model", "deploy", "vollstreckungshilfe").status == 0
    return lambda *arguments: dienstweg("--home", home, *arguments)

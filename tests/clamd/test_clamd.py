"""The scanner adapter against clamd's protocol, and against clamd itself."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from adapters.clamd import create
from adapters.clamd.scanner import Clamd, ClamdSettingsError, read_address
from engine.exchange.scanning import ScannerFaultError
from tests.clamd.conftest import EICAR
from tests.contracts.samples import context


def file(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "part"
    path.write_bytes(content)
    return path


def test_files_are_told_apart_over_tcp(small_clamd: Any, tmp_path: Path) -> None:
    host, port = small_clamd.server_address
    scanner = create(context(tmp_path, {"host": host, "port": port}))
    assert scanner.scan(file(tmp_path, b"")) is None
    assert scanner.scan(file(tmp_path, b"x" * 1_000_000)) is None
    assert scanner.scan(file(tmp_path, b"x" * 100_000 + EICAR)) == "Eicar-Test"
    assert scanner.describe() == f"ClamAV test at {host}:{port}"


def test_what_is_too_large_for_clamd_is_not_taken_for_clean(small_clamd: Any, tmp_path: Path) -> None:
    small_clamd.limit = 200_000
    scanner = Clamd(small_clamd.server_address, 5)
    with pytest.raises(ScannerFaultError, match="size limit"):
        scanner.scan(file(tmp_path, bytes(8_000_000)))


def test_a_clamd_that_is_not_there_says_so(tmp_path: Path) -> None:
    for address in ("/nowhere/clamd.ctl", ("127.0.0.1", 1)):
        with pytest.raises(ScannerFaultError, match="does not answer"):
            Clamd(address, 1).scan(file(tmp_path, b"x"))


@pytest.mark.parametrize("table", [{}, {"socket": "/x", "host": "y"}])
def test_half_settings_are_refused(table: dict[str, Any]) -> None:
    with pytest.raises(ClamdSettingsError, match="either socket or host"):
        read_address(table)


def test_the_real_clamd_finds_the_test_string(real_clamd: Path, tmp_path: Path) -> None:
    scanner = create(context(tmp_path, {"socket": str(real_clamd)}))
    assert scanner.scan(file(tmp_path, b"clean")) is None
    assert scanner.scan(file(tmp_path, EICAR)) == "Test.Eicar.UNOFFICIAL"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as container:
        container.writestr("a.txt", EICAR)
    assert scanner.scan(file(tmp_path, packed.getvalue())) == "Test.Eicar.UNOFFICIAL"
    assert scanner.describe().startswith("ClamAV ")
    with pytest.raises(ScannerFaultError, match=r"size limit|broke off"):
        scanner.scan(file(tmp_path, bytes(20_000_000)))

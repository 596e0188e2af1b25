"""A clamd to talk to: a small one that speaks the protocol, and the real one where it is installed."""

import shutil
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The test string that every scanner takes for malware; harmless."""


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        command = self._until_zero()
        if command == b"zVERSION":
            self.request.sendall(b"ClamAV test\0")
            return
        assert command == b"zINSTREAM", command
        content = b""
        while size := int.from_bytes(self._exactly(4), "big"):
            content += self._exactly(size)
            if len(content) > self.server.limit:  # type: ignore[attr-defined]
                self.request.sendall(b"INSTREAM size limit exceeded. ERROR\0")
                return
        self.request.sendall(b"stream: Eicar-Test FOUND\0" if EICAR in content else b"stream: OK\0")

    def _until_zero(self) -> bytes:
        read = b""
        while not read.endswith(b"\0"):
            read += self._exactly(1)
        return read[:-1]

    def _exactly(self, count: int) -> bytes:
        read = b""
        while len(read) < count:
            piece = self.request.recv(count - len(read))
            assert piece, "the client broke off"
            read += piece
        return read


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    limit = 25_000_000


@pytest.fixture
def small_clamd() -> Iterator[_Server]:
    """Serve on a free port of this host."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="session")
def real_clamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Run the real clamd on a Unix socket, with one signature of our own for the test string."""
    program = shutil.which("clamd")
    if program is None:
        pytest.skip("clamd is not installed")
    folder = tmp_path_factory.mktemp("clamd")
    (folder / "db").mkdir()
    (folder / "db" / "test.ndb").write_text(f"Test.Eicar:0:*:{EICAR.hex()}\n")
    path = folder / "ctl"
    (folder / "clamd.conf").write_text(
        f"DatabaseDirectory {folder / 'db'}\nLocalSocket {path}\nForeground yes\n"
        f"TemporaryDirectory {folder}\nStreamMaxLength 1M\n"
    )
    with subprocess.Popen(
        [program, "-c", str(folder / "clamd.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _wait_for(path, process)
            yield path
        finally:
            process.terminate()


def _wait_for(path: Path, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(200):
        if process.poll() is not None:
            pytest.skip("clamd does not start here")
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(path)) == 0:
                return
        time.sleep(0.05)
    pytest.skip("clamd does not come up")

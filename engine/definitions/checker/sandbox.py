"""Checks files from strangers in a process of their own, with limits on time and memory.

A file that kills, hangs or bloats the process is a finding, never a crash. Upload, deploy and the command
line check this way.

>>> with Sandbox() as sandbox:
...     sandbox.check(b"", "empty.bpmn").accepted
False
"""

import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from engine.definitions.checker.findings import Category, Finding, Report, Severity
from engine.definitions.checker.rule import CheckContext
from engine.definitions.checker.wire import context_to
from engine.definitions.checker.worker import OUT_OF_MEMORY
from engine.definitions.xml import MAX_BYTES
from engine.errors import EnvironmentFaultError

if TYPE_CHECKING:
    from engine.definitions.package import ProcedurePackage

_START_SECONDS = 60.0
_CHUNK = 1 << 16
_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from engine.definitions.checker.worker import main; sys.exit(main(int(sys.argv[2])))"
)
_UNREADABLE = "DW101"
_TOO_MUCH = "DW112"


class SandboxUnavailableError(EnvironmentFaultError):
    """The process that checks models cannot be started."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost."""

    seconds: int = 10
    """Processor time and, after twice as long, time on the wall; in seconds."""
    memory_mib: int = 1024
    """Address space of the process, in MiB."""


DEFAULT_LIMITS = Limits()


class _Killed(Exception):
    """The worker is gone; ``told`` says why."""

    def __init__(self, told: str) -> None:
        super().__init__(told)
        self.told = told


class Sandbox:
    """A worker process that checks one file after another; replaced when it had to be killed.

    Safe to share between threads; files are checked one at a time.
    """

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        """Start nothing yet: the worker starts with the first file."""
        self.limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._left = b""

    def check(self, data: bytes, file: str, *, context: CheckContext | None = None) -> Report:
        """Return the report on one file; whatever the file does to the worker is a finding.

        Raises:
            SandboxUnavailableError: the worker cannot be started.
        """
        if len(data) > MAX_BYTES:
            return _refused(
                file, _UNREADABLE, f"the file is larger than {MAX_BYTES // 1048576} MiB", "split the model"
            )
        try:
            answer = self._request(data, file, {"names": False, "context": context_to(context)})
        except _Killed as killed:
            hint = "split the model; if it is small, please report it with the file"
            return _refused(file, _TOO_MUCH, killed.told, hint)
        return Report.from_dict(answer)

    def names(self, data: bytes, file: str) -> tuple[frozenset[str], frozenset[str]]:
        """Return the processes (ids) and decisions (ids and names) of a file; none where it is unreadable."""
        try:
            answer = {} if len(data) > MAX_BYTES else self._request(data, file, {"names": True})
        except _Killed:
            answer = {}
        return frozenset(answer.get("process", ())), frozenset(answer.get("decision", ()))

    def close(self) -> None:
        """End the worker."""
        with self._lock:
            self._stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _request(self, data: bytes, file: str, more: dict[str, Any]) -> Any:
        """Return the worker's answer; after _Killed the next request gets a new worker."""
        header = {"file": file, "size": len(data), "seconds": self.limits.seconds, **more}
        with self._lock:
            process = self._running()
            deadline = time.monotonic() + 2 * self.limits.seconds
            try:
                return json.loads(self._ask(process, json.dumps(header).encode() + b"\n" + data, deadline))
            except _Killed:
                self._stop()
                raise

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._stop()
        self._process = _start(self.limits)
        try:
            ready = self._ask(self._process, b"", time.monotonic() + _START_SECONDS)
        except _Killed as killed:
            self._stop()
            raise SandboxUnavailableError(
                f"the process that checks models did not start: {killed.told}",
                hint="raise the memory limit, or see that Python can start child processes here",
            ) from killed
        if ready != b"ready":
            self._stop()
            raise SandboxUnavailableError("the process that checks models did not start")
        return self._process

    def _ask(self, process: subprocess.Popen[bytes], request: bytes, deadline: float) -> bytes:
        """Send ``request`` and return the next line of the answer."""
        assert process.stdin is not None
        assert process.stdout is not None
        rest = memoryview(request)
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            if rest:
                selector.register(process.stdin, selectors.EVENT_WRITE)
            while b"\n" not in self._left:
                remaining = deadline - time.monotonic()
                ready = {key.fileobj for key, _ in selector.select(remaining)} if remaining > 0 else set()
                if not ready:
                    raise _Killed(f"checking it took more than {self.limits.seconds} s")
                if process.stdin in ready:
                    try:
                        rest = rest[os.write(process.stdin.fileno(), rest[:_CHUNK]) :]
                    except BrokenPipeError as broken:
                        raise _Killed(self._why(process)) from broken
                    if not rest:
                        selector.unregister(process.stdin)
                if process.stdout in ready:
                    part = os.read(process.stdout.fileno(), _CHUNK)
                    if not part:
                        raise _Killed(self._why(process))
                    self._left += part
        line, _, self._left = self._left.partition(b"\n")
        return line

    def _why(self, process: subprocess.Popen[bytes]) -> str:
        try:
            status = process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return "the checking process stopped answering"
        if status == -signal.SIGXCPU:
            return f"checking it took more than {self.limits.seconds} s"
        if status in (OUT_OF_MEMORY, -signal.SIGKILL):
            return f"checking it took more than {self.limits.memory_mib} MiB of memory"
        return f"the checking process ended with status {status}"

    def _stop(self) -> None:
        process, self._process, self._left = self._process, None, b""
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def check_untrusted(
    data: bytes,
    file: str,
    context: CheckContext | None = None,
    *,
    limits: Limits = DEFAULT_LIMITS,
) -> Report:
    """Return the report on one file, checked in a process of its own; for several files use ``Sandbox``.

    Raises:
        SandboxUnavailableError: the process cannot be started.
    """
    with Sandbox(limits) as sandbox:
        return sandbox.check(data, file, context=context)


def check_package(
    package: "ProcedurePackage",
    known: CheckContext | None = None,
    *,
    limits: Limits = DEFAULT_LIMITS,
    sandbox: Sandbox | None = None,
) -> list[Report]:
    """Return the reports on all models of a package, which know each other, its forms and decisions.

    Args:
        package: what shall be deployed.
        known: what the installation knows besides, e.g. workers and form classes that channels meet.
        limits: what one file may cost.
        sandbox: one that runs already and goes on running, for many packages; it has its own limits.

    Raises:
        SandboxUnavailableError: the process cannot be started.
    """
    own = CheckContext.for_package(package)
    with nullcontext(sandbox) if sandbox is not None else Sandbox(limits) as box:
        named = [
            box.names(data, file) for file, data in (*package.models.items(), *package.decisions.items())
        ]
        context = replace(
            known or CheckContext(),
            message_types=own.message_types,
            forms=own.forms,
            executable=own.executable,
            processes=frozenset().union(*(processes for processes, _ in named)),
            decisions=frozenset().union(*(decisions for _, decisions in named)),
        )
        return [box.check(data, file, context=context) for file, data in package.models.items()]


def _start(limits: Limits) -> subprocess.Popen[bytes]:
    import engine

    root = Path(engine.__path__[0]).parent
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-c", _BOOT, str(root), str(limits.memory_mib * 1048576)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={"LANG": "C.UTF-8", "PYTHONUTF8": "1"},
            start_new_session=True,
        )
    except OSError as error:
        raise SandboxUnavailableError(f"the process that checks models cannot be started: {error}") from error


def _refused(file: str, rule: str, message: str, hint: str) -> Report:
    return Report(
        file=file,
        findings=(
            Finding(
                rule=rule,
                severity=Severity.ERROR,
                category=Category.UNSUPPORTED if rule == _TOO_MUCH else Category.WRONG,
                file=file,
                line=1,
                element=None,
                name=None,
                message=message,
                hint=hint,
            ),
        ),
    )

"""The child process of the sandbox: reads files from its standard input, writes reports to its output.

One line of JSON announces each file, its bytes follow; one line of JSON answers. Started by ``sandbox``
with a fresh interpreter; nothing of the parent's memory, environment or open files is in here.
"""

import json
import resource
import sys
from typing import Any

OUT_OF_MEMORY = 3
"""Exit status where the memory limit was met."""


def main(memory_bytes: int) -> int:
    """Serve until the input ends; return the exit status."""
    from engine.definitions.checker.check import check_model
    from engine.definitions.checker.schema import load_schema
    from engine.definitions.checker.wire import context_from

    load_schema()
    _limit(memory_bytes)
    source, target = sys.stdin.buffer, sys.stdout.buffer
    target.write(b"ready\n")
    target.flush()
    while line := source.readline():
        request: dict[str, Any] = json.loads(line)
        data = source.read(request["size"])
        _limit_processor(request["seconds"])
        try:
            if request["names"]:
                answer = json.dumps(_names(data, request["file"]))
            else:
                report = check_model(data, request["file"], context=context_from(request["context"]))
                answer = json.dumps(report.to_dict())
        except MemoryError:
            return OUT_OF_MEMORY
        target.write(answer.encode() + b"\n")
        target.flush()
    return 0


def _names(data: bytes, file: str) -> dict[str, list[str]]:
    """Return ids of the processes, ids and names of the decisions that a BPMN or DMN file holds."""
    from engine.definitions.xml import UnreadableFileError, parse_xml, split

    found: dict[str, list[str]] = {"process": [], "decision": []}
    try:
        root = parse_xml(data, file)
    except UnreadableFileError:
        return found
    for element in root:
        _, tag = split(element.tag)
        if tag in found:
            names = (element.get("id"), element.get("name") if tag == "decision" else None)
            found[tag].extend(name for name in names if name)
    return found


def _limit(memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _limit_processor(seconds: int) -> None:
    # The limit counts from the start of the process; the hard one stays open so that the next file can
    # have its own.
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = int(usage.ru_utime + usage.ru_stime) + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (used + seconds, hard))

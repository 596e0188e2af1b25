"""A large attachment must not need a multiple of its size in memory."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SIZE = 30_000_000

SCRIPT = """
import resource, sys
from pathlib import Path
from benchmarks.osci import Bench
folder = Path(sys.argv[1])
bench = Bench(folder)
bench.warm_up()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
bench.round_trip(int(sys.argv[2]))
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
bench.close()
print((after - before) * 1024)
"""


@pytest.mark.long
def test_thirty_megabytes_stay_out_of_memory(tmp_path: Path) -> None:
    """Client and intermediary in one process: sealed, signed, sent, stored, fetched, opened."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path), str(SIZE)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert int(done.stdout) < SIZE

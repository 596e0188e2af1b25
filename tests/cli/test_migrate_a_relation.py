"""The how-to's commands work as typed, in the folder of a demo."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "migrate-a-relation.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.long
def test_every_command_of_the_page_works_as_typed(tmp_path):
    program = Path(sys.executable).with_name("dienstweg")
    made = subprocess.run(
        [program, "demo"], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert made.returncode == 0, made.stdout[-3000:] + made.stderr[-3000:]
    script = "\n".join(["set -e", *BLOCK.findall(PAGE.read_text(encoding="utf-8"))])
    typed = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={"PATH": f"{program.parent}:/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert typed.returncode == 0, typed.stdout[-3000:] + typed.stderr[-3000:]
    said = typed.stdout
    for word in ("ready for a pilot", "dry run, nothing is changed", "pilot 50 %", "Umschaltungen"):
        assert word in said, word
    assert typed.stderr == ""

"""Run benchmarks: ``python -m benchmarks NAME… [--scale quick|full] [--json]``; ``all`` runs every one.

A benchmark is a module of this package with ``DESCRIPTION`` and ``run(scale) -> list[Row]``.
With ``--json`` one object a benchmark is printed: ``{benchmark, conditions, rows: [{name, value, unit}]}``.
"""

import argparse
import json
import pkgutil
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.result import Row, conditions

HELPERS = {"result", "__main__"}


def names() -> list[str]:
    found = [info.name for info in pkgutil.iter_modules([str(Path(__file__).parent)])]
    return [name for name in found if name not in HELPERS and not name.startswith("_")]


def show(name: str, description: str, rows: list[Row]) -> None:
    table = Table(title=f"{name}: {description}", title_justify="left")
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("unit")
    for row in rows:
        table.add_row(row.name, f"{row.value:,.3f}", row.unit)
    Console().print(table)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="+", help=f"all, or: {', '.join(names())}")
    parser.add_argument("--scale", choices=["quick", "full"], default="full")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--out", type=Path, help="also write the objects to this file, one a line")
    arguments = parser.parse_args()
    wanted = names() if arguments.names == ["all"] else arguments.names
    unknown = sorted(set(wanted) - set(names()))
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}")
    lines = []
    for name in wanted:
        module = import_module(f"benchmarks.{name}")
        rows: list[Row] = module.run(arguments.scale)
        result = {
            "benchmark": name,
            "conditions": conditions(arguments.scale),
            "rows": [asdict(row) for row in rows],
        }
        lines.append(json.dumps(result))
        if arguments.json:
            print(lines[-1], flush=True)
        else:
            show(name, module.DESCRIPTION, rows)
        if arguments.out:  # after each: what was measured is not lost where a later one cannot run
            arguments.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

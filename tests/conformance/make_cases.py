"""Writes the drawn cases out: ``python tests/conformance/make_cases.py`` renews ``cases/``."""

import importlib
import json
import pkgutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.conformance import drawings
from tests.conformance.drawings.book import BOOK, Drawn
from tests.conformance.drawings.notation import bpmn

CASES = Path(__file__).parent / "cases"


def drawn() -> list[Drawn]:
    """Return all drawn cases."""
    for module in pkgutil.iter_modules(drawings.__path__):
        importlib.import_module(f"{drawings.__name__}.{module.name}")
    return BOOK


def files_of(case: Drawn) -> dict[str, str]:
    """Return the files of one case's folder."""
    process = "P_" + case.id.replace("-", "_") if case.xml is None else "Hand"
    files = {"adapted.bpmn": case.xml or bpmn(process, case.drawing, starts=True)}
    files.update({f"called-{name}.bpmn": bpmn(name, text, starts=True) for name, text in case.called.items()})
    described = {
        "id": case.id,
        "features": case.features,
        "tier": "bpmn",
        "process_id": process,
        "models": [{"adapted": name} for name in files],
        "pass_through": case.pass_through,
        "why_expected": case.why,
        "scenarios": case.scenarios,
    }
    if case.decisions is not None:
        files["decisions.dmn"] = case.decisions
        described["decisions"] = "decisions.dmn"
    files["case.json"] = json.dumps(described, indent=1, ensure_ascii=False) + "\n"
    return files


def main() -> int:
    """Write all case folders."""
    for case in drawn():
        folder = CASES / case.id
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files_of(case).items():
            (folder / name).write_text(text, encoding="utf-8")
    print(f"{len(drawn())} cases in {CASES.name}/")
    return 0


if __name__ == "__main__":
    sys.exit(main())

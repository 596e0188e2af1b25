"""Evaluations per second of expressions parsed once, next to simpleeval and plain ``eval`` in the same run."""

import time
from collections.abc import Callable
from typing import Any

from simpleeval import SimpleEval

from benchmarks.result import Row
from engine.expressions import compile_expression

DESCRIPTION = "conditions a second, parsed once: ours, simpleeval, eval"
DATA: dict[str, Any] = {
    "amount": 120,
    "status": "open",
    "approved": True,
    "items": [1, 2, 3],
    "order": {"sum": 12.5},
}
BARE = {
    "name": "approved",
    "condition": 'amount > 100 and status == "open"',
    "decimals": '(amount * 1.19 + 5) / 2 >= order["sum"]',
    "list": "len(items) > 2 and 3 in items",
}
OTHERS = {
    "condition in FEEL": '=amount > 100 and status = "open"',
    "condition in JUEL": '${amount > 100 && status == "open"}',
    "loop of 100 in FEEL": "=sum(for i in 1..100 return i * 2)",
}


def rates(functions: list[Callable[[], Any]], count: int) -> list[float]:
    """Return calls a second of processor time: the best of 15 rounds in which all take turns."""
    best = [float("inf")] * len(functions)
    for _ in range(15):
        for place, function in enumerate(functions):
            begin = time.process_time()
            for _ in range(count):
                function()
            best[place] = min(best[place], time.process_time() - begin)
    return [count / one for one in best]


def run(scale: str) -> list[Row]:
    count = 500 if scale == "quick" else 5_000
    rows: list[Row] = []
    for name, text in BARE.items():
        compiled = compile_expression(text)
        simple = SimpleEval(names=DATA, functions={"len": len})
        parsed = simple.parse(text)
        code = compile(text, "benchmark", "eval")
        globals_ = {"__builtins__": {}, "len": len}
        ours, theirs, plain = rates(
            [
                lambda compiled=compiled: compiled.evaluate(DATA),
                lambda s=simple, t=text, p=parsed: s.eval(t, previously_parsed=p),
                lambda c=code, g=globals_: eval(c, g, DATA),
            ],
            count,
        )
        rows += [
            Row(f"{name}: Dienstweg", ours, "evaluations/s"),
            Row(f"{name}: simpleeval", theirs, "evaluations/s"),
            Row(f"{name}: eval", plain, "evaluations/s"),
            Row(f"{name}: Dienstweg / simpleeval", ours / theirs, "ratio"),
        ]
    for name, text in OTHERS.items():
        compiled = compile_expression(text)
        calls = count // 10 if "loop" in name else count
        [found] = rates([lambda c=compiled: c.evaluate(DATA)], calls)
        rows.append(Row(name, found, "evaluations/s"))
    condition = BARE["condition"]
    [found] = rates([lambda: compile_expression(condition)], count // 20)
    rows.append(Row("compiling the condition", found, "texts/s"))
    return rows

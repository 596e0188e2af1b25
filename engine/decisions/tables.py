"""Decision tables: rules, hit policies, outputs (DMN 1.5, chapter 8)."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from engine.decisions.errors import HitPolicyError, TypeMismatchError
from engine.decisions.run import Logic, Names, Run
from engine.decisions.types import Type, Types
from engine.expressions import Compiled, EvaluationError, numbers
from engine.expressions.feel.arithmetic import total
from engine.expressions.feel.rules import equal, less
from engine.expressions.values import Months, Value, intake


class HitPolicy(StrEnum):
    """Which rules count when several hold."""

    UNIQUE = "UNIQUE"
    ANY = "ANY"
    PRIORITY = "PRIORITY"
    FIRST = "FIRST"
    OUTPUT_ORDER = "OUTPUT ORDER"
    RULE_ORDER = "RULE ORDER"
    COLLECT = "COLLECT"

    @property
    def gives_list(self) -> bool:
        """True where the result is a list of the outputs of all rules that hold."""
        return self in (HitPolicy.OUTPUT_ORDER, HitPolicy.RULE_ORDER, HitPolicy.COLLECT)


class Aggregation(StrEnum):
    """What COLLECT makes of the outputs."""

    SUM = "SUM"
    COUNT = "COUNT"
    MIN = "MIN"
    MAX = "MAX"


@dataclass(frozen=True, slots=True)
class Input:
    """An input clause."""

    label: str
    value: Logic
    type: Type
    allowed: Compiled | None
    outside: bool = False
    """True where it reads data that no input data declares: text may stand for a date there."""


@dataclass(frozen=True, slots=True)
class Output:
    """An output clause. ``order`` gives the listed output values, first is highest."""

    name: str | None
    type: Type
    allowed: Compiled | None
    order: tuple[Compiled, ...]
    default: Logic | None


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule; ``number`` counts from 1 in document order."""

    number: int
    line: int
    tests: tuple[Compiled, ...]
    outputs: tuple[Logic, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A decision table."""

    name: str
    policy: HitPolicy
    aggregation: Aggregation | None
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    rules: tuple[Rule, ...]
    types: Types

    def __call__(self, names: Names, run: Run) -> Value:
        """Return the result; raise HitPolicyError or TypeMismatchError."""
        values = [self._input(clause, names, run) for clause in self.inputs]
        hits = self._hits(values, names, run)
        if not hits:
            return self._nothing(names, run)
        return POLICIES[self.policy](self, hits, lambda rule: self._outputs(rule, names, run))

    def _input(self, clause: Input, names: Names, run: Run) -> Value:
        what = f'input "{clause.label}"'
        value = self.types.fit(clause.value(names, run), clause.type, what, outside=clause.outside)
        if clause.allowed is not None and value is not None:
            judged = clause.allowed.value({**names, "?": value}, run.functions, run.budget)
            if judged is not True:
                raise TypeMismatchError(
                    f'input "{clause.label}" of "{self.name}" is not among its values:'
                    f" {clause.allowed.text.strip()}"
                )
        return value

    def _hits(self, values: Sequence[Value], names: Names, run: Run) -> list[Rule]:
        scopes = [{**names, "?": value} for value in values]
        found = []
        for rule in self.rules:
            run.budget.spend(len(scopes) + 1)
            if all(
                test.value(scope, run.functions, run.budget) is True
                for test, scope in zip(rule.tests, scopes, strict=True)
            ):
                found.append(rule)
                if self.policy is HitPolicy.FIRST:
                    break
        return found

    def _outputs(self, rule: Rule, names: Names, run: Run) -> list[Value]:
        found = []
        for clause, cell in zip(self.outputs, rule.outputs, strict=True):
            what = f'output "{clause.name or self.name}" of rule {rule.number}'
            value = self.types.fit(cell(names, run), clause.type, what)
            if clause.allowed is not None and clause.allowed.value({**names, "?": value}) is not True:
                raise TypeMismatchError(
                    f"{what} (line {rule.line}) is not among its values: {clause.allowed.text.strip()}"
                )
            found.append(value)
        return found

    def _nothing(self, names: Names, run: Run) -> Value:
        """Return the default outputs, or what no hit means: [] for lists, 0 for a count, else null."""
        if any(clause.default is not None for clause in self.outputs):
            values = [
                None
                if clause.default is None
                else self.types.fit(clause.default(names, run), clause.type, "default output")
                for clause in self.outputs
            ]
            result = self.result(values)
            return [result] if self.policy.gives_list and self.aggregation is None else result
        if self.aggregation is not None:
            return 0 if self.aggregation is Aggregation.COUNT else None
        return [] if self.policy.gives_list else None

    def result(self, values: Sequence[Value]) -> Value:
        """Return one rule's outputs: the value, or a context where the table has several outputs."""
        if len(self.outputs) == 1:
            return values[0]
        return {str(clause.name): value for clause, value in zip(self.outputs, values, strict=True)}

    def rank(self, values: Sequence[Value]) -> tuple[int, ...]:
        """Return the priority of outputs: for each output with listed values its place among them."""
        places = []
        for clause, value in zip(self.outputs, values, strict=True):
            if clause.order:
                found = [place for place, test in enumerate(clause.order) if test.value({"?": value}) is True]
                places.append(found[0] if found else len(clause.order))
        return tuple(places)


Outputs = Callable[[Rule], list[Value]]
Policy = Callable[[Table, list[Rule], Outputs], Value]


def _numbers(rules: Sequence[Rule]) -> str:
    shown = ", ".join(f"{rule.number} (line {rule.line})" for rule in rules[:10])
    return shown if len(rules) <= 10 else f"{shown}, …"


def _unique(table: Table, hits: list[Rule], outputs: Outputs) -> Value:
    if len(hits) > 1:
        raise HitPolicyError(
            f'in "{table.name}" only one rule may hold (UNIQUE), but these hold: {_numbers(hits)}',
            hint="make the rules exclude each other, or choose another hit policy",
        )
    return table.result(outputs(hits[0]))


def _any(table: Table, hits: list[Rule], outputs: Outputs) -> Value:
    results = [table.result(outputs(rule)) for rule in hits]
    if any(equal(intake(results[0]), intake(other)) is not True for other in results[1:]):
        raise HitPolicyError(
            f'in "{table.name}" rules that hold must agree (ANY), but these differ: {_numbers(hits)}',
            hint="give them the same outputs, or choose another hit policy",
        )
    return results[0]


def _first(table: Table, hits: list[Rule], outputs: Outputs) -> Value:
    return table.result(outputs(hits[0]))


def _by_rank(table: Table, hits: list[Rule], outputs: Outputs) -> list[list[Value]]:
    return sorted((outputs(rule) for rule in hits), key=table.rank)


def _priority(table: Table, hits: list[Rule], outputs: Outputs) -> Value:
    return table.result(_by_rank(table, hits, outputs)[0])


def _output_order(table: Table, hits: list[Rule], outputs: Outputs) -> Value:
    return [table.result(values) for values in _by_rank(table, hits, outputs)]


def _rule_order(table: Table, hits: list[Rule], outputs: Outputs) -> Value:
    return [table.result(outputs(rule)) for rule in hits]


def _collect(table: Table, hits: list[Rule], outputs: Outputs) -> Value:
    results = _rule_order(table, hits, outputs)
    if table.aggregation is None:
        return results
    if table.aggregation is Aggregation.COUNT:
        return len(results)
    if table.aggregation is Aggregation.SUM:
        return _summed(table, results)
    best = results[0]
    for value in results[1:]:
        lower = less(value, best) if table.aggregation is Aggregation.MIN else less(best, value)
        if lower is None:
            raise HitPolicyError(f'the outputs of "{table.name}" cannot be compared')
        best = value if lower else best
    return best


def _summed(table: Table, results: list[Value]) -> Value:
    if all(type(value) in (*numbers.NUMERIC, timedelta, Months) for value in results):
        with suppress(EvaluationError):
            return total(results)
    raise HitPolicyError(
        f'the outputs of "{table.name}" cannot be added', hint="SUM adds numbers, or durations of one kind"
    )


POLICIES: Mapping[HitPolicy, Policy] = {
    HitPolicy.UNIQUE: _unique,
    HitPolicy.ANY: _any,
    HitPolicy.PRIORITY: _priority,
    HitPolicy.FIRST: _first,
    HitPolicy.OUTPUT_ORDER: _output_order,
    HitPolicy.RULE_ORDER: _rule_order,
    HitPolicy.COLLECT: _collect,
}

"""Decisions of a DMN file: read once, evaluated often."""

from collections.abc import Mapping
from dataclasses import dataclass

from engine.decisions.errors import MissingInputError, NoSuchDecisionError
from engine.decisions.run import Logic, Names, Run
from engine.decisions.types import Type, Types
from engine.expressions import EvaluationError, LimitError
from engine.expressions.compiled import NOTHING
from engine.expressions.values import Functions, Json, Value, to_json


@dataclass(frozen=True, slots=True)
class InputData:
    """A value that comes from the case's data."""

    id: str
    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision with what it requires, by id."""

    id: str
    name: str
    line: int
    variable: str
    type: Type
    logic: Logic
    inputs: tuple[str, ...]
    decisions: tuple[str, ...]
    knowledge: tuple[str, ...]
    implicit: frozenset[str]
    """Names of the data that its tables read although no input data declares them."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """A business knowledge model or decision service: a function that decisions call by name."""

    id: str
    name: str
    make: Logic
    knowledge: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decisions:
    """All decisions of a file; immutable, safe to share between threads."""

    file: str
    version: str
    decisions: Mapping[str, Decision]
    """By id, in document order."""
    inputs: Mapping[str, InputData]
    knowledge: Mapping[str, Knowledge]
    types: Types

    def __contains__(self, decision: str) -> bool:
        """Tell whether a decision has this id or name."""
        name = " ".join(decision.split())
        return decision in self.decisions or any(one.name == name for one in self.decisions.values())

    def find(self, decision: str) -> Decision:
        """Return the decision with this id, else with this name; raise NoSuchDecisionError."""
        if decision in self.decisions:
            return self.decisions[decision]
        named = [found for found in self.decisions.values() if found.name == " ".join(decision.split())]
        if len(named) == 1:
            return named[0]
        known = ", ".join(sorted(found.name for found in self.decisions.values())) or "none"
        problem = "several decisions are" if named else "no decision is"
        raise NoSuchDecisionError(
            f'{problem} called "{decision[:100]}"', where=self.file, hint=f"the file has: {known[:500]}"
        )

    def evaluate(self, decision: str, data: Mapping[str, Json], *, functions: Functions = NOTHING) -> Json:
        """Return the result of a decision for ``data`` as JSON.

        Args:
            decision: Its id or name.
            data: Input data by name. Dates and durations are ISO 8601 strings where the type says so.
            functions: ``now`` and ``today`` where the decisions ask for them.

        Raises:
            NoSuchDecisionError: the file has no such decision.
            DecisionError: input is missing or of the wrong type, or rules contradict the hit policy.
        """
        found = self.find(decision)
        try:
            return to_json(self.value(found, Run(data, functions)))
        except RecursionError:
            raise LimitError("the decisions nest too deeply", expression=found.name) from None
        except EvaluationError as error:
            raise error.inside(f'decision "{found.name}"') from None

    def value(self, decision: Decision, run: Run) -> Value:
        """Return a decision's value inside a run; required decisions are evaluated once a run."""
        if decision.id not in run.results:
            value = decision.logic(self._names(decision, run), run)
            run.results[decision.id] = self.types.fit(value, decision.type, f'decision "{decision.name}"')
        return run.results[decision.id]

    def _names(self, decision: Decision, run: Run) -> Names:
        names: dict[str, Value] = {}
        for name in decision.implicit:
            if name not in run.data:
                raise _missing(name)
            names[name] = run.data[name]
        for key in decision.inputs:
            names[self.inputs[key].name] = self.input(self.inputs[key], run)
        for key in decision.decisions:
            names[self.decisions[key].variable] = self.value(self.decisions[key], run)
        names.update(self.functions(decision.knowledge, run))
        return names

    def input(self, item: InputData, run: Run) -> Value:
        """Return the value of an input data; raise MissingInputError or TypeMismatchError."""
        if item.name not in run.data:
            raise _missing(item.name)
        return self.types.fit(run.data[item.name], item.type, f'input data "{item.name}"', outside=True)

    def functions(self, keys: tuple[str, ...], run: Run) -> dict[str, Value]:
        """Return the function values of knowledge models and services, by name."""
        found: dict[str, Value] = {}
        for key in keys:
            item = self.knowledge[key]
            found[item.name] = item.make(self.functions(item.knowledge, run), run)
        return found

    def wants(self, decision: Decision) -> dict[str, str]:
        """Return the inputs that a decision needs, its own and those of required decisions: name → type."""
        found: dict[str, str] = {}
        pending, seen = [decision], {decision.id}
        while pending:
            current = pending.pop(0)
            found.update({self.inputs[key].name: self.inputs[key].type.name for key in current.inputs})
            found.update(dict.fromkeys(sorted(current.implicit), "Any"))
            for key in current.decisions:
                if key not in seen:
                    seen.add(key)
                    pending.append(self.decisions[key])
        return found


def _missing(name: str) -> MissingInputError:
    return MissingInputError(f'the data has no "{name}"', hint="give it a value; null is one too")

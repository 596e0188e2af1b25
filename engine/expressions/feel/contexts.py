"""FEEL's built-in functions for contexts."""

from typing import Any

from engine.expressions.errors import EvaluationError
from engine.expressions.feel.registry import Registry
from engine.expressions.limits import check_count
from engine.expressions.rules import Env
from engine.expressions.values import Value, intake

REGISTRY = Registry()
builtin = REGISTRY.add


@builtin("get value", "m: context, key: string")
def _get_value(env: Env, m: dict[str, Value], key: str) -> Value:
    return intake(m.get(key))


@builtin("get entries", "m: context")
def _get_entries(env: Env, m: dict[str, Value]) -> Value:
    env.budget.spend(len(m))
    return [{"key": key, "value": value} for key, value in m.items()]


@builtin("context", "entries: list")
def _context(env: Env, entries: list[Value]) -> Value:
    found: dict[str, Value] = {}
    env.budget.spend(check_count(len(entries)))
    for entry in entries:
        if type(entry) is not dict or type(entry.get("key")) is not str or "value" not in entry:
            raise EvaluationError('an entry is a context with "key" and "value"')
        if entry["key"] in found:
            raise EvaluationError("a key stands there twice")
        found[entry["key"]] = entry["value"]
    return found


@builtin(
    "context put", "context: context, key: string, value: any", "context: context, keys: list, value: any"
)
def _context_put(env: Env, context: dict[str, Value], key: Any, value: Value) -> Value:
    path = key if type(key) is list else [key]
    if not path or any(type(step) is not str for step in path):
        raise EvaluationError("keys are strings")
    changed = dict(context)
    env.budget.spend(len(context))
    if len(path) == 1:
        changed[path[0]] = value
        return changed
    inner = changed.get(path[0], {})
    if type(inner) is not dict:
        raise EvaluationError(f'"{path[0]}" is no context')
    changed[path[0]] = _context_put(env, inner, path[1:], value)
    return changed


@builtin("context merge", "contexts: list")
def _context_merge(env: Env, contexts: list[Value]) -> Value:
    found: dict[str, Value] = {}
    for context in contexts:
        if type(context) is not dict:
            raise EvaluationError("contexts are needed")
        env.budget.spend(len(context) + 1)
        found.update(context)
    return found

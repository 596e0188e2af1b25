"""The table of all rules that look at a model."""

from engine.definitions.checker import (
    rules_calls,
    rules_catching,
    rules_compensation,
    rules_deadlines,
    rules_events,
    rules_exchange,
    rules_expressions,
    rules_extensions,
    rules_file,
    rules_flows,
    rules_tasks,
    rules_tokens,
)
from engine.definitions.checker.rule import Rule

RULES: tuple[Rule, ...] = tuple(
    sorted(
        (
            *rules_file.RULES,
            *rules_flows.RULES,
            *rules_tokens.RULES,
            *rules_events.RULES,
            *rules_catching.RULES,
            *rules_compensation.RULES,
            *rules_calls.RULES,
            *rules_tasks.RULES,
            *rules_expressions.RULES,
            *rules_extensions.RULES,
            *rules_exchange.RULES,
            *rules_deadlines.RULES,
        ),
        key=lambda rule: rule.id,
    )
)

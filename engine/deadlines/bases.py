"""Which basis a rule can run from, where a model or a person says what its start hangs on."""

from collections.abc import Mapping
from types import MappingProxyType

from engine.deadlines.errors import BasisUnsuitableError
from engine.deadlines.rules import Basis
from engine.deadlines.rules_reading import load_rules

STARTED_BY: Mapping[Basis, tuple[str, ...]] = MappingProxyType(
    {Basis.ARRIVAL: ("received", "imported"), Basis.RECEIPT: ("acknowledged",)}
)
"""Facts that start a rule which itself names no start (``vwvfg-31``)."""


def check_basis(rule_id: str, basis: str) -> None:
    """Refuse a basis that the rule does not run from; raise UnknownRuleError, BasisUnsuitableError."""
    rule = load_rules().get(rule_id)
    free = "given" in rule.starts.values()
    if rule.basis.value != basis and not (free and Basis(basis) in STARTED_BY):
        raise BasisUnsuitableError(
            f"{rule_id} does not run from {basis}",
            hint="give its start as a date" if free else f"it runs from {rule.basis.value}",
        )

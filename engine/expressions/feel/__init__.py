"""The FEEL dialect: DMN's expression language."""

from collections.abc import Collection, Mapping

from engine.expressions.compiled import Compiled, finish
from engine.expressions.feel import arithmetic, contexts, dates, lists, ranges, strings
from engine.expressions.feel.closures import FEEL_BUILDERS
from engine.expressions.feel.parser import parse, parse_tests
from engine.expressions.feel.rules import FeelRules
from engine.expressions.rules import Builtin

BUILTINS: Mapping[str, Builtin] = {
    **strings.REGISTRY.functions,
    **arithmetic.REGISTRY.functions,
    **lists.REGISTRY.functions,
    **dates.REGISTRY.functions,
    **ranges.REGISTRY.functions,
    **contexts.REGISTRY.functions,
}
"""Everything FEEL expressions may call, besides what the caller supplies (now, today)."""
RULES = FeelRules(BUILTINS)


def compile_feel(
    text: str, names: Collection[str] = (), *, functions: Collection[str] = (), words: Collection[str] = ()
) -> Compiled:
    """Compile a FEEL expression; a leading ``=`` is allowed.

    Args:
        text: The expression.
        names: Variables in scope; needed for names with key words or symbols in them and for function values.
        functions: Names of further functions that the caller will supply to ``evaluate``.
        words: Further names with key words or symbols in them, such as keys of contexts.

    Raises:
        ExpressionError: with position and hint, for everything outside the documented subset.
    """
    start = len(text) - len(text.lstrip())
    start += 1 if text.startswith("=", start) else 0
    return finish(text, parse(text, (*names, *words), start), RULES, functions, FEEL_BUILDERS, names)


def compile_unary_tests(
    text: str, names: Collection[str] = (), *, functions: Collection[str] = (), words: Collection[str] = ()
) -> Compiled:
    """Compile a decision table's cell: the result is true or false for the data with the input as ``?``.

    Args and Raises: as ``compile_feel``.
    """
    return finish(text, parse_tests(text, (*names, *words)), RULES, functions, FEEL_BUILDERS, names)

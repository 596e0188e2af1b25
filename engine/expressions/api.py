"""Texts in, compiled expressions out: which dialect a text is written in, and nothing guessed."""

from collections.abc import Collection

from engine.expressions import bare, juel
from engine.expressions.compiled import Compiled, finish
from engine.expressions.errors import ExpressionError
from engine.expressions.feel import compile_feel
from engine.expressions.strict import BareRules

LANGUAGES = {
    "bare": "bare",
    "python": "bare",
    "text/python": "bare",
    "text/x-python": "bare",
    "http://www.python.org/": "bare",
    "https://www.python.org/": "bare",
    "feel": "feel",
    "text/feel": "feel",
    "http://www.omg.org/spec/feel/20140401": "feel",
    "http://www.omg.org/spec/dmn/20180521/feel/": "feel",
    "https://www.omg.org/spec/dmn/20191111/feel/": "feel",
    "https://www.omg.org/spec/dmn/20211108/feel/": "feel",
    "https://www.omg.org/spec/dmn/20230324/feel/": "feel",
    "juel": "juel",
    "text/juel": "juel",
    "el": "juel",
    "unified-expression-language": "juel",
}
"""Names and URIs of expressionLanguage and scriptFormat, in lower case."""
BARE = BareRules()
JUEL = juel.JuelRules()


def dialect_of(text: str, language: str | None = None) -> str:
    """Return ``bare``, ``feel`` or ``juel``: by ``language`` where it is given, else by the text's form.

    Raises:
        ExpressionError: the language is none of ours.
    """
    if language is not None and language.strip():
        known = LANGUAGES.get(language.strip().lower())
        if known is None:
            raise ExpressionError(
                f'the expression language "{language.strip()[:100]}" is not supported',
                text=text,
                hint="use FEEL (=…), JUEL (${…}) or the bare syntax and drop the language attribute",
            )
        return known
    if text.lstrip().startswith("="):
        return "feel"
    if "${" in text or "#{" in text:
        return "juel"
    return "bare"


def compile_expression(
    text: str, language: str | None = None, *, functions: Collection[str] = ()
) -> Compiled:
    """Compile ``text``: FEEL behind ``=``, JUEL in ``${…}`` or ``#{…}``, else the bare dialect.

    Args:
        text: The expression as the model has it.
        language: BPMN's expressionLanguage or language, a URI or name; it wins over the form.
        functions: Names of further functions that the caller will supply to ``evaluate``.

    Raises:
        ExpressionError: with position and hint, for everything outside the documented subset.
    """
    dialect = dialect_of(text, language)
    if dialect == "feel":
        return compile_feel(text, functions=functions)
    if dialect == "juel":
        return finish(text, juel.parse(text), JUEL, functions)
    return finish(text, bare.parse(text), BARE, functions)

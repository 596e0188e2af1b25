"""docs/reference/expressions.md names every function, limit and language that the code knows."""

from pathlib import Path

import pytest

from engine.expressions import limits
from engine.expressions.api import LANGUAGES, compile_expression
from engine.expressions.compiled import SUPPLIED
from engine.expressions.feel import BUILTINS
from engine.expressions.functions import BARE

TEXT = (Path(__file__).parents[2] / "docs" / "reference" / "expressions.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted({*BUILTINS, *SUPPLIED}))
def test_feel_functions(name):
    assert f"`{name}(" in TEXT or f"`{name}`" in TEXT


@pytest.mark.parametrize("name", sorted(BARE))
def test_bare_functions(name):
    assert name in TEXT.split("Functions: `")[1].split("`")[0].split()


@pytest.mark.parametrize(
    "number", [limits.TEXT, limits.STEPS, limits.ITEMS, limits.CHARACTERS, limits.PATTERN]
)
def test_limits(number):
    assert f"{number:,}" in TEXT


@pytest.mark.parametrize("number", [limits.NESTING, limits.DEPTH, limits.FRAMES])
def test_small_limits(number):
    assert f" {number} " in TEXT or f"| {number} " in TEXT


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_languages(language):
    text = "${1 + 1}" if LANGUAGES[language] == "juel" else "1 + 1"
    assert compile_expression(text, language).evaluate({}) == 2

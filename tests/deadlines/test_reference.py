"""The reference page says what the rules say."""

from pathlib import Path

from engine.deadlines.functions import NAMES
from engine.deadlines.reference import renew
from engine.deadlines.rules_reading import load_rules

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "deadlines.md"


def test_the_page_is_current() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert renew(page, load_rules()) == page, (
        "run python -m engine.deadlines.reference docs/reference/deadlines.md"
    )


def test_every_function_of_models_is_described() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert all(f"`{name}(" in page for name in NAMES)

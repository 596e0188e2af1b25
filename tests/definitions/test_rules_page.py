"""Every rule has its section on the page, and its examples show that rule and nothing else."""

import re
from pathlib import Path

import pytest

from engine.definitions.checker import CheckContext, check_model
from engine.definitions.checker.check import FILE_RULES, TOO_MUCH
from engine.definitions.checker.table import RULES

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "rules.md"
_SECTION = re.compile(r"^## (DW\d{3})\n(.*?)(?=^#{1,2} |\Z)", re.MULTILINE | re.DOTALL)
_EXAMPLE = re.compile(r"^(Wrong|Right):\n\n```xml\n(.*?)\n```", re.MULTILINE | re.DOTALL)
_CONTEXT = re.compile(r"<!-- context: (\w+)=([\w,]+) -->\n")
WHOLE = "<!-- whole file -->\n"
HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:camunda="http://camunda.org/schema/1.0/bpmn"'
    ' xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"'
    ' xmlns:dw="urn:dienstweg:bpmn:1" id="definitions" targetNamespace="urn:example">\n'
)


def sections() -> dict[str, str]:
    return dict(_SECTION.findall(PAGE.read_text("utf-8")))


def findings(example: str) -> set[str]:
    context = _CONTEXT.match(example)
    known = CheckContext()
    if context is not None:
        known = CheckContext(**{context[1]: frozenset(context[2].split(","))})
        example = example[context.end() :]
    if example.startswith(WHOLE):
        text = example.removeprefix(WHOLE)
    else:
        if "<process" not in example and "<message" not in example.split("\n")[0]:
            example = f'<process id="loan" isExecutable="true">\n{example}\n</process>'
        text = f"{HEAD}{example}\n</definitions>"
    return {item.rule for item in check_model(text.encode(), "example.bpmn", context=known).findings}


def examples() -> list[tuple[str, str, str]]:
    return [(rule, *found) for rule, text in sections().items() for found in _EXAMPLE.findall(text)]


@pytest.mark.parametrize(
    ("rule", "kind", "example"), examples(), ids=lambda value: value if len(value) < 6 else "xml"
)
def test_example_shows_its_rule_and_nothing_else(rule: str, kind: str, example: str) -> None:
    assert findings(example) == ({rule} if kind == "Wrong" else set())


def test_every_rule_has_its_section_with_both_examples() -> None:
    assert set(sections()) == {rule.id for rule in RULES} | set(FILE_RULES)
    for rule, text in sections().items():
        kinds = [kind for kind, _ in _EXAMPLE.findall(text)]
        assert kinds == ([] if rule == TOO_MUCH else ["Wrong", "Right"]), rule


def test_page_tells_title_severity_and_category_of_each_rule() -> None:
    for rule in RULES:
        assert f"**{rule.title}** ({rule.severity}, {rule.category})" in sections()[rule.id]


def test_ids_are_unique() -> None:
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids))

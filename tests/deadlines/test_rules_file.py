"""The file of legal rules: what ships is whole, and every fault names rule and field."""

from datetime import date

import pytest

from engine.deadlines.errors import RuleFileError, RuleNotInForceError, UnknownRuleError, UnsuitableStartError
from engine.deadlines.rules import Basis, Channel, How
from engine.deadlines.rules_reading import load_rules, read_rules

STABLE = (
    "vwvfg-31",
    "vwvfg-41-2",
    "vwvfg-41-2a",
    "vwvfg-41-4",
    "ao-122",
    "ao-122a",
    "vwzg-4",
    "vwzg-5-4",
    "vwzg-5-5",
    "ozg-9",
    "baugb-36-2",
)
QUESTION = """
questions:
  - id: asked
    title: {de: Frage, en: question}
    source: § 1
    options:
      shift: {de: ja, en: "yes"}
      stay: {de: nein, en: "no"}
"""
RULE = """
laws:
  - {name: X, moves: § 2 X}
rules:
  - id: a-rule
    law: X
    title: {de: Regel, en: rule}
    how: period
    basis: arrival
    starts: received
    counts: event
    weekend: shift
    calendar: place
    versions:
      - {until: 2024-12-31, source: § 1 X alt, period: P1M}
      - {from: 2025-01-01, source: § 1 X, period: P2M}
    extension: none
"""


def test_the_stable_ids_are_there_and_every_version_has_a_source() -> None:
    rules = load_rules().rules
    assert set(STABLE) <= set(rules)
    for rule in rules.values():
        assert all(version.source.startswith("§") for version in rule.versions), rule.id
        assert rule.extension is None or rule.extension.source.startswith("§"), rule.id


def test_what_is_deemed_granted_hangs_on_arrival() -> None:
    for rule in load_rules().rules.values():
        assert not rule.deemed or rule.basis is Basis.ARRIVAL


def test_every_open_question_is_asked_somewhere() -> None:
    rules = load_rules()
    used = {name for rule in rules.rules.values() for name in (rule.weekend, rule.counts, rule.saturday)}
    used |= {
        case.doubt.question
        for rule in rules.rules.values()
        for version in rule.versions
        for case in version.cases
        if case.doubt
    }
    assert set(rules.questions) <= used


def test_presumptions_changed_from_three_to_four_days_on_new_years_day_2025() -> None:
    for rule in load_rules().rules.values():
        if rule.how is How.NOTIFICATION and len(rule.versions) > 1:
            old = rule.case(date(2024, 12, 31), None, False)
            new = rule.case(date(2025, 1, 1), None, False)
            assert old is not None
            assert new is not None
            assert (str(old.period), str(new.period)) == ("P3D", "P4D"), rule.id


def test_unknown_rules_are_refused_with_what_looks_alike() -> None:
    with pytest.raises(UnknownRuleError, match="baugb-36a"):
        load_rules().get("baugb-36")
    with pytest.raises(UnknownRuleError, match="deadline rules"):
        load_rules().get("§§§")


def test_a_version_is_chosen_by_the_day_of_the_start() -> None:
    rule = read_rules(RULE.encode()).get("a-rule")
    assert rule.version(date(2024, 12, 31)).source == "§ 1 X alt"
    assert rule.version(date(2025, 1, 1)).source == "§ 1 X"
    with pytest.raises(RuleNotInForceError, match="2025-10-30"):
        load_rules().get("baugb-36a").version(date(2025, 10, 29))


def test_a_channel_the_rule_does_not_know_is_refused() -> None:
    with pytest.raises(UnsuitableStartError, match="about post"):
        load_rules().get("vwzg-4").case(date(2026, 1, 1), Channel.ELECTRONIC, False)


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("    law: X\n", "", ("a-rule", "law", "missing")),
        ("    law: X\n", "    law: Y\n", ("a-rule", "law", "one of the file's laws")),
        ("how: period", "how: guess", ("a-rule", "how", "guess")),
        ("basis: arrival", "basis: hope", ("a-rule", "basis", "hope")),
        ("starts: received", "starts: dreamt", ("a-rule", "starts", "dreamt")),
        ("starts: received", "starts: {}", ("a-rule", "starts")),
        ("counts: event", "counts: twice", ("a-rule", "counts", "twice")),
        ("weekend: shift", "weekend: party", ("a-rule", "weekend", "party")),
        ("calendar: place", "calendar: mine", ("a-rule", "calendar", "mine")),
        ("en: rule}", "fr: règle}", ("a-rule", "title", "missing")),
        ("P2M", "P2X", ("a-rule", "versions[1].period", "P2X")),
        ("P2M", "P0D", ("a-rule", "versions[1].period", "no length")),
        ("from: 2025-01-01", "from: 1.1.2025", ("a-rule", "versions[1].from")),
        ("from: 2025-01-01", "from: 2024-06-01", ("a-rule", "versions", "overlap")),
        ("from: 2025-01-01, source: § 1 X", "from: 2025-01-01", ("a-rule", "versions[1].source", "missing")),
        ("period: P2M", "period: P2M, workdays: 3", ("a-rule", "workdays")),
        ("extension: none", "extension: {by: [anybody], source: § 2}", ("a-rule", "by")),
        ("extension: none", "extension: none\n    surprise: 1", ("a-rule", "surprise", "no field")),
        ("extension: none", "extension: none\n    flags: text", ("a-rule", "flags", "list")),
        ("extension: none", "extension: none\n    deemed: 1", ("a-rule", "deemed", "true or false")),
        ("basis: arrival", "basis: fixed\n    deemed: true", ("a-rule", "deemed", "arrival")),
        ("how: period", "how: notification\n    then: nowhere", ("a-rule", "then", "nowhere")),
        ("weekend: shift", "weekend: asked-not", ("a-rule", "weekend", "question")),
        ("  - id: a-rule", "  - id: a-rule\n    id: b", ("second time",)),
    ],
)
def test_faults_name_rule_and_field(old: str, new: str, names: tuple[str, ...]) -> None:
    assert old in RULE
    with pytest.raises(RuleFileError) as raised:
        read_rules((QUESTION + RULE.replace(old, new, 1)).encode())
    for name in names:
        assert name in str(raised.value), str(raised.value)
    assert "rules.yaml:" in str(raised.value)


def test_the_same_id_twice_is_refused() -> None:
    twice = RULE + RULE.partition("\nrules:\n")[2]
    with pytest.raises(RuleFileError, match="second time"):
        read_rules(twice.encode())


def test_a_question_must_have_the_answers_its_place_computes() -> None:
    with pytest.raises(RuleFileError, match="asked"):
        read_rules((QUESTION + RULE.replace("counts: event", "counts: asked")).encode())
    assert read_rules((QUESTION + RULE.replace("weekend: shift", "weekend: asked")).encode())


@pytest.mark.parametrize("content", [b"", b"rules: 5", b"- 1", b"\xff", b"rules: [1]", b"rules: *x"])
def test_what_is_no_file_of_rules_is_refused(content: bytes) -> None:
    with pytest.raises(RuleFileError):
        read_rules(content)

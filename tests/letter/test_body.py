"""From template text to blocks; what comes from data stays inside its place."""

from hypothesis import given
from hypothesis import strategies as st

from adapters.letter.body import one_line, plain, read_body, shield


def test_paragraphs_flow_and_keep_wanted_breaks() -> None:
    assert read_body("wir bitten\num Hilfe.\n\nMit Grüßen\\\nMüller\n") == [
        {"kind": "paragraph", "lines": ["wir bitten um Hilfe."]},
        {"kind": "paragraph", "lines": ["Mit Grüßen", "Müller"]},
    ]


def test_lists_rows_and_headings() -> None:
    text = "# Forderung\n| Haupt | 12 € |\n| Kosten | 3 € | davon |\n\nDass\n- eins\n  und mehr\n- zwei\n"
    assert read_body(text) == [
        {"kind": "heading", "lines": ["Forderung"]},
        {"kind": "rows", "rows": [["Haupt", ["12 €"]], ["Kosten", ["3 € · davon"]]]},
        {"kind": "paragraph", "lines": ["Dass"]},
        {"kind": "list", "items": [["eins und mehr"], ["zwei"]]},
    ]


def test_two_labelled_lines_are_rows_one_is_a_paragraph() -> None:
    assert read_body("Name: Müller\nOrt: Homburg")[0]["kind"] == "rows"
    assert read_body("Hinweis: bitte bald")[0]["kind"] == "paragraph"


@given(st.text(max_size=80))
def test_data_never_forms_structure(value: str) -> None:
    blocks = read_body(f"vor {shield(value)} nach\n\n{shield(value)}.\n\n| Name | {shield(value)} |")
    assert [block["kind"] for block in blocks] == ["paragraph", "paragraph", "rows"]
    assert len(blocks[2]["rows"]) == 1


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Cn", "Zl", "Zp"]), max_size=60))
def test_nothing_of_data_is_lost(value: str) -> None:
    (block,) = read_body(f"a {shield(value)} b")
    assert "".join("".join(block["lines"]).split()) == "".join(f"a{value}b".split())


def test_line_breaks_of_data_are_kept_inside_the_paragraph() -> None:
    (block,) = read_body("Bericht: " + shield("erste\r\nzweite\n- dritte"))
    assert block == {"kind": "paragraph", "lines": ["Bericht: erste", "zweite", "- dritte"]}


def test_controls_and_direction_overrides_are_dropped() -> None:
    assert plain("a\x00b\x1bc\u202ed\ufffee") == "abcde"
    assert one_line(" a\n b\t c ") == "a b c"

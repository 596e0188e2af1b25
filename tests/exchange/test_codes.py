"""Printed codes: what a clerk may mistype, whose they are, and what is refused."""

import random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.exchange.codes import (
    SYMBOLS,
    CodeUnreadableError,
    Kind,
    Standing,
    TooManyPagesError,
    exchange_key,
    make_code,
    parse_code,
    read_code,
)

SECRET = b"s" * 32
EXCHANGE = "3f2b8c1e-94d7-4a60-8f15-0c6de2a7b391"

installations = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=2, max_size=8)
codes = st.builds(
    lambda installation, exchange, kind, page, more: make_code(installation, str(exchange), SECRET, kind).on(
        page, page + more
    ),
    installations,
    st.uuids(version=4),
    st.sampled_from(Kind),
    st.integers(1, 500),
    st.integers(0, 500),
)


@given(codes)
def test_print_and_parse_are_inverse(code):
    assert parse_code(code.text) == code
    assert parse_code(code.compact) == code


@given(codes, st.data())
def test_a_clerk_may_type_as_people_do(code, data):
    swaps = {"0": "oO0", "1": "iIlL1", "V": "uUvV"}
    head, tail = code.compact[: len(code.installation)], code.compact[len(code.installation) :]
    typed = "".join(data.draw(st.sampled_from(swaps.get(symbol, symbol + symbol.lower()))) for symbol in tail)
    blanks = data.draw(st.sampled_from([" ", "-", " - ", "", "–"]))
    typed = head.lower() + blanks + blanks.join(typed[i : i + 4] for i in range(0, len(typed), 4))
    assert parse_code(f"  {typed} ") == code


@given(codes, st.data())
def test_one_wrong_symbol_is_always_found(code, data):
    text = code.compact
    place = data.draw(st.integers(len(code.installation), len(text) - 1))
    wrong = data.draw(st.sampled_from([s for s in SYMBOLS if s != text[place]]))
    with pytest.raises(CodeUnreadableError):
        parse_code(text[:place] + wrong + text[place + 1 :])


def test_nearly_every_exchange_of_neighbours_is_found():
    text = make_code("SB", EXCHANGE, SECRET).on(2, 3).compact
    source, tried, missed = random.Random(7), 0, 0
    for _ in range(20_000):
        one, other = source.sample(SYMBOLS, 2)
        place = source.randrange(2, 13)
        left = text[:place] + one + other + text[place + 2 : -1]
        right = text[:place] + other + one + text[place + 2 : -1]
        from engine.exchange.codes import check_symbol

        tried += 1
        missed += check_symbol(left) == check_symbol(right)
    assert missed / tried < 0.01


def test_the_wrong_check_digit_is_explained():
    text = make_code("SB", EXCHANGE, SECRET).on(1, 1).text
    wrong = text[:-1] + ("7" if text[-1] != "7" else "8")
    with pytest.raises(
        CodeUnreadableError, match=r"check digit is [78], the other characters give " + text[-1]
    ):
        parse_code(wrong)


@pytest.mark.parametrize(
    "text", ["", "   ", "Müller", "SB", "x" * 500, "3f2b8c1e-94d7-4a60-8f15-0c6de2a7b391"]
)
def test_what_is_no_code_is_refused(text):
    with pytest.raises(CodeUnreadableError):
        parse_code(text)
    assert read_code(text, "SB", SECRET).standing is Standing.UNREADABLE


def test_own_foreign_and_forged_are_told_apart():
    own = make_code("SB", EXCHANGE, SECRET).on(1, 2)
    assert read_code(own.text, "SB", SECRET).standing is Standing.OWN
    assert read_code(own.text, "HOM", SECRET).standing is Standing.FOREIGN
    forged = make_code("SB", EXCHANGE, b"x" * 32).on(1, 2)
    found = read_code(forged.text, "SB", SECRET)
    assert found.standing is Standing.FORGED
    assert "seal is wrong" in found.explanation


def test_a_letter_cannot_be_passed_off_as_an_answer_sheet():
    letter = make_code("SB", EXCHANGE, SECRET)
    answer = make_code("SB", EXCHANGE, SECRET, Kind.ANSWER)
    assert letter.seal != answer.seal
    assert letter.key == answer.key


def test_an_installation_named_with_o_and_i_is_own_however_it_is_typed():
    code = make_code("IGO", EXCHANGE, SECRET).on(1, 1)
    assert read_code(code.text.replace("IGO", "1g0"), "IGO", SECRET).code == code


def test_a_slip_of_the_pen_is_named():
    code = next(
        made
        for made in (make_code("SB", str(UUID(int=n, version=4)), SECRET).on(1, 1) for n in range(500))
        if "5" in made.key
    )
    wrong = code.text[:3] + code.text[3:].replace("5", "S", 1)
    assert read_code(wrong, "SB", SECRET).suggestion == code.text


@given(codes)
def test_every_sheet_leads_to_the_same_exchange(code):
    assert exchange_key(code.text) == code.key
    assert parse_code(code.whole().text) == code.whole()
    assert code.on(1, 9).whole() == code.whole()


def test_id_and_code_of_an_exchange_have_the_same_key():
    code = make_code("SB", EXCHANGE, SECRET).on(4, 7)
    assert exchange_key(EXCHANGE) == exchange_key(EXCHANGE.upper()) == exchange_key(code.text) == code.key
    assert exchange_key("some other reference") != code.key


def test_more_pages_than_can_be_numbered_are_refused():
    code = make_code("SB", EXCHANGE, SECRET)
    assert parse_code(code.on(1023, 1023).text).page == 1023
    with pytest.raises(TooManyPagesError):
        code.on(1, 1024)


@given(st.uuids())
def test_an_id_is_never_taken_for_a_code(identifier):
    assert read_code(str(identifier), "SB", SECRET).standing is Standing.UNREADABLE

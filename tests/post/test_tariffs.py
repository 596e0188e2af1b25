"""Postage by weight, variant and day."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.post.errors import PostSettingsRefusedError, TariffMissingError
from adapters.post.tariffs import ending, euros, postage, read_tariffs, sheets_of

TARIFFS = read_tariffs()
DAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("sheets", "product", "cents"),
    [
        (1, "standard", 95),
        (3, "standard", 95),
        (4, "kompakt", 110),
        (9, "kompakt", 110),
        (10, "gross", 180),
        (96, "gross", 180),
        (97, "maxi", 290),
        (196, "maxi", 290),
    ],
)
def test_the_cheapest_product_that_takes_the_letter(sheets: int, product: str, cents: int) -> None:
    found = postage(TARIFFS, sheets, "none", DAY, duplex=False)
    assert (found.product, found.cents) == (product, cents)
    assert postage(TARIFFS, 2 * sheets, "none", DAY, duplex=True) == found


@pytest.mark.parametrize(("pages", "sheets"), [(2, 2), (3, 2), (4, 3), (5, 3)])
def test_an_answer_sheet_takes_a_sheet_of_its_own(pages: int, sheets: int) -> None:
    assert sheets_of(pages, duplex=True, answer_sheet=True) == sheets
    assert sheets_of(pages, duplex=False, answer_sheet=True) == pages


@pytest.mark.parametrize(("variant", "cents"), [("einwurf", 330), ("uebergabe", 360), ("rueckschein", 580)])
def test_registered_variants_cost_more(variant: str, cents: int) -> None:
    assert postage(TARIFFS, 1, variant, DAY, duplex=False).cents == cents


@given(st.integers(1, 195))
def test_another_sheet_never_makes_it_cheaper(sheets: int) -> None:
    less, more = (postage(TARIFFS, count, "none", DAY, duplex=False) for count in (sheets, sheets + 1))
    assert less.cents <= more.cents
    assert less.grams <= more.grams


def test_too_heavy_too_early_too_late_are_said() -> None:
    with pytest.raises(TariffMissingError, match="more than any letter may"):
        postage(TARIFFS, 197, "none", DAY, duplex=False)
    for day in (date(2024, 12, 31), date(2027, 1, 1)):
        with pytest.raises(TariffMissingError, match=day.isoformat()):
            postage(TARIFFS, 1, "none", day, duplex=False)
    with pytest.raises(TariffMissingError, match="brieftaube"):
        postage(TARIFFS, 1, "brieftaube", DAY, duplex=False)


def test_an_own_table_is_read_and_a_faulty_one_named(tmp_path: Path) -> None:
    table = tmp_path / "own.csv"
    head = "kind,key,title,max_grams,cents,valid_from,valid_until,source\n"
    table.write_text(head + "product,standard,Brief,20,70,2026-01-01,,contract\n", encoding="utf-8")
    assert postage(read_tariffs(table), 1, "none", date(2030, 1, 1), duplex=False).cents == 70
    table.write_text(head + "product,standard,Brief,20,0.70,2026-01-01,,contract\n", encoding="utf-8")
    with pytest.raises(PostSettingsRefusedError, match="line 2"):
        read_tariffs(table)
    with pytest.raises(PostSettingsRefusedError, match="cannot read"):
        read_tariffs(tmp_path / "gone.csv")


def test_a_table_that_ends_soon_is_told_beforehand(tmp_path: Path) -> None:
    assert ending(TARIFFS, date(2026, 10, 31)) is None
    told = ending(TARIFFS, date(2026, 11, 1)) or ""
    assert all(
        said in told for said in ("31.12.2026", "standard", "rueckschein", "tariffs =", "dienstweg.toml")
    )
    assert "31.12.2026" in (ending(TARIFFS, date(2027, 2, 1)) or "")
    table = tmp_path / "own.csv"
    head = "kind,key,title,max_grams,cents,valid_from,valid_until,source\n"
    old = "product,standard,Brief,20,70,2026-01-01,2026-12-31,contract\n"
    table.write_text(head + old, encoding="utf-8")
    assert str(table) in (ending(read_tariffs(table), date(2026, 12, 1), table) or "")
    table.write_text(head + old + "product,standard,Brief,20,75,2027-01-01,,contract\n", encoding="utf-8")
    assert ending(read_tariffs(table), date(2026, 12, 1), table) is None


def test_euros() -> None:
    assert (euros(95), euros(100), euros(1205)) == ("0,95 €", "1,00 €", "12,05 €")

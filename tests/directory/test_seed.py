import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from engine.directory.seed import AuthorityRecord, is_key, shipped_authorities

SOURCE = Path(__file__).parents[2] / ".." / "shared" / "domain"


def by_kind(kind: str) -> list[AuthorityRecord]:
    return [record for record in shipped_authorities() if record.kind == kind]


def test_the_whole_land_is_there() -> None:
    assert Counter(record.kind for record in shipped_authorities()) == {
        "municipality": 52,
        "district": 6,
        "land": 1,
    }


def test_keys_and_names_are_unique() -> None:
    records = shipped_authorities()
    assert len({record.id for record in records}) == len(records)
    assert len({record.official_name for record in records}) == len(records)


def test_every_municipality_lies_in_a_shipped_district() -> None:
    districts = {record.id for record in by_kind("district")}
    assert {record.district_id for record in by_kind("municipality")} == districts
    assert Counter(record.district_id for record in by_kind("municipality")) == {
        "10041": 10, "10042": 7, "10043": 7, "10044": 13, "10045": 7, "10046": 8,
    }  # fmt: skip


def test_nobody_ends() -> None:
    assert all(record.valid_until is None for record in shipped_authorities())


def test_the_two_of_the_first_procedure() -> None:
    names = {record.id: record.official_name for record in shipped_authorities()}
    assert names["10041100"] == "Landeshauptstadt Saarbrücken"
    assert names["10045114"] == "Kreisstadt Homburg"


@pytest.mark.parametrize(
    ("key", "kind", "fits"),
    [
        ("10041100", "municipality", True),
        ("1004110", "municipality", False),
        ("07041100", "municipality", False),
        ("10041", "district", True),
        ("1004a", "district", False),
        ("10", "land", True),
        ("10", "federation", False),
    ],
)
def test_keys_are_checked(key: str, kind: str, fits: bool) -> None:
    assert is_key(key, kind) is fits


def test_a_municipality_in_another_district_is_refused() -> None:
    homburg = next(record for record in shipped_authorities() if record.id == "10045114")
    with pytest.raises(ValueError, match="does not begin with"):
        replace(homburg, district_id="10041")


@pytest.mark.skipif(not SOURCE.is_dir(), reason="the source list is not at hand")
def test_agrees_with_the_source() -> None:
    with (SOURCE / "saarland_gemeinden_ags.csv").open(encoding="utf-8") as file:
        source = {row["ags"]: (row["name"], row["kreis_ags"]) for row in csv.DictReader(file)}
    assert {r.id: (r.name, r.district_id) for r in by_kind("municipality")} == source

"""What a schema cannot say."""

from pathlib import Path

import pytest

from adapters.xdomea import answers, carriage, checks
from adapters.xdomea.contacts import Contact
from adapters.xdomea.container import Unpacked
from adapters.xdomea.errors import DamagedFieldsError, FilesMismatchError
from adapters.xdomea.interpret import reading_of
from adapters.xdomea.message import Message
from adapters.xdomea.model import Document, Format, Hash, Version
from adapters.xdomea.nodes import Code
from adapters.xdomea.versions import KINDS, Family
from tests.contracts.samples import HOMBURG, NOON

UUID = "6e653b1c-07c2-4b49-9fdc-5741dcacb1a0"
NAME = f"{UUID}_a.pdf"


def message(code: str = "0101", **format_values: object) -> Message:
    values: dict[str, object] = {"file_name": NAME, **format_values}
    document = Document(id=UUID, versions=[Version(number="1", formats=[Format(**values)])])  # type: ignore[arg-type]
    return Message(
        version="3.1.0", element=KINDS[code].element, process_id=UUID, type=Code(code), objects=[document]
    )


def test_files_that_are_there_are_in_order() -> None:
    checks.check_files(message(), [NAME], "here")
    assert checks.remarks(message(), [NAME]) == []


@pytest.mark.parametrize("name", ["a.pdf", "", "../a.pdf", f"x{UUID}.pdf", "6e653b1c.pdf"])
def test_unfit_names_are_refused(name: str) -> None:
    with pytest.raises(FilesMismatchError, match="fit names"):
        checks.check_files(message(file_name=name), [name], "here")


def test_missing_files_and_signatures_are_refused() -> None:
    with pytest.raises(FilesMismatchError, match="not in the container"):
        checks.check_files(message(), [], "here")
    signed = message(signature_files=[f"{UUID}_a.p7s"])
    with pytest.raises(FilesMismatchError, match="p7s"):
        checks.check_files(signed, [NAME], "here")
    checks.check_files(signed, [NAME, f"{UUID}_a.p7s"], "here")
    assert checks.remarks(signed, [NAME, f"{UUID}_a.p7s"]) == []


def test_an_offer_brings_no_files() -> None:
    checks.check_files(message("0501"), [], "here")


def test_what_is_odd_is_remarked_in_words() -> None:
    odd = message()
    odd.type = Code("0401")
    odd.objects = [*odd.objects, *odd.objects]
    found = checks.remarks(odd, [NAME, "extra.txt"])
    assert ["0401" in found[0], "extra.txt" in found[1], NAME in found[2]] == [True] * 3


@pytest.mark.parametrize("algorithm", ["SHA-256", "SHA256"])
def test_digests_of_the_standard_are_compared(algorithm: str) -> None:
    hashed = message(hashes=[Hash(value="AB12", algorithm=Code(algorithm))])
    checks.check_digests(hashed, {NAME: "ab12"}, "here")
    with pytest.raises(FilesMismatchError, match="was changed"):
        checks.check_digests(hashed, {NAME: "cd34"}, "here")


def test_other_algorithms_are_left_alone() -> None:
    hashed = message(hashes=[Hash(value="AB12", algorithm=Code("SHA3-512"))])
    checks.check_digests(hashed, {NAME: "cd34"}, "here")


@pytest.mark.parametrize(
    ("original", "shown"),
    [
        ("Bescheid.pdf", "Bescheid.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\akten\\Bescheid.pdf", "Bescheid.pdf"),
        ("zwei\nZeilen.pdf", "zwei Zeilen.pdf"),
        ("..", NAME),
        ("a/", NAME),
        (None, "a.pdf"),
    ],
)
def test_names_of_others_carry_no_path(original: str | None, shown: str, tmp_path: Path) -> None:
    files = {NAME: Unpacked(NAME, tmp_path / NAME, 1, "00")}
    (document,) = reading_of(message(original_name=original), files, []).documents
    assert document.name == shown


@pytest.mark.parametrize(
    ("name", "value"),
    [("a", "{"), ("a", "NaN"), ("a", "[" * 100_000), ("a", ""), ('"', "1"), ("\\", "1"), ("a", "9" * 10_000)],
)
def test_damaged_fields_are_unreadable_and_can_be_answered(name: str, value: str) -> None:
    broken = message("0401")
    broken.sender = Contact(institution="Homburg")
    built = carriage.message_extension(carriage.Carried(), {"a": 1}, Family.V3)
    built.groups[1].fields[0].name = name
    built.groups[1].fields[0].value = value
    broken.extensions = [built]
    with pytest.raises(DamagedFieldsError, match="JSON"):
        reading_of(broken, {}, [])
    assert answers.import_result(broken, HOMBURG, "X", NOON, {}, "damaged") is not None


def test_damaged_fields_of_a_document_are_unreadable() -> None:
    broken = message()
    extension = carriage.file_extension(carriage.CarriedFile(name="a"), Family.V3)
    extension.fields[0].name = '"'
    broken.objects[0].extensions = [extension]
    with pytest.raises(DamagedFieldsError):
        checks.check_digests(broken, {NAME: "00"}, "here")

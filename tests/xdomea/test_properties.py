"""What holds for all messages, texts and data, not only for examples."""

import copy
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters.xdomea import carriage, codec, names, text
from adapters.xdomea.carriage import Carried
from adapters.xdomea.compose import fit
from adapters.xdomea.container import ContainerWriter, Limits, open_container
from adapters.xdomea.payload import XdomeaPayload
from adapters.xdomea.schemas import Schemas
from adapters.xdomea.versions import KINDS, WRITABLE, Family, exists, family
from engine.exchange.errors import UnreadableError
from engine.exchange.ports import Part
from tests.contracts.samples import NOON, Envelopes, MemoryDocument
from tests.xdomea.conftest import box, message_type
from tests.xdomea.generated import DIN_91379, DIN_91379_SEQUENCES, messages, texts

EVERY = [(code, version) for code in KINDS for version in WRITABLE if exists(code, version)]
FAMILIES = [Family.V2, Family.V3]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), kind=st.sampled_from(EVERY))
def test_generated_messages_are_valid_and_read_back(
    schemas: Schemas, data: st.DataObject, kind: tuple[str, str]
) -> None:
    check_generated(schemas, data, *kind)


@pytest.mark.long
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), kind=st.sampled_from(EVERY))
def test_many_generated_messages(schemas: Schemas, data: st.DataObject, kind: tuple[str, str]) -> None:
    check_generated(schemas, data, *kind)


def check_generated(schemas: Schemas, data: st.DataObject, code: str, version: str) -> None:
    message = data.draw(messages(code, version))
    fit(message, family(version))
    tree = etree.ElementTree(etree.fromstring(codec.write_bytes(message)))
    assert schemas.check(tree, version, code, "generated")
    assert codec.read_tree(tree) == message


@given(value=st.text(), of=st.sampled_from(FAMILIES))
def test_fitted_text_fits_and_what_fits_is_untouched(value: str, of: Family) -> None:
    result = text.fitted(value, of)
    assert text.fits(result, of)
    assert text.fitted(result, of) == result
    if text.fits(value, of):
        assert result == value


@pytest.mark.parametrize("letters", [*DIN_91379, *DIN_91379_SEQUENCES])
def test_letters_of_din_91379_keep_a_plain_form(letters: str) -> None:
    assert text.fitted(letters, Family.V3) == letters
    assert text.UNKNOWN not in text.fitted(letters, Family.V2)


@given(data=st.dictionaries(st.text(max_size=12), JSON, max_size=5), of=st.sampled_from(FAMILIES))
def test_data_travel_unchanged(data: dict[str, Any], of: Family) -> None:
    built = carriage.message_extension(Carried(exchange="e"), data, of)
    before = copy.deepcopy(built)
    fit(built, of)
    assert built == before, "nothing in our extension needs to be fitted"
    read = carriage.read_message([built])
    assert read == (Carried(exchange="e"), data)


@given(data=st.dictionaries(st.text(max_size=12), JSON, max_size=5))
def test_data_travel_unchanged_through_xml(data: dict[str, Any]) -> None:
    message = codec.Message(version="3.1.0", element="Information.Information.0101")
    message.extensions = [carriage.message_extension(Carried(), data, Family.V3)]
    again = codec.read_tree(etree.ElementTree(etree.fromstring(codec.write_bytes(message))))
    read = carriage.read_message(again.extensions)
    assert read is not None
    assert read[1] == data


@given(uuid=st.uuids(), shown=st.text(max_size=80))
def test_primary_names_are_what_the_standard_wants(uuid: Any, shown: str) -> None:
    name = names.primary(str(uuid), shown)
    assert names.is_primary(name)
    assert len(name.encode()) <= 255
    assert not set(name) & set("/\\:\0\n")


@given(
    contents=st.dictionaries(
        st.from_regex(r"[a-z]{1,8}(\.(pdf|txt))?", fullmatch=True), st.binary(), max_size=5
    )
)
def test_containers_give_back_what_went_in(contents: dict[str, bytes], tmp_path_factory: Any) -> None:
    folder = tmp_path_factory.mktemp("container")
    with ContainerWriter(folder / "c.zip", NOON) as writer:
        for name, content in contents.items():
            writer.add(name, io.BytesIO(content), len(content))
    (folder / "out").mkdir()
    with open_container(folder / "c.zip", Limits()) as container:
        assert container.names == list(contents)
        for name, content in contents.items():
            assert container.unpack(name, folder / "out" / name).path.read_bytes() == content


@pytest.mark.parametrize("version", WRITABLE)
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(subject=texts, name=texts, data=st.dictionaries(st.text(max_size=5), JSON, max_size=3))
def test_whatever_people_write_can_be_sent(
    version: str, payload: XdomeaPayload, tmp_path_factory: Any, subject: str, name: str, data: dict[str, Any]
) -> None:
    document = MemoryDocument(f"{name}.pdf", b"%PDF")
    envelope = Envelopes().new(
        message_type({"object": "file"}),
        data=data,
        subject=subject,
        own_reference=name,
        partner_reference=subject,
        documents=(document,),
    )
    built = payload.build(envelope, box(version), tmp_path_factory.mktemp("built"))
    reading = payload.read(built, tmp_path_factory.mktemp("read"))
    assert reading.data == data
    assert reading.sender_reference == (name or None)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(position=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_a_damaged_container_is_read_rightly_or_refused(
    payload: XdomeaPayload, tmp_path_factory: Any, position: int, flip: int
) -> None:
    document = MemoryDocument("a.pdf", bytes(range(256)) * 4)
    envelope = Envelopes().new(message_type({}), documents=(document,))
    (part,) = payload.build(envelope, box("3.1.0"), tmp_path_factory.mktemp("built"))
    raw = bytearray(part.path.read_bytes())
    raw[position % len(raw)] ^= flip
    part.path.write_bytes(bytes(raw))
    target = tmp_path_factory.mktemp("read")
    try:
        reading = payload.read((part,), target)
    except UnreadableError:
        assert list(target.iterdir()) == []
    else:
        assert reading.data == envelope.data
        assert [each.sha256 for each in reading.documents] == [document.sha256]


@pytest.mark.parametrize("version", WRITABLE)
def test_a_thousand_documents(version: str, payload: XdomeaPayload, folder: Callable[[], Path]) -> None:
    documents = [MemoryDocument(f"{number:04} Übersicht.txt", f"{number}".encode()) for number in range(1000)]
    envelope = Envelopes().new(message_type({"message": "0401", "object": "file"}), documents=documents)
    built = payload.build(envelope, box(version), folder())
    with zipfile.ZipFile(built[0].path) as archive:
        assert len(archive.namelist()) == 1001
    reading = payload.read(built, folder())
    assert [each.name for each in reading.documents] == [each.name for each in documents]
    assert [each.sha256 for each in reading.documents] == [each.sha256 for each in documents]


def test_the_same_envelope_gives_the_same_bytes(payload: XdomeaPayload, folder: Callable[[], Path]) -> None:
    envelope = Envelopes().new(message_type({}), documents=(MemoryDocument("a.pdf", b"a"),))
    first, second = (payload.build(envelope, box("3.1.0"), folder())[0].path.read_bytes() for _ in range(2))
    assert first == second


def test_a_container_under_a_false_name_is_refused(
    payload: XdomeaPayload, folder: Callable[[], Path]
) -> None:
    (part,) = payload.build(Envelopes().new(message_type({})), box("3.1.0"), folder())
    lies = {
        "6e653b1c-07c2-4b49-9fdc-5741dcacb1a0_Information.Information.0101.zip": "not in the container",
        part.name.replace("Information.Information.0101", "Abgabe.Abgabe.0401"): "not in the container",
        "nachricht.zip": "not in the container",
    }
    for name, why in lies.items():
        path = folder() / name
        path.write_bytes(part.path.read_bytes())
        lying = Part(name, part.media_type, path, part.role)
        assert payload.recognises((lying,))
        with pytest.raises(UnreadableError, match=why):
            payload.read((lying,), folder())
    for name, inner, why in (
        ("6e653b1c-07c2-4b49-9fdc-5741dcacb1a0_Information.Information.0101.zip", None, "has the ProzessID"),
        (part.name.replace("Information.Information.0101", "Abgabe.Abgabe.0401"), None, "message inside is"),
    ):
        path = folder() / name
        with zipfile.ZipFile(part.path) as source, zipfile.ZipFile(path, "w") as target:
            target.writestr(inner or f"{name[:-4]}.xml", source.read(f"{part.name[:-4]}.xml"))
        with pytest.raises(UnreadableError, match=why):
            payload.read((Part(name, part.media_type, path, part.role),), folder())


def test_a_message_that_breaks_its_schema_is_refused(
    payload: XdomeaPayload, folder: Callable[[], Path], schemas: Schemas
) -> None:
    (part,) = payload.build(Envelopes().new(message_type({})), box("3.1.0"), folder())
    path = folder() / part.name
    with zipfile.ZipFile(part.path) as source, zipfile.ZipFile(path, "w") as target:
        for entry in source.namelist():
            target.writestr(entry, source.read(entry).replace(b"Erstellungszeitpunkt", b"Zeitpunkt"))
    with pytest.raises(UnreadableError, match=r"breaks xdomea 3\.1\.0: line 8"):
        payload.read((Part(part.name, part.media_type, path, part.role),), folder())


def test_damaged_fields_leave_nothing_behind(payload: XdomeaPayload, folder: Callable[[], Path]) -> None:
    envelope = Envelopes().new(message_type({}), documents=(MemoryDocument("a.pdf", b"a"),))
    (part,) = payload.build(envelope, box("3.1.0"), folder())
    path = folder() / part.name
    with zipfile.ZipFile(part.path) as source, zipfile.ZipFile(path, "w") as target:
        for entry in source.namelist():
            target.writestr(entry, source.read(entry).replace(b"125.5", b"12{.5"))
    target_folder = folder()
    with pytest.raises(UnreadableError, match="betrag"):
        payload.read((Part(part.name, part.media_type, path, part.role),), target_folder)
    assert list(target_folder.iterdir()) == []


def test_a_changed_file_is_found(payload: XdomeaPayload, folder: Callable[[], Path]) -> None:
    envelope = Envelopes().new(message_type({}), documents=(MemoryDocument("a.pdf", b"original"),))
    (part,) = payload.build(envelope, box("3.1.0"), folder())
    path = folder() / part.name
    with zipfile.ZipFile(part.path) as source, zipfile.ZipFile(path, "w") as target:
        for entry in source.namelist():
            target.writestr(entry, source.read(entry).replace(b"original", b"falsch!!"))
    target_folder = folder()
    with pytest.raises(UnreadableError, match="was changed"):
        payload.read((Part(part.name, part.media_type, path, part.role),), target_folder)
    assert list(target_folder.iterdir()) == []

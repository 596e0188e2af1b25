"""Letters as they leave the press: what stands on them, what they claim, what is refused."""

import io
from dataclasses import replace
from datetime import date
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image

from adapters.letter.decoding import read_pages
from adapters.letter.errors import (
    AttachmentUnprintableError,
    LetterheadRefusedError,
    LetterUnprintableError,
)
from adapters.letter.sheets import number
from engine.definitions.letters import LetterRefusedError
from engine.exchange.codes import Kind, Standing, make_code, read_code
from engine.exchange.ports import FormClass, Mailbox, MessageType, Party, Requirements
from tests.contracts.samples import ANSWER, HOMBURG, REQUEST, MemoryDocument, mailbox
from tests.letter.rig import BOX, Desk, blank_pdf, texts


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "sb")


def letter(template: str, **more: object) -> MessageType:
    return replace(REQUEST, template=template, **more)


def test_markup_in_data_is_text(desk: Desk) -> None:
    name = '#strong[x] $x^2$ *fett* <label> @ref #import "/etc/passwd" \\ // `a`'
    pdf = desk.write(data={"name": name}, subject=name)
    (page,) = texts(pdf)
    assert page.count(" ".join(name.split())) == 2


def test_references_answer_day_and_contact_are_printed(desk: Desk) -> None:
    pdf = desk.write(partner_reference="HOM-7/26", answer_due=date(2026, 4, 1))
    page = texts(pdf)[0]
    for shown in ("20.3-4711/26", "HOM-7/26", "1. April 2026", "Jutta Groß", "0681 000", "2. März 2026"):
        assert shown in page


def test_the_window_shows_name_unit_and_postal_address(desk: Desk) -> None:
    box = mailbox(HOMBURG, "letter+post", "Kreisstadt Homburg\nPostfach 1653\n66407 Homburg")
    page = texts(desk.write(box))[0]
    assert "Kreisstadt Homburg Vollstreckung Postfach 1653 66407 Homburg" in page
    assert page.count("Kreisstadt Homburg") == 1


def test_every_sheet_has_its_own_sealed_code_as_matrix_and_text(desk: Desk) -> None:
    exchange = "3f2b8c1e-94d7-4a60-8f15-0c6de2a7b391"
    documents = [MemoryDocument("Plan.pdf", blank_pdf(2)), MemoryDocument("Bescheid.pdf", blank_pdf())]
    pdf = desk.write(exchange_id=exchange, answer_due=date(2026, 4, 1), documents=documents)
    pages, printed = list(read_pages(pdf)), texts(pdf)
    assert len(pages) == 5
    own = make_code("SB1", exchange, b"SB1" * 8)
    expected = [own.on(page, 4) for page in range(1, 5)]
    expected.append(make_code("SB1", exchange, b"SB1" * 8, Kind.ANSWER).on(1, 1))
    assert [number(page).code for page in pages] == expected
    for code, text in zip(expected, printed, strict=True):
        assert code.text in text
        assert read_code(code.text, "SB1", b"SB1" * 8).standing is Standing.OWN
    assert "Seite 3 von 4" in printed[2]
    assert "Antwortblatt" in printed[4]


def test_the_answer_sheet_is_addressed_back(desk: Desk) -> None:
    sheet = texts(desk.write(answer_due=date(2026, 4, 1)))[-1]
    assert "Landeshauptstadt Saarbrücken Stadtkasse Rathausplatz 1 66111 Saarbrücken" in sheet
    assert "Seite" not in sheet


def test_an_answer_sheet_can_be_asked_for_or_declined(desk: Desk) -> None:
    asked = replace(REQUEST, mappings={"letter": {"answer_sheet": True}})
    declined = replace(REQUEST, mappings={"letter": {"answer_sheet": False}})
    assert len(texts(desk.write(message_type=asked))) == 2
    assert len(texts(desk.write(message_type=declined, answer_due=date(2026, 4, 1)))) == 1


def test_a_letter_claims_archive_and_access_and_is_tagged(desk: Desk) -> None:
    raw = desk.write().read_bytes()
    assert b"<pdfaid:part>2</pdfaid:part>" in raw
    assert b"<pdfaid:conformance>B</pdfaid:conformance>" in raw
    assert b"<pdfuaid:part>1</pdfuaid:part>" in raw
    for sign in (b"/StructTreeRoot", b"/MarkInfo", b"/Lang", b"/OutputIntent"):
        assert sign in raw


def test_with_appended_pdf_it_stays_tagged_and_claims_nothing(desk: Desk) -> None:
    raw = desk.write(documents=[MemoryDocument("Plan.pdf", blank_pdf())]).read_bytes()
    assert b"pdfaid" not in raw
    assert b"/StructTreeRoot" in raw
    assert b"Ohne PDF/A-Kennzeichnung" in raw  # the file's own description, in XMP
    assert b"Kennzeichnung" not in desk.write().read_bytes()


def test_a_picture_does_not_cost_the_claim(desk: Desk) -> None:
    target = io.BytesIO()
    Image.new("RGB", (900, 400), "red").save(target, "JPEG")
    pdf = desk.write(documents=[MemoryDocument("Foto.jpg", target.getvalue(), "image/jpeg")])
    assert b"pdfaid" in pdf.read_bytes()
    assert "Anlage 1: Foto.jpg" in texts(pdf)[1]


def test_the_same_envelope_gives_the_same_bytes(tmp_path: Path) -> None:
    wishes = {"exchange_id": "3f2b8c1e-94d7-4a60-8f15-0c6de2a7b391", "answer_due": date(2026, 4, 1)}
    one, other = Desk(tmp_path / "a").write(**wishes), Desk(tmp_path / "b").write(**wishes)
    assert one.read_bytes() == other.read_bytes()


def test_attachments_are_listed_and_large_ones_marked(desk: Desk) -> None:
    documents = [
        MemoryDocument("Übersicht #1.pdf", blank_pdf(3)),
        MemoryDocument("Lageplan.pdf", blank_pdf(1, (2384, 1684))),
    ]
    pages = texts(desk.write(documents=documents))
    assert (
        "2 Anlagen 1. Übersicht #1.pdf (3 Seiten) 2. Lageplan.pdf (1 Seite, verkleinert auf A4)" in pages[0]
    )
    assert len(pages) == 5


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (MemoryDocument("a.pdf", b"%PDF-1.4 broken"), "locked or broken"),
        (MemoryDocument("a.png", b"\x89PNG broken", "image/png"), "broken or too large"),
        (MemoryDocument("a.xlsx", b"x", "application/vnd.ms-excel"), "cannot be printed"),
    ],
)
def test_unprintable_attachments_are_named(desk: Desk, document: MemoryDocument, said: str) -> None:
    with pytest.raises(AttachmentUnprintableError, match=said) as caught:
        desk.write(documents=[document])
    assert caught.value.where == document.name


def test_unprintable_media_are_a_blocker_before_anything_is_built(desk: Desk) -> None:
    asked = Requirements(REQUEST, FormClass.NONE, 1, ("application/pdf", "text/csv"), date(2026, 3, 2))
    assert [blocker.code for blocker in desk.payload.check(BOX, asked)] == ["format"]


def test_thirty_pages_are_numbered_through(desk: Desk) -> None:
    many = letter("{% for i in data.l %}\nAbsatz {{ i }} mit Text.\n\n{% endfor %}")
    pages = texts(desk.write(message_type=many, data={"l": list(range(1100))}))
    assert len(pages) >= 30
    assert f"Seite {len(pages)} von {len(pages)}" in pages[-1]
    assert "Absatz 1099" in pages[-1]


def test_long_addresses_shrink_and_too_long_ones_are_refused(desk: Desk) -> None:
    name = "Zweckverband für die gemeinsame Wahrnehmung hoheitlicher Aufgaben im Landkreis Sankt Wendel"
    party = Party("x", name, "Fachbereich 3", ("zu Händen Frau Dr. Müller-Lüdenscheidt", "Haus C", "3. OG"))
    box = Mailbox(
        "x",
        "letter+post",
        "\n".join([*party.address, "Werschweilerstr. 40", "66606 St. Wendel"]),
        date(2026, 1, 1),
    )
    page = texts(desk.write(box, recipient=party))[0]
    assert "66606 St. Wendel" in page
    crowded = Mailbox("x", "letter+post", "\n".join(f"Zeile {i}" for i in range(12)), date(2026, 1, 1))
    with pytest.raises(LetterUnprintableError, match="14 lines"):
        desk.write(crowded, recipient=party)


def test_empty_fields_leave_no_trace(desk: Desk) -> None:
    bare = Party("x", "Gemeinde Ohne", None, (), {})
    template = (
        "Guten Tag{% if data.a %} {{ data.a }}{% endif %},\n\n{% if data.b %}{{ data.b }}{% endif %}\n\nEnde."
    )
    pdf = desk.write(message_type=letter(template), sender=bare, data={"a": "", "b": None}, subject="")
    page = texts(pdf)[0]
    assert "Vollstreckungsersuchen" in page
    assert "Guten Tag, Ende." in page
    assert "None" not in page


def test_a_missing_field_that_is_printed_is_refused(desk: Desk) -> None:
    with pytest.raises(LetterRefusedError, match="name"):
        desk.write(data={})


def test_characters_without_a_glyph_are_refused_not_dropped(desk: Desk) -> None:
    with pytest.raises(LetterUnprintableError, match="could not be displayed"):
        desk.write(data={"name": "\U00012000"})


def test_names_of_europe_are_printed(desk: Desk) -> None:
    name = "Łukasz Şahin Ñandú Čapek Ødegård Þór Ǧ ẞ Ŵ ț Αθήνα Жуков"
    assert name in texts(desk.write(data={"name": name}))[0]


def test_a_type_without_template_is_written_field_by_field(desk: Desk) -> None:
    schema = {"type": "object", "properties": {"n": {"title": "Name der Person"}}}
    data = {"n": "Groß | Klein\n- böse", "ok": True, "l": [1, {"a": None}]}
    page = texts(desk.write(message_type=replace(ANSWER, schema=schema), data=data))[0]
    assert "Name der Person Groß | Klein - böse" in page
    assert "ok ja" in page


def test_tests_and_copies_say_so(desk: Desk) -> None:
    assert "Testnachricht ohne rechtliche Wirkung" in texts(desk.write(test=True))[0]
    assert "Zweitschrift" in texts(desk.write(copy=True))[0]


def test_written_form_leaves_room_for_a_signature(desk: Desk) -> None:
    assert "Unterschrift, Dienstsiegel" in texts(desk.write(form=FormClass.WRITTEN))[0]
    assert "Unterschrift" not in texts(desk.write())[0]


def test_registered_letters_say_so_above_the_address(desk: Desk) -> None:
    registered = replace(REQUEST, mappings={"letter": {"registered": "rueckschein"}})
    assert "Einschreiben Rückschein Kreisstadt Homburg" in texts(desk.write(message_type=registered))[0]
    wrong = replace(REQUEST, mappings={"letter": {"registered": "brieftaube"}})
    asked = Requirements(wrong, FormClass.NONE, 1, (), date(2026, 3, 2))
    assert [blocker.code for blocker in desk.payload.check(BOX, asked)] == ["mapping"]


def test_the_letterhead_is_the_authoritys(tmp_path: Path) -> None:
    home = tmp_path / "sb"
    home.mkdir()
    Image.new("RGB", (80, 100), "blue").save(home / "wappen.png")
    settings = {
        "footer": [["allgemein"]],
        "authority": {"10041100": {"logo": "wappen.png", "footer": [["IBAN DE02 1203"], ["Mo–Fr 8–12"]]}},
    }
    desk = Desk(home, settings=settings)
    pdf = desk.write()
    assert "IBAN DE02 1203 Mo–Fr 8–12" in texts(pdf)[0]
    document = pypdfium2.PdfDocument(pdf)
    pictures = [it for it in document[0].get_objects() if it.type == pypdfium2.raw.FPDF_PAGEOBJ_IMAGE]
    document.close()
    assert pictures
    assert "allgemein" in texts(desk.write(sender=HOMBURG))[0]


@pytest.mark.parametrize(
    "settings",
    [{"logo": "gone.png"}, {"footer": "x"}, {"footer": [["a"] * 9]}, {"fonts": 3}, {"colour": "red"}],
)
def test_a_faulty_letterhead_is_refused(tmp_path: Path, settings: dict[str, object]) -> None:
    with pytest.raises(LetterheadRefusedError):
        Desk(tmp_path / "sb", settings=dict(settings)).write()

"""Corners of the wire format: base64 parts, signing times, cards, rules."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.ego_mail.osci import xml
from adapters.ego_mail.osci.algorithms import C14N
from adapters.ego_mail.osci.cards import (
    Inspection,
    ProcessCard,
    Timestamp,
    format_time,
    parse_time,
    read_card,
    write_card,
)
from adapters.ego_mail.osci.content import Container, Data
from adapters.ego_mail.osci.errors import (
    DigestMismatchError,
    MalformedMessageError,
    TruncatedAttachmentError,
)
from adapters.ego_mail.osci.feedback import Feedback, read_feedback, text_for, write_feedback
from adapters.ego_mail.osci.mime import MultipartReader
from adapters.ego_mail.osci.selection import (
    ById,
    ByModification,
    ByReception,
    Side,
    read_limit,
    read_rule,
    write_limit,
    write_rule,
)
from adapters.ego_mail.osci.signature import Covered, sign
from adapters.ego_mail.osci.streams import Spool
from tests.osci.messages import change_xml, opened, read, replace_once, spool_of, stored
from tests.osci.pki import NOW, Party

instants = st.integers(min_value=0, max_value=7_000_000_000_000).map(
    lambda milliseconds: datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)
)
rules = st.one_of(
    st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=3).map(
        lambda ids: ById(*(base64.b64encode(each).decode() for each in ids))
    ),
    st.builds(ByReception, instants, st.sampled_from([None, *Side]), st.booleans()),
    st.builds(ByModification, instants, st.sampled_from([None, *Side]), st.booleans()),
)


# --- base64 parts --------------------------------------------------------------------------------


def message_with(body: bytes, headers: bytes) -> bytes:
    return (
        b"MIME-Version: 1.0\r\nContent-Type: Multipart/Related; boundary=b; type=text/xml\r\n\r\n--b\r\n"
        b"Content-Type: text/xml\r\nContent-ID: <osci@message>\r\n\r\n<x/>\r\n--b\r\n"
        + headers + b"\r\nContent-ID: <a>\r\n\r\n" + body + b"\r\n--b--\r\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    "headers",
    [b"Content-Type: text/base64\r\nContent-Transfer-Encoding: 7bit", b"Content-Transfer-Encoding: BASE64"],
)
@given(data=st.binary(max_size=3000))
def test_base64_parts_with_line_ends(headers: bytes, data: bytes) -> None:
    with Spool() as spool:
        spool.write(message_with(base64.encodebytes(data).replace(b"\n", b"\r\n"), headers))
        reader = MultipartReader(spool)
        part = reader.parts()[1]
        assert part.blob.open().read() == data
        reader.close()


@pytest.mark.parametrize(
    ("body", "error"), [(b"QUJD" + b"QU", TruncatedAttachmentError), (b"Q!JD", MalformedMessageError)]
)
def test_broken_base64_parts(body: bytes, error: type[Exception]) -> None:
    with Spool() as spool:
        spool.write(message_with(body, b"Content-Transfer-Encoding: base64"))
        reader = MultipartReader(spool)
        with pytest.raises(error):
            reader.parts()
        reader.close()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"MIME-Version: 1.0", b"MIME-Version: 2.0"),
        (b"; boundary=b", b""),
        (b"Content-ID: <a>", b"Content-ID: <osci@message>"),
        (b"Content-ID: <a>", b"Content-ID: <>"),
        (b"Content-ID: <a>", b"Content-ID: <a>\r\nContent-ID: <b>"),
        (b"Content-ID: <a>", b"no colon"),
        (b"X: y", b"Content-Length: many"),
    ],
)
def test_mime_that_is_none(old: bytes, new: bytes) -> None:
    with Spool() as spool:
        spool.write(replace_once(message_with(b"abc", b"X: y"), old, new))
        with pytest.raises(MalformedMessageError):
            MultipartReader(spool).parts()


# --- signing time --------------------------------------------------------------------------------


def with_signing_time(alice: Party, bob: Party, text: str) -> bytes:
    """A content signature that also states, and covers, when it was made (XAdES SigningTime)."""

    def change(root: xml.Element) -> None:
        container = root.find(f".//{xml.q(xml.OSCI, 'ContentContainer')}")
        certificate = root.find(f".//{xml.q(xml.OSCI, 'SignatureCertificateOriginator')}")
        assert container is not None
        assert certificate is not None
        qualifying = xml.child(container, xml.XADES, "QualifyingProperties")
        properties = xml.child(qualifying, xml.XADES, "SignedProperties", None, Id="times")
        inner = xml.child(properties, xml.XADES, "SignedSignatureProperties")
        xml.child(inner, xml.XADES, "SigningTime", text)
        digest = xml.canonical(properties)

        def of_properties(kind):
            from cryptography.hazmat.primitives import hashes

            context = hashes.Hash(kind)
            context.update(digest)
            return context.finalize()

        covered = [
            Covered.decoded("content2", b"dated"),
            Covered("#times", C14N, of_properties),
        ]
        signature = sign(container, covered, alice.signer, certificate.get("Id") or "")
        xml.child(signature, xml.DS, "Object").append(qualifying)
        container.insert(0, signature)

    return change_xml(stored(alice, bob, [Container([Data(b"dated")])]), change)


def test_a_signing_time_is_read_and_covered(alice: Party, bob: Party) -> None:
    data = with_signing_time(alice, bob, "2026-03-02T10:00:00+01:00")
    with read(data) as incoming, opened(incoming) as package:
        (signature,) = package.containers[0].signatures
    assert signature.signing_time == NOW
    changed = replace_once(data, b"2026-03-02T10:00:00", b"2025-03-02T10:00:00")
    with read(changed) as incoming, pytest.raises(DigestMismatchError, match="#times"):
        opened(incoming)
    undated = with_signing_time(alice, bob, "yesterday")
    with read(undated) as incoming, pytest.raises(MalformedMessageError, match="no date"):
        opened(incoming)


# --- cards, rules, feedback ----------------------------------------------------------------------


def test_cards_with_every_field_read_back() -> None:
    token = Timestamp(token=b"proof", algorithm="urn:rfc3161")
    inspection = Inspection(token, "CN=a", "CN=b", -12, "qualified", "corrupted", "invalid", "revoked")
    card = ProcessCard("YQ==", NOW, Timestamp(plain=NOW), token, None, "S & <T>", (inspection,))
    bundle = write_card(xml.block(xml.OSCI, "Holder"), card)
    again = read_card(bundle)
    assert again.raw == card.with_raw().raw
    assert again == card.with_raw()


@given(instants)
def test_times_have_an_inverse(instant: datetime) -> None:
    assert parse_time(format_time(instant)) == instant


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+23:00"])
def test_times_that_are_none(text: str) -> None:
    with pytest.raises(MalformedMessageError):
        parse_time(text)


def test_a_time_without_zone_is_utc() -> None:
    assert parse_time("2026-03-02T09:00:00") == NOW


@given(rules, st.one_of(st.none(), st.integers(min_value=1, max_value=10**8)))
def test_rules_have_an_inverse(rule, limit: int | None) -> None:
    holder = xml.block(xml.OSCI, "fetchProcessCard")
    write_rule(holder, rule)
    write_limit(holder, limit)
    again = xml.parse(xml.canonical(holder))
    assert read_rule(again) == rule
    assert read_limit(again) == limit


@pytest.mark.parametrize(
    "inner",
    [
        "<osci:SelectionRule/>",
        "<osci:SelectionRule><osci:Other>2026-03-02T09:00:00Z</osci:Other></osci:SelectionRule>",
        '<osci:SelectionRule><osci:ReceptionOfDelivery Role="King">2026-03-02T09:00:00Z'
        "</osci:ReceptionOfDelivery></osci:SelectionRule>",
        "<osci:SelectionRule><osci:MessageId>!</osci:MessageId></osci:SelectionRule>",
    ],
)
def test_rules_that_are_none(inner: str) -> None:
    element = xml.parse(f'<osci:f xmlns:osci="{xml.OSCI}">{inner}</osci:f>'.encode())
    with pytest.raises(MalformedMessageError):
        read_rule(element)


def test_limits_that_are_none() -> None:
    for value in ("0", "-1", "many", ""):
        text = f'<osci:f xmlns:osci="{xml.OSCI}"><osci:Quantity Limit="{value}"/></osci:f>'
        with pytest.raises(MalformedMessageError):
            read_limit(xml.parse(text.encode()))


def test_feedback_keeps_the_other_sides_words() -> None:
    entries = (Feedback("3705", "ihr Wortlaut", "de"), Feedback.of("9803", "en"))
    holder = xml.block(xml.OSCI, "Answer")
    write_feedback(holder, entries)
    assert read_feedback(holder) == entries
    assert [str(entry) for entry in entries] == ["3705 ihr Wortlaut", "9803 no delivery matches"]
    assert str(Feedback("9803", "", "de")) == "9803 keine passende Zustellung"
    assert text_for("1234", "de-DE") == "unbekannter Code"
    for text in (
        "<osci:Feedback/>",
        "<osci:Feedback><osci:Entry><osci:Code>99</osci:Code></osci:Entry></osci:Feedback>",
    ):
        with pytest.raises(MalformedMessageError):
            read_feedback(xml.parse(f'<osci:x xmlns:osci="{xml.OSCI}">{text}</osci:x>'.encode()))


def test_every_official_code_has_our_text() -> None:
    from tests.osci.conftest import SHARED

    path = SHARED / "osci12" / "feedback-codes" / "Text_en.properties"
    if not path.exists():
        pytest.skip("needs ../shared/standards/osci12")
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    codes = {line.split("=")[0].strip() for line in lines if line[:4].isdigit()}
    assert codes
    assert not {code for code in codes if text_for(code) == "unknown code"}


def test_spools_are_closed_with_what_read_them(alice: Party, bob: Party) -> None:
    spool = spool_of(stored(alice, bob, [Container([Data(b"x")])]))
    from adapters.ego_mail.osci import wire

    wire.read(spool, []).close()
    with pytest.raises(ValueError, match="closed"):
        spool.read_at(0, 1)

"""Messages the reference library wrote: they parse and verify. Skipped where ../shared is missing."""

from pathlib import Path

import pytest
from cryptography import x509

from adapters.ego_mail.osci import wire, xml
from adapters.ego_mail.osci.algorithms import STRICT
from adapters.ego_mail.osci.envelope import schema_kind, verify_message
from adapters.ego_mail.osci.errors import (
    DigestMismatchError,
    MalformedMessageError,
    OsciError,
    WrongRecipientError,
)
from adapters.ego_mail.osci.keys import load_certificates, subject
from adapters.ego_mail.osci.mime import MultipartReader
from adapters.ego_mail.osci.orders import Kind
from adapters.ego_mail.osci.roles import ADDRESSEE_CIPHER
from adapters.ego_mail.osci.selection import ById
from tests.osci.conftest import SHARED
from tests.osci.messages import opened, read, replace_once, spool_of

CAPTURES = SHARED / "osci12" / "nachrichten-mitschnitt"
CERTIFICATES = SHARED / "osci12" / "test-zertifikate-oeffentlich"

pytestmark = pytest.mark.skipif(not CAPTURES.exists(), reason="needs ../shared/standards/osci12")

KINDS = {
    "req01": Kind.GET_MESSAGE_ID,
    "req02": Kind.STORE_DELIVERY,
    "req03": Kind.INIT_DIALOG,
    "req04": Kind.FETCH_PROCESS_CARD,
    "req05": Kind.EXIT_DIALOG,
}
PLAIN = [*(f"plain/{name}.raw" for name in KINDS), *(f"enc/{name}.inner.raw" for name in KINDS)]


def certificate(name: str) -> x509.Certificate:
    return load_certificates(CERTIFICATES / f"{name}_4096.cer")[0]


@pytest.mark.parametrize("path", PLAIN)
def test_orders_of_the_reference_library_verify(path: str) -> None:
    data = (CAPTURES / path).read_bytes()
    with read(data) as incoming:
        assert incoming.message.kind is KINDS[Path(path).name[:5]]
        verified = verify_message(incoming.message, incoming.parts, STRICT)
        assert verified.certificate == certificate("alice_signature")
        assert incoming.message.features["Support96Bit12ByteIV"] == "1.9.0"


def test_what_the_captured_orders_say() -> None:
    with read((CAPTURES / "plain/req02.raw").read_bytes()) as incoming:
        message = incoming.message
        assert message.order.subject == "Aktenversand Testfall 42"
        assert message.order.message_id == "bW9jay0xNzk1NDM2NzY3NTQ0NzE3NDU2"
        assert message.certificates.get(ADDRESSEE_CIPHER) is not None
        assert [(part.content_id, part.blob.size) for part in incoming.parts] == [("akte.zip", 46)]
        with pytest.raises(WrongRecipientError):
            opened(incoming)
    with read((CAPTURES / "plain/req04.raw").read_bytes()) as incoming:
        assert incoming.message.order.rule == ById("bW9jay0xNzk1NDM2NzY3NTQ0NzE3NDU2")
        control = incoming.message.control
        assert (control.conversation_id, control.sequence, control.response) == ("4711", 0, "Y2gz")


def test_a_changed_capture_does_not_verify() -> None:
    data = replace_once((CAPTURES / "plain/req02.raw").read_bytes(), b"Testfall 42", b"Testfall 43")
    with read(data) as incoming, pytest.raises(DigestMismatchError, match="#storedelivery"):
        verify_message(incoming.message, incoming.parts, STRICT)


@pytest.mark.parametrize("name", KINDS)
def test_encrypted_orders_say_for_whom(name: str) -> None:
    data = (CAPTURES / f"enc/{name}.raw").read_bytes()
    with pytest.raises(WrongRecipientError):
        read(data)
    spool = spool_of(data)
    reader = MultipartReader(spool)
    outer, cipher = reader.parts()
    root = xml.parse(outer.blob.open().read())
    assert schema_kind(root) == "MessageEncrypted"
    value = root.find(f".//{xml.q(xml.DS, 'X509Certificate')}")
    assert value is not None
    der = xml.decode64(value.text)
    assert x509.load_der_x509_certificate(der) == certificate("osci_manager_cipher")
    inner = (CAPTURES / f"enc/{name}.inner.raw").stat().st_size
    assert cipher.blob.size == 12 + inner + 16
    spool.close()


@pytest.mark.parametrize("path", [f"plain/rsp0{number}.xml" for number in range(1, 6)])
def test_bare_answers_of_the_mock_read_as_envelopes(path: str) -> None:
    from adapters.ego_mail.osci.envelope import read_message

    message = read_message(xml.parse((CAPTURES / path).read_bytes()))
    assert message.kind.is_answer
    assert message.order.feedback[0].code == "0801"
    if message.kind is Kind.RESPONSE_TO_FETCH_PROCESS_CARD:
        assert message.order.cards[0].reception is not None


def test_public_certificates_load() -> None:
    names = {subject(load_certificates(path)[0]) for path in CERTIFICATES.glob("*.cer")}
    assert len(names) == len(list(CERTIFICATES.glob("*.cer")))


@pytest.mark.parametrize("path", ["plain/req02.raw", "enc/req02.raw"])
def test_every_truncation_is_refused(path: str) -> None:
    data = (CAPTURES / path).read_bytes()
    for size in range(0, len(data) - 4, 997):
        with pytest.raises(MalformedMessageError):
            read(data[:size])


def test_every_order_reads_back_as_error_or_message() -> None:
    for path in PLAIN:
        data = (CAPTURES / path).read_bytes()
        for cut in (b"ControlBlock", b"ClientSignature", b"NonIntermediaryCertificates", b"soap:Body"):
            try:
                with wire.read(spool_of(data.replace(cut, b"x" + cut)), []):
                    pass
            except OsciError:
                continue

"""Detached signatures: over exactly these bytes, by whom, and what they are worth."""

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from asn1crypto import cms as structures
from asn1crypto import core
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from hypothesis import given
from hypothesis import strategies as st

from adapters.ego_mail.osci.errors import KeyFileError
from adapters.signatures import cms, create_own_software, create_pkcs12
from adapters.signatures.errors import SignatureBrokenError
from adapters.signatures.verifying import Verifier
from engine.clock import TurnedClock
from engine.exchange.ports import AdapterContext, Part
from engine.exchange.signers import SignatureRefusedError, SigningRequest
from tests.contracts.samples import SAARBRUECKEN, context
from tests.osci.pki import NOW
from tests.signatures.people import PASSWORD, Issuer, Person

OWN = SAARBRUECKEN.authority_id


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture(scope="module")
def clerk(issuer: Issuer) -> Person:
    return issuer.issue("Jutta Groß")


@pytest.fixture
def letter(tmp_path: Path) -> Part:
    path = tmp_path / "Bescheid.pdf"
    path.write_bytes(b"%PDF-1.7 a letter")
    return Part(path.name, "application/pdf", path, "letter")


def lent(home: Path, issuer: Issuer | None, **table: Any) -> AdapterContext:
    """Lend an installation that knows ``issuer`` as qualified."""
    settings: Mapping[str, Any] = table
    if issuer is not None:
        (home / "qualified").mkdir(exist_ok=True)
        (home / "qualified" / "ca.pem").write_text(issuer.pem)
        settings = {"qualified": "qualified", **table}
    return replace(context(home, clock=TurnedClock(NOW)), others={"signatures": settings})


def test_a_signature_is_over_exactly_these_bytes(
    tmp_path: Path, issuer: Issuer, clerk: Person, letter: Part
) -> None:
    verifier = Verifier(lent(tmp_path, issuer))
    file = clerk.sign(letter.path)
    (signature,) = verifier.verify(file, [letter], NOW)
    assert (signature.signed, signature.signer) == ("Bescheid.pdf", "Jutta Groß")
    assert (signature.substitute, signature.at) == ("qualified-signature", NOW)
    letter.path.write_bytes(letter.path.read_bytes() + b" ")
    with pytest.raises(SignatureBrokenError, match="changed after signing"):
        verifier.verify(file, [letter], NOW)


@pytest.mark.skipif(which("openssl") is None, reason="no openssl at hand")
@pytest.mark.parametrize("elliptic", [False, True])
def test_openssl_reads_what_we_sign(tmp_path: Path, issuer: Issuer, letter: Part, elliptic: bool) -> None:
    file = issuer.issue("Ö. Klein", elliptic=elliptic).sign(letter.path)
    (tmp_path / "ca.pem").write_text(issuer.pem)
    command = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", str(file)]
    command += ["-content", str(letter.path), "-CAfile", str(tmp_path / "ca.pem"), "-purpose", "any"]
    command += ["-attime", str(int(NOW.timestamp())), "-cades", "-out", "/dev/null"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("encoding", [serialization.Encoding.DER, serialization.Encoding.PEM])
@pytest.mark.parametrize("elliptic", [False, True])
def test_we_read_what_another_library_signs(
    tmp_path: Path, issuer: Issuer, letter: Part, encoding: serialization.Encoding, elliptic: bool
) -> None:
    person = issuer.issue("Ö. Klein", elliptic=elliptic)
    options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]
    builder = pkcs7.PKCS7SignatureBuilder().set_data(letter.path.read_bytes())
    file = tmp_path / "signature.p7s"
    file.write_bytes(
        builder.add_signer(person.certificate, person.key, hashes.SHA512()).sign(encoding, options)
    )
    (signed,) = cms.read(file.read_bytes())
    cms.verify(signed, letter.path)
    assert signed.certificate == person.certificate


def test_we_read_pss(tmp_path: Path, clerk: Person, letter: Part) -> None:
    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH)
    builder = pkcs7.PKCS7SignatureBuilder().set_data(letter.path.read_bytes())
    builder = builder.add_signer(clerk.certificate, clerk.key, hashes.SHA256(), rsa_padding=pss)
    content = builder.sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.DetachedSignature])
    (signed,) = cms.read(content)
    cms.verify(signed, letter.path)


def test_a_signature_that_holds_the_file_is_refused(clerk: Person, letter: Part) -> None:
    builder = pkcs7.PKCS7SignatureBuilder().set_data(letter.path.read_bytes())
    builder = builder.add_signer(clerk.certificate, clerk.key, hashes.SHA256())
    with pytest.raises(SignatureBrokenError, match="detached"):
        cms.read(builder.sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary]))


@given(place=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_no_changed_byte_passes_for_somebody_else_s_signature(
    tmp_path_factory: pytest.TempPathFactory, issuer: Issuer, clerk: Person, place: int, flip: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed.pdf"
    path.write_bytes(b"%PDF-1.7 a letter")
    data = bytearray(cms.make(path, clerk.certificate, (), clerk.key, NOW))
    data[place % len(data)] ^= flip
    try:
        (signed,) = cms.read(bytes(data))
        cms.verify(signed, path)
    except SignatureBrokenError:
        return
    # Some bytes say nothing (a version number): what is signed and by whom is still the same.
    assert signed.certificate.public_key() == clerk.certificate.public_key()
    assert signed.at == NOW


@pytest.mark.parametrize("content", [b"", b"no signature", b"\x30\x80" * 2000, b"\x30\x03\x06\x01\x2a"])
def test_what_is_no_signature_is_refused(content: bytes) -> None:
    with pytest.raises(SignatureBrokenError):
        cms.read(content)


def test_what_makes_a_signature_qualified(tmp_path: Path, issuer: Issuer, letter: Part) -> None:
    verifier = Verifier(lent(tmp_path, issuer))

    def worth(person: Person, at: timedelta = timedelta(0)) -> tuple[str | None, str]:
        (found,) = verifier.verify(person.sign(letter.path, NOW + at), [letter], NOW)
        return found.substitute, found.remark or ""

    assert worth(issuer.issue("Person")) == ("qualified-signature", "")
    assert worth(issuer.issue("Stadtkasse", elliptic=True)) == ("qualified-signature", "")
    assert worth(issuer.seal("Landeshauptstadt")) == ("qualified-seal", "")
    for person, reason in (
        (issuer.issue("Nobody", None), "does not say that it is qualified"),
        (Issuer().issue("Stranger"), "issued by"),
        (issuer.issue("Deckname", pseudonym=True), "pseudonym"),
        (issuer.issue("Deckname:PN"), "pseudonym"),
        (issuer.issue("Gone", lasts=timedelta(days=-1)), "expired"),
    ):
        substitute, remark = worth(person)
        assert substitute is None
        assert reason in remark
    late = worth(issuer.issue("Person"), timedelta(hours=1))
    assert late[0] is None
    assert "has not come yet" in late[1]
    assert worth(issuer.issue("Person"), timedelta(days=-60))[0] is None


def test_without_a_list_of_issuers_nothing_is_qualified(tmp_path: Path, clerk: Person, letter: Part) -> None:
    (found,) = Verifier(lent(tmp_path, None)).verify(clerk.sign(letter.path), [letter], NOW)
    assert found.substitute is None


def test_own_software_offers_nothing_before_it_can_verify(tmp_path: Path, issuer: Issuer) -> None:
    offer = create_own_software(lent(tmp_path, None)).offer(OWN)
    assert offer.substitutes == ()
    assert [each.code for each in offer.blockers] == ["no-issuers"]
    assert create_own_software(lent(tmp_path, issuer)).offer(OWN).substitutes == (
        "qualified-signature",
        "qualified-seal",
    )
    missing = create_own_software(lent(tmp_path, None, qualified="nowhere")).offer(OWN)
    assert [each.code for each in missing.blockers] == ["bad-settings"]


def test_own_software_names_the_file_that_does_not_verify(
    tmp_path: Path, issuer: Issuer, clerk: Person, letter: Part
) -> None:
    signer = create_own_software(lent(tmp_path, issuer))
    good, bad = clerk.sign(letter.path), tmp_path / "bad.p7s"
    bad.write_bytes(b"no signature")
    assert len(signer.sign(SigningRequest(OWN, [letter], [good]), tmp_path)) == 1
    with pytest.raises(SignatureBrokenError) as caught:
        signer.sign(SigningRequest(OWN, [letter], [good, bad]), tmp_path)
    assert caught.value.where == "bad.p7s"
    with pytest.raises(SignatureRefusedError, match="cannot be read"):
        signer.sign(SigningRequest(OWN, [letter], [tmp_path / "none.p7s"]), tmp_path)


def test_a_key_in_a_file_never_pretends_to_be_qualified(
    tmp_path: Path, issuer: Issuer, letter: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = {"keys": {OWN: {"file": "key.p12", "password_env": "TEST_SIGN_PASSWORD"}}}
    signer = create_pkcs12(lent(tmp_path, issuer, **table))
    assert [each.code for each in signer.offer(OWN).blockers] == ["bad-settings"]
    monkeypatch.setenv("TEST_SIGN_PASSWORD", PASSWORD)
    assert [each.code for each in signer.offer("10045114").blockers] == ["no-key"]
    issuer.issue("Trial", None).save(tmp_path / "key.p12")
    offer = signer.offer(OWN)
    assert (offer.substitutes, [each.code for each in offer.blockers]) == ((), ["not-qualified"])
    (signature,) = signer.sign(SigningRequest(OWN, [letter]), tmp_path)
    assert signature.substitute is None
    issuer.issue("Jutta Groß").save(tmp_path / "key.p12")
    assert signer.offer(OWN).substitutes == ("qualified-signature",)
    (signature,) = signer.sign(SigningRequest(OWN, [letter]), tmp_path)
    assert (signature.substitute, signature.signer) == ("qualified-signature", "Jutta Groß")
    monkeypatch.setenv("TEST_SIGN_PASSWORD", "another")
    assert [each.code for each in signer.offer(OWN).blockers] == ["bad-settings"]
    with pytest.raises(KeyFileError):
        signer.sign(SigningRequest(OWN, [letter]), tmp_path)


def test_signatures_beside_an_arrival_s_files_are_told_with_their_faults(
    tmp_path: Path, issuer: Issuer, clerk: Person, letter: Part
) -> None:
    verifier = Verifier(lent(tmp_path, issuer))
    assert verifier.beside([letter], NOW) is None
    plan = tmp_path / "Plan.pdf"
    plan.write_bytes(b"%PDF-1.7 a plan")
    parts = [letter, replace(letter, name="Plan.pdf", path=plan)]
    signature = Part("x.p7s", "application/pkcs7-signature", clerk.sign(letter.path), "container")
    found = verifier.beside([*parts, signature], NOW)
    assert found is not None
    assert ([each.signed for each in found.signatures], found.unsigned) == (["Bescheid.pdf"], ("Plan.pdf",))
    assert not found.broken
    letter.path.write_bytes(b"changed")
    found = verifier.beside([*parts, signature], NOW)
    assert found is not None
    assert found.broken
    assert "x.p7s" in found.report()


@pytest.mark.parametrize("claimed", [b"20260302090000", b"00000302090000Z"])
def test_a_time_that_is_no_instant_is_a_fault_of_the_signature_and_stops_nothing(
    tmp_path: Path, issuer: Issuer, clerk: Person, letter: Part, claimed: bytes
) -> None:
    file = clerk.sign(letter.path)
    info = structures.ContentInfo.load(file.read_bytes())
    signer = info["content"]["signer_infos"][0]
    time = core.GeneralizedTime.load(b"\x18" + bytes([len(claimed)]) + claimed)
    attributes = [each for each in signer["signed_attrs"] if each["type"].native != "signing_time"]
    said = structures.CMSAttribute(
        {"type": "signing_time", "values": [structures.Time("generalized_time", time)]}
    )
    signer["signed_attrs"] = structures.CMSAttributes([*attributes, said])
    signed = b"\x31" + signer["signed_attrs"].dump()[1:]
    assert isinstance(clerk.key, rsa.RSAPrivateKey)
    signer["signature"] = clerk.key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    file.write_bytes(info.dump())
    signature = Part("x.p7s", "application/pkcs7-signature", file, "container")
    found = Verifier(lent(tmp_path, issuer)).beside([letter, signature], NOW)
    assert found is not None
    assert "no instant" in found.faults[0]

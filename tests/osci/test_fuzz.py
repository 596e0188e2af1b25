"""Mutated messages: whatever comes in, the reader answers with a message or a typed error, nothing else."""

import random
import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.ego_mail.intermediary.service import IntermediaryService
from adapters.ego_mail.osci import wire
from adapters.ego_mail.osci.algorithms import AlgorithmPolicy
from adapters.ego_mail.osci.content import AttachedFile, Container, Data, Sealed
from adapters.ego_mail.osci.encryption import (
    cipher_value,
    encrypt_bytes,
    encrypted_keys,
    read_cipher_method,
    unwrap_key,
)
from adapters.ego_mail.osci.envelope import verify_message
from adapters.ego_mail.osci.errors import OsciError
from adapters.ego_mail.osci.metadata import find_metadata
from adapters.ego_mail.osci.mime import MultipartReader
from adapters.ego_mail.osci.opened import PackageReader
from adapters.ego_mail.osci.streams import BytesBlob, Spool
from tests.osci.conftest import SHARED
from tests.osci.messages import reseal, spool_of, stored
from tests.osci.pki import Party

CAPTURES = SHARED / "osci12" / "nachrichten-mitschnitt"
OLD = AlgorithmPolicy(read_deprecated=True)
TOKENS = [
    b"<", b">", b"&", b'"', b"=", b"\r\n", b"--", b"Id=", b"URI=", b"xmlns", b"cid:", b"#", b"\x00", b"\xff",
    b"</osci:Challenge>", b"<osci:Challenge>", b"99999999999999999999", b"-1", b"", b"A" * 3000, b"&#0;",
]  # fmt: skip


def swallow(data: bytes, *decrypters) -> str:
    """Read, verify and open; returns the outcome's name. Anything but an OsciError is a failure."""
    try:
        with wire.read(spool_of(data), decrypters, policy=OLD) as incoming:
            message = incoming.message
            find_metadata(message.headers)
            with suppress(OsciError):  # go on with what nobody signed: the rest must stand it too
                verify_message(message, incoming.parts, OLD)
            reader = PackageReader(message.certificates, incoming.parts, decrypters, OLD)
            with reader.read(message.package) as package:
                package.data()
                package.files()
    except OsciError as error:
        return type(error).__name__
    return "read"


def mutate(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 5])):
        at = rng.randrange(len(changed))
        kind = rng.randrange(6)
        if kind == 0:
            changed[at] = rng.randrange(256)
        elif kind == 1:
            del changed[at : at + rng.choice([1, 5, 50, 500])]
        elif kind == 2:
            token = rng.choice(TOKENS)
            changed[at : at + len(token)] = token
        elif kind == 3:
            changed[at:at] = rng.choice(TOKENS)
        elif kind == 4:
            other = rng.randrange(len(changed))
            piece = changed[other : other + rng.choice([3, 30, 300])]
            changed[at:at] = piece
        else:
            # Element names and attribute values, where the reader takes decisions.
            start = changed.find(rng.choice([b"<osci:", b"<ds:", b"<xenc:", b"Algorithm=", b'="']), at)
            if start >= 0:
                changed[start + 2 : start + 2 + rng.randrange(8)] = rng.choice(TOKENS)
        if not changed:
            return b""
    return bytes(changed)


@pytest.fixture(scope="module")
def own(alice: Party, bob: Party) -> dict[str, bytes]:
    inner = Container([Data(b"inner"), AttachedFile("i.bin", BytesBlob(b"i" * 99))], [alice.signer])
    container = Container([inner, Data(b"x"), AttachedFile("a.bin", BytesBlob(b"a" * 99))], [alice.signer])
    open_one = Container([Data(b"open"), AttachedFile("b.bin", BytesBlob(b"b" * 99))], [alice.signer])
    items = [Sealed(container, [bob.cipher]), open_one]
    return {"plain": stored(alice, bob, items), "encrypted": stored(alice, bob, items, encrypt=True)}


@pytest.mark.parametrize("name", ["plain", "encrypted"])
def test_mutated_messages_of_our_own(own: dict[str, bytes], bob: Party, name: str) -> None:
    rng = random.Random(20260302)
    assert swallow(own[name], bob.decrypter) == "read"
    outcomes = {swallow(mutate(own[name], rng), bob.decrypter) for _ in range(600)}
    assert len(outcomes) > 4, outcomes


def test_mutated_content_inside_a_seal(alice: Party, bob: Party) -> None:
    """The seal is right, what it holds is not: the sender is hostile."""
    inner = Container([Data(b"inner")], [alice.signer])
    data = stored(alice, bob, [Sealed(Container([inner, Data(b"x")], [alice.signer]), [bob.cipher])])
    with wire.read(spool_of(data), []) as incoming:
        element = incoming.message.package[0]  # type: ignore[index]
        method = read_cipher_method(element, OLD)
        key = unwrap_key(encrypted_keys(element)[0], bob.decrypter, OLD)
        with method.decrypt(BytesBlob(cipher_value(element)), key, folder=None) as spool:
            plain = spool.read_at(0, spool.size)
    rng = random.Random(3)
    outcomes = set()
    for _ in range(300):
        cipher = encrypt_bytes(mutate(plain, rng), key, b"n" * 12)
        outcomes.add(swallow(reseal(data, bob, key, cipher, method.uri, "12"), bob.decrypter))
    assert {"MalformedMessageError", "SignatureInvalidError"} <= outcomes


@pytest.mark.parametrize("service", [{"require_signature": False, "allow_unencrypted": True}], indirect=True)
def test_mutated_orders_never_break_the_intermediary(
    service: IntermediaryService, alice: Party, bob: Party
) -> None:
    rng = random.Random(11)
    signature = re.compile(rb"<osci:ClientSignature.*?</osci:ClientSignature>", re.DOTALL)
    order = signature.sub(b"", stored(alice, bob, [Container([Data(b"x")])]))
    outcomes = set()
    for _ in range(300):
        answer = service.handle(spool_of(mutate(order, rng)))
        reply = b"".join(answer.outgoing.chunks())
        answer.close()
        outcomes.add(b"".join(re.findall(rb"<osci:Code>(\d+)", reply)[:1]))
    assert {b"9100", b"9801"} <= outcomes


@pytest.mark.skipif(not CAPTURES.exists(), reason="needs ../shared/standards/osci12")
@pytest.mark.parametrize("path", ["plain/req02.raw", "plain/req04.raw", "enc/req02.raw"])
def test_mutated_captures(path: str) -> None:
    rng = random.Random(path)
    data = (CAPTURES / path).read_bytes()
    outcomes = {swallow(mutate(data, rng)) for _ in range(400)}
    assert "MalformedMessageError" in outcomes


@pytest.mark.long
@pytest.mark.skipif(not CAPTURES.exists(), reason="needs ../shared/standards/osci12")
def test_many_mutated_captures() -> None:
    rng = random.Random(7)
    files = sorted(Path(CAPTURES).glob("*/*.raw"))
    for _ in range(15_000):
        swallow(mutate(rng.choice(files).read_bytes(), rng))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=2000))
def test_any_bytes(data: bytes) -> None:
    assert swallow(data) != "read"


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.from_regex(r"[a-z0-9.]{1,20}", fullmatch=True), st.binary(max_size=400)), max_size=5
    ),
    st.binary(max_size=200).filter(lambda data: b"\r\n--" not in data),
)
def test_mime_has_an_inverse(parts: list[tuple[str, bytes]], text: bytes) -> None:
    from adapters.ego_mail.osci.mime import OutPart, multipart_size, write_multipart

    unique = dict(parts)
    boundary = "MIME_boundary_0123456789abcdef"
    out = [OutPart(name, "application/octet-stream", BytesBlob(data)) for name, data in unique.items()]
    message = b"".join(write_multipart(text, out, boundary))
    assert len(message) == multipart_size(text, out, boundary)
    with Spool() as spool:
        spool.write(message)
        reader = MultipartReader(spool)
        first, *rest = reader.parts()
        assert first.blob.open().read() == text
        assert {part.content_id: part.blob.open().read() for part in rest} == unique

"""Containers from outside are hostile until they have shown otherwise."""

import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.xdomea.container import Container, ContainerWriter, Limits, open_container
from adapters.xdomea.errors import (
    BrokenContainerError,
    EncryptedContainerError,
    HostileContainerError,
    NotAContainerError,
)

SMALL = Limits(entries=10, total_bytes=1 << 20, ratio=50, ratio_from_bytes=1 << 16)


def archive(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries:
            made.writestr(name, content)
    return path


def unpack_all(path: Path, target: Path, limits: Limits = SMALL) -> list[str]:
    target.mkdir()
    with open_container(path, limits) as container:
        return [container.unpack(name, target / name).sha256 for name in container.names]


def renamed(path: Path, old: bytes, new: bytes) -> Path:
    """Change a name inside a finished archive, as zipfile would never write it."""
    path.write_bytes(path.read_bytes().replace(old, new))
    return path


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../out.txt", "leads out"),
        ("a/../../out.txt", "leads out"),
        ("..\\out.txt", "leads out"),
        ("/etc/passwd", "absolute"),
        ("\\\\host\\share", "absolute"),
        ("C:\\windows", "absolute"),
        ("C:x", "absolute"),
        ("folder/file.txt", "folder"),
        ("folder/", "folder"),
        ("a//b", "empty"),
        ("line\nbreak", "control"),
        ("x" * 300, "too long"),
        ("./here", "leads out"),
    ],
)
def test_names_that_lead_elsewhere_are_refused(name: str, why: str, tmp_path: Path) -> None:
    made = archive(tmp_path / "c.zip", (zipfile.ZipInfo(name), b"x"))
    with pytest.raises(HostileContainerError, match=why):
        unpack_all(made, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_name_with_nul_is_refused(tmp_path: Path) -> None:
    made = renamed(archive(tmp_path / "c.zip", ("aXb", b"x")), b"aXb", b"a\0b")
    with pytest.raises(HostileContainerError):
        unpack_all(made, tmp_path / "out")


def test_links_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(HostileContainerError, match="link"):
        unpack_all(archive(tmp_path / "c.zip", (link, b"/etc/passwd")), tmp_path / "out")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("names", [("a.txt", "a.txt"), ("A.txt", "a.TXT"), ("ä.txt", "a\u0308.txt")])
def test_duplicates_are_refused(names: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(HostileContainerError, match="twice"):
        unpack_all(archive(tmp_path / "c.zip", *((name, b"x") for name in names)), tmp_path / "out")


def test_too_many_entries_are_refused(tmp_path: Path) -> None:
    made = archive(tmp_path / "c.zip", *((f"{number}", b"") for number in range(11)))
    with pytest.raises(HostileContainerError, match="11 entries"):
        unpack_all(made, tmp_path / "out")


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    with pytest.raises(HostileContainerError, match="50 times"):
        unpack_all(archive(tmp_path / "c.zip", ("bomb", bytes(1 << 19))), tmp_path / "out")
    with pytest.raises(HostileContainerError, match="allowed are"):
        unpack_all(archive(tmp_path / "d.zip", ("big", os.urandom(2 << 20))), tmp_path / "out2")


def test_a_bomb_that_lies_about_its_size_stops_at_what_it_said(tmp_path: Path) -> None:
    content = bytes(1 << 22)
    made = archive(tmp_path / "c.zip", ("bomb", content))
    raw = made.read_bytes()
    assert raw.count(struct.pack("<L", len(content))) == 2
    made.write_bytes(raw.replace(struct.pack("<L", len(content)), struct.pack("<L", 1000)))
    with pytest.raises(BrokenContainerError):
        unpack_all(made, tmp_path / "out")
    assert sum(path.stat().st_size for path in (tmp_path / "out").iterdir()) <= 1000


def test_encrypted_entries_are_refused(tmp_path: Path) -> None:
    made = archive(tmp_path / "c.zip", ("secret", b"x"))
    raw = bytearray(made.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(signature) + offset] |= 1
    made.write_bytes(bytes(raw))
    with pytest.raises(EncryptedContainerError, match="transport"):
        unpack_all(made, tmp_path / "out")


def test_no_archive_and_half_an_archive_are_told_apart(tmp_path: Path) -> None:
    text = tmp_path / "c.zip"
    text.write_text("Sehr geehrte Damen und Herren", encoding="utf-8")
    with pytest.raises(NotAContainerError):
        unpack_all(text, tmp_path / "out")
    whole = archive(tmp_path / "d.zip", ("a", os.urandom(1000)))
    whole.write_bytes(whole.read_bytes()[:500])
    with pytest.raises(BrokenContainerError, match="incomplete"):
        unpack_all(whole, tmp_path / "out2")
    empty = tmp_path / "e.zip"
    empty.touch()
    with pytest.raises(NotAContainerError):
        unpack_all(empty, tmp_path / "out3")


@pytest.mark.parametrize("position", [45, 200, 700])
def test_flipped_bits_are_found(position: int, tmp_path: Path) -> None:
    made = archive(tmp_path / "c.zip", ("a", os.urandom(1000)))
    raw = bytearray(made.read_bytes())
    raw[position] ^= 0xFF
    made.write_bytes(bytes(raw))
    with pytest.raises(BrokenContainerError):
        unpack_all(made, tmp_path / "out")


def test_unknown_compression_is_said(tmp_path: Path) -> None:
    made = archive(tmp_path / "c.zip", ("a", b"x" * 100))
    raw = bytearray(made.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        raw[raw.index(signature) + offset] = 77
    made.write_bytes(bytes(raw))
    with pytest.raises(BrokenContainerError, match="compression"):
        unpack_all(made, tmp_path / "out")


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    contents = {"a.pdf": os.urandom(3000), "b.txt": b"b" * 3000, "c": b""}
    path = tmp_path / "c.zip"
    with ContainerWriter(path, datetime(2026, 3, 2, tzinfo=UTC)) as writer:
        digests = [writer.add(name, io.BytesIO(each), len(each))[1] for name, each in contents.items()]
    assert unpack_all(path, tmp_path / "out") == digests
    assert {each.name: each.read_bytes() for each in (tmp_path / "out").iterdir()} == contents
    with zipfile.ZipFile(path) as made:
        kinds = {info.filename: info.compress_type for info in made.infolist()}
        assert zlib.crc32(contents["a.pdf"]) == made.getinfo("a.pdf").CRC
    assert kinds["a.pdf"] == zipfile.ZIP_STORED
    assert kinds["b.txt"] == zipfile.ZIP_DEFLATED


def test_a_file_is_never_written_over(tmp_path: Path) -> None:
    made = archive(tmp_path / "c.zip", ("a", b"new"))
    (tmp_path / "a").write_bytes(b"old")
    opened: Callable[[Container], object] = lambda container: container.unpack("a", tmp_path / "a")  # noqa: E731
    with open_container(made, SMALL) as container, pytest.raises(FileExistsError):
        opened(container)
    assert (tmp_path / "a").read_bytes() == b"old"

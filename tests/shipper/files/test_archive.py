from __future__ import annotations

import gzip
import zlib
from contextlib import suppress
from pathlib import Path

import pytest

from shipper.files import archive
from shipper.files.archive import ArchiveFile
from shipper.files.reader import Budget
from shipper.files.seen import look


TEXT = b"".join(b"line %d %d\n" % (number, number * 7919) for number in range(50_000))


def opened(path: Path, *, budget: int = 5) -> ArchiveFile:
    seen = look(str(path))
    assert seen is not None
    return ArchiveFile(str(path), seen.identity, Budget(budget), form="gz")


def read(file: ArchiveFile, offset: int = 0, size: int = 1000) -> tuple[bytes, bool]:
    """Return everything from *offset* on, and whether the archive is complete."""
    data = bytearray()
    while True:
        chunk = file.read(offset + len(data), size)
        assert len(chunk.data) <= size
        data += chunk.data
        if not chunk.more and not chunk.truncated:
            return bytes(data), chunk.complete


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(TEXT))
    return path


@pytest.mark.parametrize("budget", [0, 5])
@pytest.mark.parametrize("offset", [0, 1, 70_000, len(TEXT) - 1, len(TEXT)])
def test_from_any_offset(path: Path, offset: int, budget: int) -> None:
    file = opened(path, budget=budget)
    assert read(file, offset) == (TEXT[offset:], True)
    assert read(file, 3) == (TEXT[3:], True)
    assert file.beginning == TEXT[:16]
    assert not file.unread(len(TEXT), 1)
    file.close()


def test_what_is_skipped_is_skipped_in_steps(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "SKIP_BYTES", 10_000)
    file = opened(path)
    chunk = file.read(100_000, 10)
    assert (chunk.data, chunk.more) == (b"", True)
    assert read(file, 100_000)[0] == TEXT[100_000:]


def test_a_file_that_is_still_written(tmp_path: Path) -> None:
    packed = gzip.compress(TEXT)
    path = tmp_path / "a.gz"
    path.write_bytes(b"")
    file = opened(path)
    got = b""
    for end in (0, 1, 9, 11, 500, len(packed) // 2, len(packed) - 1, len(packed)):
        path.write_bytes(packed[:end])
        data, complete = read(file, len(got))
        got += data
        assert complete is (end == len(packed))
        assert file.unread(len(got), end) is not complete
    assert got == TEXT
    with path.open("ab") as again:
        again.write(gzip.compress(b"more\n"))
    assert read(file, len(got)) == (b"more\n", True)


def test_another_file_in_its_place_is_read_anew(path: Path) -> None:
    file = opened(path)
    read(file)
    path.write_bytes(gzip.compress(b"other\n" * 1000, mtime=1))
    assert file.read(len(TEXT), 10).truncated
    assert read(file) == (b"other\n" * 1000, True)


def before_damage(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj(31)
    got = bytearray()
    with suppress(zlib.error):
        for byte in packed:
            got += unpacker.decompress(bytes([byte]))
    return bytes(got)


def read_until_it_fails(file: ArchiveFile, offset: int) -> bytes:
    got = bytearray()
    try:
        while True:
            got += file.read(offset + len(got), 1000).data
    except OSError as error:
        assert "expected gzip: " in str(error)  # noqa: PT017  # with what came before
    return bytes(got)


@pytest.mark.parametrize("where", [0.05, 0.5, 0.95])
def test_all_that_comes_before_damage_is_read(path: Path, where: float) -> None:
    good = path.read_bytes()
    packed = bytearray(good)
    at = int(len(packed) * where)
    packed[at : at + 300] = b"\xff" * 300
    path.write_bytes(packed)
    file = opened(path)
    expected = before_damage(bytes(packed))
    assert len(expected) > len(TEXT) * where * 0.8
    assert read_until_it_fails(file, 0) == expected
    assert read_until_it_fails(file, len(expected)) == b""
    path.write_bytes(good)  # repaired
    assert read(file, 10_000) == (TEXT[10_000:], True)


def test_a_plain_file_is_no_archive(tmp_path: Path) -> None:
    path = tmp_path / "plain.log"
    path.write_bytes(b"not packed\n")
    file = opened(path)
    with pytest.raises(OSError, match="expected gzip: "):
        read(file)

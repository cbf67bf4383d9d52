from __future__ import annotations

import bz2
import gzip
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st

from shipper.files.unpack import Format, Unpacker, UnpackError


PACK: dict[Format, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "z": zlib.compress,
    "bz2": bz2.compress,
}


def unpack(form: Format, packed: bytes, step: int = 7, limit: int = 5) -> bytes:
    unpacker = Unpacker(form)
    unpacked = bytearray()
    for at in range(0, len(packed), step):
        unpacker.push(packed[at : at + step])
        while data := unpacker.pull(limit):
            assert len(data) <= limit
            unpacked += data
    assert unpacker.complete is bool(packed)
    return bytes(unpacked)


@pytest.mark.parametrize("form", PACK)
@given(
    parts=st.lists(st.binary(max_size=200), min_size=1, max_size=3),
    step=st.integers(1, 50),
    limit=st.integers(1, 50),
)
def test_any_split_gives_the_same(
    form: Format, parts: list[bytes], step: int, limit: int
) -> None:
    parts = parts[:1] if form == "z" else parts  # there is only one, as in Go
    packed = b"".join(map(PACK[form], parts))
    assert unpack(form, packed, step, limit) == b"".join(parts)


@pytest.mark.parametrize("form", PACK)
@pytest.mark.parametrize("rest", [b"\0" * 20, b"rubbish", b"\x1f", b"BZ"])
def test_what_follows_and_is_no_archive_is_ignored(form: Format, rest: bytes) -> None:
    assert unpack(form, PACK[form](b"text") + rest) == b"text"


@pytest.mark.parametrize("form", PACK)
def test_a_bomb_is_unpacked_piece_by_piece(form: Format) -> None:
    unpacker = Unpacker(form)
    unpacker.push(PACK[form](b"x" * 5_000_000))
    count = 0
    while data := unpacker.pull(1000):
        assert len(data) <= 1000
        count += len(data)
    assert count == 5_000_000


@pytest.mark.parametrize("form", PACK)
def test_rubbish_is_an_error_and_stays_one(form: Format) -> None:
    unpacker = Unpacker(form)
    unpacker.push(b"plain text, not packed at all")
    for _ in range(2):
        with pytest.raises(UnpackError, match=r"expected (gzip|zlib|bzip2): "):
            unpacker.pull(100)

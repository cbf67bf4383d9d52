"""Compare with golang.org/x/text, which promtail decodes with.

``digests.txt`` has, by encoding, the first half of the SHA-256 of what Go makes of all
single bytes and then of all pairs, in hex, one a line. ``golden.txt`` has lines of
bytes that are often ill-formed, and Go's text for them: encoding, input, output.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from shipper.files.charset.decoder import Decode, decoder, is_utf16
from shipper.files.charset.names import NAMES, canonical
from shipper.files.charset.wide import Order, decode_utf16


HERE = Path(__file__).parent
ORDERS: dict[str, Order] = {"utf-16le": "utf-16-le", "utf-16be": "utf-16-be"}


def read(name: str) -> list[list[str]]:
    return [line.split() for line in (HERE / name).read_text().splitlines()]


def decode_as(name: str) -> Decode:
    if name in ORDERS:
        return lambda line: decode_utf16(line, ORDERS[name])
    return decoder(name)


@pytest.mark.parametrize(("name", "digest"), read("digests.txt"))
def test_every_byte_and_pair_is_as_in_go(name: str, digest: str) -> None:
    decode = decoder(name)
    numbers = range(256)
    singles = (bytes([number]) for number in numbers)
    pairs = (bytes([a, b]) for a in numbers for b in numbers)
    hashed = hashlib.sha256()
    for line in (*singles, *pairs):
        if (name, line) != ("hz-gb-2312", b"~\n"):  # no line holds a newline
            hashed.update(decode(line).hex().encode() + b"\n")
    assert hashed.hexdigest()[:16] == digest


def test_ill_formed_lines_are_as_in_go() -> None:
    wrong = []
    for name, given_hex, *expected_hex in read("golden.txt"):
        expected = bytes.fromhex("".join(expected_hex))
        got = decode_as(name)(bytes.fromhex(given_hex))
        if got != expected:
            wrong.append((name, given_hex, got.decode(), expected.decode()))
    assert wrong == []


@pytest.mark.parametrize("name", [name for name in NAMES if name != "utf-16"])
@given(data=st.binary(max_size=40))
def test_anything_becomes_utf8(name: str, data: bytes) -> None:
    decode_as(name)(data).decode()


TEXTS = {
    "iso-8859-1": "crème", "windows-1252": "“€”", "shift_jis": "日本語ｶﾅ",
    "gbk": "中文€", "big5": "繁體", "euc-jp": "日本語", "euc-kr": "한국어",
    "koi8-r": "Привет", "gb18030": "中😀", "iso-2022-jp": "日本abc",
    "hz-gb-2312": "中文abc", "utf-8": "é\ufeff😀",
}  # fmt: skip
PYTHON = {"gbk": "gb18030", "hz-gb-2312": "hz"}


@pytest.mark.parametrize(("name", "text"), TEXTS.items())
def test_text(name: str, text: str) -> None:
    if name == "gbk":
        assert decoder(name)("中文".encode("gbk") + b"\x80").decode() == text
    else:
        assert decoder(name)(text.encode(PYTHON.get(name, name))).decode() == text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("UTF-8", "utf-8"), (" latin1 ", "iso-8859-1"), ("Shift_JIS", "shift_jis"),
        ("cp936", "gbk"), ("CP1252", None), ("windows-1252", "windows-1252"),
        ("L2", "iso-8859-2"), ("csUTF16LE", "utf-16le"), ("utf8", None), ("", None),
        ("utf-32", None), ("utf-7", None), ("rot13", None), ("hex", None),
    ],
)  # fmt: skip
def test_names_are_those_of_iana(name: str, expected: str | None) -> None:
    if expected is not None:
        assert canonical(name) == expected
        return
    with pytest.raises(ValueError, match="unknown encoding"):
        canonical(name)


def test_every_name_can_be_read() -> None:
    for name in NAMES:
        if not is_utf16(name):
            assert isinstance(decoder(name)(b"x"), bytes)
    with pytest.raises(ValueError, match="one by one"):
        decoder("utf-16")

from __future__ import annotations

from pathlib import Path

import pytest

from exporters.node import procfs


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 200_000])
def test_read_gives_every_byte(size: int, tmp_path: Path) -> None:
    content = bytes(number % 251 for number in range(size))
    (tmp_path / "file").write_bytes(content)
    assert procfs.read(str(tmp_path / "file")) == content


def test_read_gives_the_whole_of_a_file_that_claims_to_be_empty() -> None:
    assert procfs.read("/proc/self/status").startswith(b"Name:")


def test_read_optional_is_none_only_for_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    assert procfs.read_optional(str(tmp_path / "file")) == b"x"
    assert procfs.read_optional(str(tmp_path / "none")) is None
    assert procfs.read_optional(str(tmp_path / "file/below")) is None
    with pytest.raises(IsADirectoryError):
        procfs.read_optional(str(tmp_path))


def test_lines_are_numbered_as_an_editor_does() -> None:
    assert list(procfs.lines(b"a\n\n  \nb\x1c\x85\n")) == [(1, b"a"), (4, b"b\x1c\x85")]


@pytest.mark.parametrize(
    ("text", "base", "value"),
    [
        (b"0", 10, 0),
        (b" 42\n", 10, 42),
        (b"18446744073709551615", 10, 2**64 - 1),
        (b"00ff", 16, 255),
        (b"FF", 16, 255),
    ],
)
def test_parse_uint(text: bytes, base: int, value: int) -> None:
    assert procfs.parse_uint(text, base) == value


@pytest.mark.parametrize(
    ("text", "base"),
    [
        (b"", 10),
        (b" ", 10),
        (b"-1", 10),
        (b"+1", 10),
        (b"1_0", 10),
        (b"ff", 10),
        (b"0x1", 16),
        (b"1 2", 10),
        (b"18446744073709551616", 10),
        (b"9" * 5000, 10),
    ],
)
def test_parse_uint_refuses(text: bytes, base: int) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        procfs.parse_uint(text, base)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(("text", "value"), [(b"-5", -5), (b"+5", 5), (b" 5 ", 5)])
def test_parse_int(text: bytes, value: int) -> None:
    assert procfs.parse_int(text) == value


@pytest.mark.parametrize("text", [b"--5", b"", b"-", b"5.0"])
def test_parse_int_refuses(text: bytes) -> None:
    with pytest.raises(ValueError, match="expected"):
        procfs.parse_int(text)


@pytest.mark.parametrize(
    ("text", "value"), [(b"1.5", 1.5), (b"-1", -1.0), (b"1e3", 1e3)]
)
def test_parse_number(text: bytes, value: float) -> None:
    assert procfs.parse_number(text) == value


@pytest.mark.parametrize("text", [b"", b"one", b"1_0", b"0x10"])
def test_parse_number_refuses(text: bytes) -> None:
    with pytest.raises(ValueError, match="expected a number"):
        procfs.parse_number(text)

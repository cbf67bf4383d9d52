from __future__ import annotations

import pytest

from exporters.node.storage.nfs_rpc import Shape, counted, exactly, parse


SHAPES = {
    b"net": exactly(2),
    b"th": Shape(size=2, least=2),
    b"proc": counted(4, least=2, most=6),
}


def test_a_line_that_is_not_there_is_zeros() -> None:
    assert parse(b"", SHAPES) == {
        b"net": (0, 0),
        b"th": (0, 0),
        b"proc": (0, 0, 0, 0),
    }


@pytest.mark.parametrize(
    ("line", "numbers"),
    [
        (b"net 1 18446744073709551615", [1, 18446744073709551615]),
        (b"th 8 0 0.000 0.000", [8, 0]),
        (b"proc 2 5 6", [5, 6, 0, 0]),
        (b"proc 4 5 6 7 8", [5, 6, 7, 8]),
        (b"proc 6 5 6 7 8 9 x", [5, 6, 7, 8]),
    ],
)
def test_parse(line: bytes, numbers: list[int]) -> None:
    assert parse(line + b"\n", SHAPES)[line.split()[0]] == numbers


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"invalid", "expected 'key N ...'"),
        (b"net 1", r"line 2 \(net\): expected at least 2 numbers, got 1"),
        (b"net 1 2 3", r"line 2 \(net\): expected at most 2 numbers, got 3"),
        (b"net 1 -2", "expected an unsigned integer"),
        (b"proc 3 1 2", r"line 2 \(proc\): expected 3 numbers, got 2"),
        (b"proc 1 1", "expected at least 2"),
        (b"proc 7 1 2 3 4 5 6 7", "expected at most 6"),
        (b"proc x 1", "expected an unsigned integer"),
    ],
)
def test_parse_refuses(line: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse(b"th 1 2\n" + line, SHAPES)


def test_a_line_of_a_newer_kernel_is_left_out() -> None:
    assert parse(b"wdeleg 1\nnet 3 4\n", SHAPES)[b"net"] == [3, 4]

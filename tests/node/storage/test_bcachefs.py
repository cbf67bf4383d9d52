from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st

from exporters.node.storage import bcachefs


TABLE = b"type   one  two\n"
DONE = (
    b"read:\nsb          :       53248\nuser        :12\nwrite:\nuser :7\nread:\nx:1\n"
)
ERRORS = (
    b"before: 1\n"
    b"IO errors since filesystem creation\n"
    b"  read:    7\n  checksum:2\n\n"
    b"IO errors since 3 d ago\n"
    b"  read:    1\n"
)
PARSERS: tuple[Callable[[bytes], object], ...] = (
    bcachefs.parse_compression,
    bcachefs.parse_btree_writes,
    bcachefs.parse_errors,
    bcachefs.parse_counter,
    bcachefs.parse_io_done,
    bcachefs.parse_io_errors,
)


def test_compression_has_a_heading_and_more_columns_than_are_shown() -> None:
    rows = b"lz4   3.00k   1M   58.3k\nnone: 0 1\nshort 1\n\n"
    assert bcachefs.parse_compression(TABLE + rows) == {
        "lz4": (3072, 1 << 20),
        "none": (0, 1),
    }


def test_btree_writes() -> None:
    rows = b"initial:   411902    1.50k\ninterior:  3  702\n"
    assert bcachefs.parse_btree_writes(TABLE + rows) == {
        "initial": (411902, 1536),
        "interior": (3, 702),
    }


def test_errors_may_have_no_time() -> None:
    assert bcachefs.parse_errors(b"a_b   1   1771203344\nc 2\nd\n") == {
        "a_b": 1,
        "c": 2,
    }


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"since mount:  3\nsince filesystem creation:   2.25k\n", 2304),
        (b"since filesystem creation: 7\nsince mount: 3\n", 7),
        (b"since mount: 3\n", 0),
    ],
)
def test_counter(data: bytes, value: int) -> None:
    assert bcachefs.parse_counter(data) == value


def test_io_done() -> None:
    assert bcachefs.parse_io_done(b"early: 1\n" + DONE + b"\nno colon\n") == {
        ("read", "sb"): 53248,
        ("read", "user"): 12,
        ("write", "user"): 7,
        ("read", "x"): 1,
    }


def test_io_errors_are_those_since_the_beginning() -> None:
    assert bcachefs.parse_io_errors(ERRORS) == {"read": 7, "checksum": 2}


@pytest.mark.parametrize(
    ("parse", "data"),
    [
        (bcachefs.parse_compression, TABLE + b"lz4 1 x\n"),
        (bcachefs.parse_btree_writes, TABLE + b"initial: 1.5k 1\n"),
        (bcachefs.parse_errors, b"a -1\n"),
        (bcachefs.parse_counter, b""),
        (bcachefs.parse_counter, b" since mount: 1\n"),
        (bcachefs.parse_counter, b"since filesystem creation:\n"),
        (bcachefs.parse_io_done, b"read:\nuser: x\n"),
        (bcachefs.parse_io_errors, ERRORS.replace(b"7", b"-7")),
    ],
)
def test_refused(parse: Callable[[bytes], object], data: bytes) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse(data)


@given(
    st.sampled_from([TABLE, DONE, ERRORS, b"since mount:", b"read:\n"]),
    st.lists(st.sampled_from([b":", b" ", b"\n", b"1", b"k", b"."]) | st.binary()),
)
def test_rubbish_raises_only_value_error(head: bytes, parts: list[bytes]) -> None:
    for parse in PARSERS:
        with contextlib.suppress(ValueError):
            parse(head + b"".join(parts))

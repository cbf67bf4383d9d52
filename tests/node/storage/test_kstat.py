from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st

from exporters.node.storage import kstat


HEAD = b"9 1 0x01 3 416 7012345 70123456789\nname    type data\n"
IO_HEAD = (
    b"nread nwritten reads writes wtime wlentime wupdate rtime rlentime rupdate"
    b" wcnt rcnt\n"
)
PARSERS: tuple[Callable[[bytes], object], ...] = (
    kstat.parse_named,
    kstat.parse_objset,
    kstat.parse_io,
    kstat.parse_state,
)


def test_only_64_bit_numbers_are_taken() -> None:
    rows = b"hits 4 18446744073709551615\nfree 3 -5\nlong 5 1\nname 7 x y\nshort 4\n\n"
    assert kstat.parse_named(HEAD + rows) == [("hits", 2**64 - 1), ("free", -5)]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "name type data"),
        (b"a 4 1\n", "name type data"),
        (HEAD + b"hits 4 -1\n", r"^hits: expected an unsigned integer, got b'-1'"),
        (HEAD + b"hits 4 18446744073709551616\n", "^hits: .* 64 bits"),
        (HEAD + b"free 3 1.5\n", "^free: expected an unsigned integer"),
    ],
)
def test_a_bad_number_is_named(data: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        kstat.parse_named(data)


@pytest.mark.parametrize(
    "name",
    [
        "tank",
        "tank/home/anna's photos",
        # parts of the line before it, upstream finds them there
        "data",
        "name",
        "7",
    ],
)
def test_names_of_datasets(name: str) -> None:
    text = f"dataset_name                    7    {name}\nwrites 4 12\nx 3 -1\n"
    found = kstat.parse_objset(HEAD + text.encode())
    assert found == (name, [("writes", 12)])


def test_a_dataset_without_a_name() -> None:
    assert kstat.parse_objset(HEAD + b"writes 4 1\n") == ("", [("writes", 1)])


def test_io() -> None:
    values = b" ".join(b"%d" % number for number in range(13)) + b"\n"
    found = kstat.parse_io(b"12 3 0x00 1 80 1 2\n" + IO_HEAD + values)
    assert found[0] == ("nread", 0)
    assert found[-1] == ("rcnt", 11)
    assert len(found) == 12


@pytest.mark.parametrize("data", [b"", b"nread nwritten\n1 2\n", IO_HEAD])
def test_io_without_values(data: bytes) -> None:
    assert kstat.parse_io(data) == []


@pytest.mark.parametrize("values", [b"1 2 3\n", b"x " * 12])
def test_io_refuses(values: bytes) -> None:
    with pytest.raises(ValueError, match="expected"):
        kstat.parse_io(IO_HEAD + values)


@pytest.mark.parametrize(
    ("data", "state"),
    [
        (b"ONLINE\n", "online"),
        (b"DEGRADED\r\nx", "degraded"),
        (b"UNAVAIL", "unavail"),
        (b"", ""),
    ],
)
def test_state(data: bytes, state: str) -> None:
    assert kstat.parse_state(data) == state


@given(
    st.sampled_from([b"", HEAD, IO_HEAD]),
    st.lists(
        st.sampled_from([b"dataset_name", b" ", b"\n", b"4", b"3", b"-"]) | st.binary()
    ),
)
def test_rubbish_raises_only_value_error(head: bytes, parts: list[bytes]) -> None:
    for parse in PARSERS:
        with contextlib.suppress(ValueError):
            parse(head + b"".join(parts))

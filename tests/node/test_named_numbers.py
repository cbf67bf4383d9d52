from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from exporters.node.collectors.vmstat import parse
from exporters.node.named_numbers import NamedNumbers


def choose(name: bytes) -> str | None:
    return None if name.startswith(b"x") else name.decode("latin-1")


def read_anew(data: bytes) -> list[tuple[str, float]]:
    return NamedNumbers(parse, choose).read(data)


def test_what_is_wanted_comes_with_its_number() -> None:
    numbers = NamedNumbers(parse, choose)
    for _ in range(2):
        assert numbers.read(b"a 1\nxb 2\nc 3\n") == [("a", 1), ("c", 3)]
    assert numbers.read(b"a 4\nxb 5\nc 6\n") == [("a", 4), ("c", 6)]
    assert numbers.read(b"c 7\na 8\n") == [("c", 7), ("a", 8)]
    assert numbers.read(b"") == []


@pytest.mark.parametrize("broken", [b"a 1\nxb\n", b"a 1\nxb y\n", b"a 1\nxb -\n"])
def test_names_known_from_before_excuse_nothing(broken: bytes) -> None:
    numbers = NamedNumbers(parse, choose)
    numbers.read(b"a 1\nxb 2\n")
    with pytest.raises(ValueError, match="expected"):
        numbers.read(broken)


_LINES = st.lists(
    st.tuples(st.sampled_from([b"a", b"xb", b"c", b"1"]), st.sampled_from(b"123")),
    max_size=4,
).map(lambda rows: b"".join(b"%b %c\n" % row for row in rows))


@given(st.lists(_LINES, max_size=6))
def test_what_was_read_before_makes_no_difference(files: list[bytes]) -> None:
    numbers = NamedNumbers(parse, choose)
    for data in files:
        assert numbers.read(data) == read_anew(data)

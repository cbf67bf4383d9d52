from __future__ import annotations

import pytest

from exporters.node.collectors import filefd


def test_parse_keeps_the_first_and_the_third() -> None:
    assert filefd.parse(b"4832\t7\t9223372036854775807\n") == (
        4832.0,
        9223372036854775807.0,
    )


@pytest.mark.parametrize("data", [b"", b"1\t2", b"1 2 3\n", b"a\t0\t3", b"1\t0\tb"])
def test_parse_refuses(data: bytes) -> None:
    with pytest.raises(ValueError, match="expected"):
        filefd.parse(data)

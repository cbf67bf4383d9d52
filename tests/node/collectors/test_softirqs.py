from __future__ import annotations

import pytest

from exporters.node.collectors import softirqs


def test_parse_takes_the_kinds_that_upstream_knows() -> None:
    data = b"  CPU0 CPU1\n  HI: 1 2\n  NEW: 3 4\n RCU: 5 18446744073709551615\n"
    assert softirqs.parse(data) == {"HI": [1, 2], "RCU": [5, 2**64 - 1]}


@pytest.mark.parametrize("data", [b"", b"CPU0\nHI: -1\n", b"CPU0\nHI: 1 x\n"])
def test_parse_refuses(data: bytes) -> None:
    with pytest.raises(ValueError, match="expected"):
        softirqs.parse(data)

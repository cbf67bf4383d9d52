from __future__ import annotations

import pytest

from exporters.node.collectors import buddyinfo


def test_parse() -> None:
    data = b"Node 0, zone      DMA      1      0\nNode 12, zone Movable 7 8 \n"
    assert buddyinfo.parse(data) == [("0", "DMA", [1, 0]), ("12", "Movable", [7, 8])]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"Node 0, zone", "buddyinfo:2: expected 'Node N, zone NAME ...'"),
        (b"Node 0, zone DMA 1 2", "buddyinfo:2: expected 1 sizes as before, got 2"),
        (b"Node 0, zone DMA x", "buddyinfo:2: expected a number"),
    ],
)
def test_parse_refuses(line: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        buddyinfo.parse(b"Node 0, zone DMA32 5\n" + line)

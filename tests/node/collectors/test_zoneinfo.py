from __future__ import annotations

import pytest

from exporters.node.collectors import zoneinfo


HEAD = b"Node 0, zone      DMA\n"


@pytest.mark.parametrize(
    ("line", "numbers"),
    [
        (b"        min      10", {"min": 10}),
        (b"        min      0x10", {"min": 16}),
        (b"        min      -3 4", {"min": -3}),
        (b"        min      x", {"min": 0}),
        (b"        min", {}),
        (b"              high:     7", {}),
        (b"  pages free     7", {}),
        (b"      nr_mapped    9", {"nr_mapped": 9}),
        (b"      nr_new    9", {}),
    ],
)
def test_numbers(line: bytes, numbers: dict[str, int]) -> None:
    (zone,) = zoneinfo.parse(HEAD + line)
    assert zone.numbers == numbers


@pytest.mark.parametrize(
    ("line", "protection"),
    [
        (b"        protection: (0, 12, 3)", [0, 12, 3]),
        (b"        protection: (7)", [7]),
        (b"        protection: (0, x)", []),
        (b"        protection: ()", []),
    ],
)
def test_protection(line: bytes, protection: list[int]) -> None:
    (zone,) = zoneinfo.parse(HEAD + line)
    assert zone.protection == protection


def test_zones() -> None:
    data = b"min 1\n" + HEAD + b"min 2\nNode 11, zone  Movable\nmin 3\n"
    assert [(z.node, z.name, z.numbers) for z in zoneinfo.parse(data)] == [
        ("0", "DMA", {"min": 2}),
        ("11", "Movable", {"min": 3}),
    ]

from __future__ import annotations

import pytest

from exporters.node.collectors import softnet


def columns(count: int) -> bytes:
    return b" ".join(b"%08x" % number for number in range(16, 16 + count)) + b"\n"


@pytest.mark.parametrize(
    ("count", "row"),
    [
        (9, (0, 16, 17, 18, 24, 0, 0, 0)),
        (10, (0, 16, 17, 18, 24, 25, 0, 0)),
        (11, (0, 16, 17, 18, 24, 25, 26, 0)),
        (12, (0, 16, 17, 18, 24, 25, 26, 0)),
        (13, (28, 16, 17, 18, 24, 25, 26, 27)),
        (15, (28, 16, 17, 18, 24, 25, 26, 27)),
    ],
)
def test_parse_knows_the_columns_of_each_kernel(
    count: int, row: tuple[int, ...]
) -> None:
    assert softnet.parse(columns(count)) == [row]


def test_parse_counts_the_cpus_where_the_kernel_does_not_name_them() -> None:
    assert [row.cpu for row in softnet.parse(columns(11) * 3)] == [0, 1, 2]


@pytest.mark.parametrize("line", [columns(8), b"x " * 13, b"0x1 " * 13])
def test_parse_refuses(line: bytes) -> None:
    with pytest.raises(ValueError, match="expected"):
        softnet.parse(line)

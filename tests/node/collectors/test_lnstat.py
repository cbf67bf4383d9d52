from __future__ import annotations

from pathlib import Path

import pytest

from exporters.node.collectors import lnstat
from tests.node.hosts import collect


@pytest.mark.parametrize(
    ("data", "columns"),
    [
        (b"", {}),
        (b"entries  hits\n", {}),
        (b"entries  hits\n1 ff\n2 0\n", {"entries": [1, 2], "hits": [255, 0]}),
        (b"entries  hits\n1\n", {"entries": [1]}),
        (b"twice twice\n1 2\n3 4\n", {"twice": [1, 2, 3, 4]}),
    ],
)
def test_parse(data: bytes, columns: dict[str, list[int]]) -> None:
    assert lnstat.parse(data) == columns


@pytest.mark.parametrize("row", [b"1 2", b"g", b"0x1", b"-1"])
def test_parse_refuses(row: bytes) -> None:
    with pytest.raises(ValueError, match="expected"):
        lnstat.parse(b"entries\n" + row)


def test_a_bad_file_costs_only_itself(tmp_path: Path) -> None:
    host = (
        "proc/net/stat/a: |\n    x\n    zz\n"
        "proc/net/stat/b: |\n    y\n    1f\n"
        "proc/net/stat/c/\n"
    )
    seen = collect(lnstat.COLLECTOR, host, tmp_path)
    assert seen.values == {'node_lnstat_y_total{subsystem="b",cpu="0"}': 31}
    assert "net/stat/a: expected an unsigned integer" in str(seen.error)


def test_no_folder_is_no_sample(tmp_path: Path) -> None:
    assert collect(lnstat.COLLECTOR, "", tmp_path) == ({}, None)

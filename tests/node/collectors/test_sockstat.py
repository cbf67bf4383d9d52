from __future__ import annotations

import os

import pytest

from exporters.node.collectors import sockstat
from tests.node.conftest import Run


def test_parse() -> None:
    data = b"sockets: used 5\nTCP: inuse 3 mem -1\n"
    assert sockstat.parse(data) == {
        "sockets": {"used": 5},
        "TCP": {"inuse": 3, "mem": -1},
    }


@pytest.mark.parametrize(
    "line", [b"TCP:", b"TCP: inuse", b"TCP: inuse x", b"TCP: a 1 b"]
)
def test_parse_refuses(line: bytes) -> None:
    with pytest.raises(ValueError, match="expected"):
        sockstat.parse(line)


def test_families(run: Run) -> None:
    values = {m.name: m.samples[0].value for m in run(sockstat.COLLECTOR)}
    assert len(values) == 20
    assert values["node_sockstat_sockets_used"] == 1602
    assert values["node_sockstat_TCP_mem"] == 22
    assert values["node_sockstat_TCP_mem_bytes"] == 22 * os.sysconf("SC_PAGE_SIZE")
    assert values["node_sockstat_FRAG_memory"] == 8

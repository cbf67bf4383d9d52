from __future__ import annotations

import pytest

from exporters.node.collectors import cgroups


def test_parse() -> None:
    data = b"#subsys_name\thierarchy\tnum_cgroups\tenabled\nrdma\t4\t17\t0\n"
    assert cgroups.parse(data) == [("rdma", 17, 0)]


@pytest.mark.parametrize("line", [b"cpu 1 2", b"cpu 1 x 1", b"cpu x 1 1"])
def test_parse_refuses(line: bytes) -> None:
    with pytest.raises(ValueError, match="cgroups:2: expected"):
        cgroups.parse(b"# names\n" + line)

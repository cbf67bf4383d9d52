"""No parser answers rubbish with anything but ValueError."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st

from exporters.node.collectors import (
    conntrack,
    filefd,
    loadavg,
    meminfo,
    netstat,
    os as os_release,
    pressure,
    sockstat,
    softnet,
    stat,
    udp_queues,
    vmstat,
)
from tests.node.conftest import FIXTURES


PARSERS: dict[str, Callable[[bytes], object]] = {
    "proc/net/stat/nf_conntrack": conntrack.parse,
    "proc/sys/fs/file-nr": filefd.parse,
    "proc/loadavg": loadavg.parse,
    "proc/meminfo": meminfo.parse,
    "proc/net/netstat": netstat.parse,
    "proc/net/snmp6": netstat.parse_snmp6,
    "root/etc/os-release": os_release.parse,
    "proc/pressure/io": pressure.parse,
    "proc/net/sockstat": sockstat.parse,
    "proc/net/softnet_stat": softnet.parse,
    "proc/stat": stat.parse,
    "proc/net/udp": udp_queues.parse,
    "proc/vmstat": vmstat.parse,
}

rubbish = st.binary(max_size=40) | st.sampled_from(
    [b"", b"-1", b"_", b"\n", b"=", b":", b'"', b"\\", b"\xff", b"9" * 30, b"nan"]
)


@pytest.mark.parametrize("name", PARSERS)
def test_the_fixture_itself_is_read(name: str) -> None:
    assert PARSERS[name]((FIXTURES / name).read_bytes())


@pytest.mark.parametrize("name", PARSERS)
@given(data=st.data())
def test_a_damaged_file_raises_only_value_error(name: str, data: st.DataObject) -> None:
    good = (FIXTURES / name).read_bytes()
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, min(len(good), start + 60)))
    damaged = good[:start] + data.draw(rubbish) + good[end:]
    with contextlib.suppress(ValueError):
        PARSERS[name](damaged)


@pytest.mark.parametrize("name", PARSERS)
@given(noise=st.binary(max_size=200))
def test_noise_raises_only_value_error(name: str, noise: bytes) -> None:
    with contextlib.suppress(ValueError):
        PARSERS[name](noise)

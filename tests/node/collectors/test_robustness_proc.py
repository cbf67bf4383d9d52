"""The parsers of procfs and sysfs text answer rubbish with ValueError and nothing else.

What is damaged are the files of the golden hosts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given, strategies as st

from exporters.node.collectors import (
    buddyinfo,
    cgroups,
    drbd,
    interrupts,
    lnstat,
    meminfo_numa,
    nfs,
    nfsd,
    processes,
    schedstat,
    slabinfo,
    softirqs,
    swap,
    sysctl,
    xfrm,
    zoneinfo,
)
from exporters.node.families import Families
from exporters.node.network import ip_vs
from exporters.node.storage import mountstats
from tests.node import golden, tree


def every_interrupt(data: bytes) -> object:
    return [interrupt.filter_name for interrupt in interrupts.parse(data)]


def every_mount(data: bytes) -> object:
    return [mountstats.parse(block) for block in mountstats.blocks(data)]


def every_drbd(data: bytes) -> object:
    found = Families()
    for device, key, value in drbd.parse(data):
        drbd.add(found, device, key, value)
    return list(found)


def sysctl_families(data: bytes) -> object:
    asked = sysctl.Sysctl.parse("kernel.printk", is_info=False)
    return list(asked.families(data))


def listed(parse: Callable[[bytes], Iterable[object]]) -> Callable[[bytes], object]:
    return lambda data: list(parse(data))


# (tree, file) -> what parses it
PARSERS: dict[tuple[str, str], Callable[[bytes], object]] = {
    ("buddyinfo", "proc/buddyinfo"): buddyinfo.parse,
    ("cgroups", "proc/cgroups"): cgroups.parse,
    ("drbd", "proc/drbd"): every_drbd,
    ("interrupts", "proc/interrupts"): every_interrupt,
    ("ipvs", "proc/net/ip_vs"): listed(ip_vs.parse),
    ("ipvs", "proc/net/ip_vs_stats"): ip_vs.parse_stats,
    ("lnstat", "proc/net/stat/ndisc_cache"): lnstat.parse,
    ("meminfo_numa", "sys/devices/system/node/node0/meminfo"): meminfo_numa.parse,
    ("meminfo_numa", "sys/devices/system/node/node0/numastat"): (
        lambda data: meminfo_numa.parse_numastat(data, "0")
    ),
    ("mountstats", "proc/self/mountstats"): every_mount,
    ("nfs", "proc/net/rpc/nfs"): listed(nfs.families),
    ("nfsd", "proc/net/rpc/nfsd"): listed(nfsd.families),
    ("processes", "proc/512/stat"): processes.parse,
    ("schedstat", "proc/schedstat"): schedstat.parse,
    ("slabinfo", "proc/slabinfo"): slabinfo.parse,
    ("softirqs", "proc/softirqs"): softirqs.parse,
    ("swap", "proc/swaps"): swap.parse,
    ("sysctl", "proc/sys/kernel/printk"): sysctl_families,
    ("xfrm", "proc/net/xfrm_stat"): xfrm.parse,
    ("zoneinfo", "proc/zoneinfo"): zoneinfo.parse,
}


def content(name: str, path: str) -> bytes:
    text = (golden.FOLDER / f"{name}.tree").read_text("utf-8")
    (found,) = [e.content for e in tree.parse(text) if e.path == path]
    assert found is not None
    return found


FILES = {key: content(*key) for key in PARSERS}

rubbish = st.binary(max_size=40) | st.sampled_from(
    [b"", b"-1", b"_", b"\n", b"=", b":", b"/", b"%", b"\xff", b"9" * 5000, b"nan"]
)
every_file = pytest.mark.parametrize("key", PARSERS, ids=lambda key: key[1])


@every_file
def test_the_file_itself_is_read(key: tuple[str, str]) -> None:
    assert PARSERS[key](FILES[key])


@every_file
@given(data=st.data())
def test_a_damaged_file_raises_only_value_error(
    key: tuple[str, str], data: st.DataObject
) -> None:
    good = FILES[key]
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, min(len(good), start + 60)))
    damaged = good[:start] + data.draw(rubbish) + good[end:]
    with contextlib.suppress(ValueError):
        PARSERS[key](damaged)


@every_file
@given(noise=st.binary(max_size=200))
def test_noise_raises_only_value_error(key: tuple[str, str], noise: bytes) -> None:
    with contextlib.suppress(ValueError):
        PARSERS[key](noise)

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from exporters.node.collectors import xfs
from exporters.node.storage.xfs_stats import parse
from tests.node.storage.storage_host import samples, scrape


def test_lines_that_are_missing_are_zeros() -> None:
    found = parse(b"rw 7 8\nrw\nfoo 1\n\n")
    assert found["rw"] == [7, 8]
    assert found["extent_alloc"] == [0, 0, 0, 0]


def test_columns_of_a_later_kernel_and_lines_that_are_not_shown() -> None:
    found = parse(b"rw 1 2 x\nqm 1\nnew -1\nvnodes 1 2 3 4 5 6 7\n")
    assert found["rw"] == [1, 2]
    assert found["vnodes"] == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"\nrw 1\n", "line 2: expected 2 values of rw, got 1"),
        (b"rw 1 x\n", "expected an unsigned integer, got b'x'"),
    ],
)
def test_refused(data: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse(data)


@given(st.lists(st.sampled_from([b"rw", b"dir", b" ", b"1", b"\n"]) | st.binary()))
def test_rubbish_raises_only_value_error(parts: list[bytes]) -> None:
    with contextlib.suppress(ValueError):
        parse(b" ".join(parts) + b"".join(parts))


@pytest.mark.parametrize("text", ["", "sys/fs/xfs/stats/stats: rw 1 2\n"])
def test_a_host_without_xfs_has_nothing_and_is_well(text: str, tmp_path: Path) -> None:
    outcome = scrape(xfs.COLLECTOR, tmp_path, text)
    assert (outcome.metrics, outcome.error) == ((), None)


def test_one_bad_file_system_costs_itself_and_the_success(tmp_path: Path) -> None:
    text = "sys/fs/xfs/a/stats/stats: rw x x\nsys/fs/xfs/b/stats/stats: rw 1 2\n"
    outcome = scrape(xfs.COLLECTOR, tmp_path, text)
    found = samples(outcome, "node_xfs_")
    assert found["write_calls_total", "b"] == 1
    assert {device for _, device in found} == {"b"}
    assert "fs/xfs/a/stats/stats: expected an unsigned" in str(outcome.error)

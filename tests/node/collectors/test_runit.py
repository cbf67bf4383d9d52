from __future__ import annotations

import contextlib
import os
import struct
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from exporters.node.collectors import runit
from tests.node.conftest import Run


TAI_1970 = 2**62 + 10


def status(tai: int, wanted: bytes, state: int) -> bytes:
    """What runsv writes: pid 4711, neither paused nor told to terminate."""
    return struct.pack(">QI", tai, 123_456_789) + struct.pack(
        "<IBcBB", 4711, 0, wanted, 0, state
    )


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (status(TAI_1970 + 1_700_000_000, b"u", 1), (1_700_000_000, 1, 1)),
        (status(TAI_1970, b"d", 0), (0, 0, 0)),
        (status(TAI_1970 + 5, b"\0", 2), (5, 0, 2)),
        (status(0, b"u", 255), (-TAI_1970, 1, 255)),
    ],
)
def test_status(data: bytes, expected: tuple[int, int, int]) -> None:
    assert runit.parse(data) == expected


@pytest.mark.parametrize("data", [b"", b"\0" * 19, b"\0" * 21])
def test_a_status_of_another_size_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=f"expected 20 bytes, got {len(data)}"):
        runit.parse(data)


@given(data=st.binary(max_size=40))
def test_noise_raises_only_value_error(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        runit.parse(data)


def test_services_that_cannot_be_read_are_left_out(run: Run, tmp_path: Path) -> None:
    good = status(TAI_1970 + 7, b"u", 1)
    for name, data in {"good": good, "torn": good[:5], "none": None}.items():
        (tmp_path / name / "supervise").mkdir(parents=True)
        if data is not None:
            (tmp_path / name / "supervise/status").write_bytes(data)
    (tmp_path / "file").write_bytes(good)
    (tmp_path / "dangling").symlink_to("nowhere")
    odd = os.fsencode(tmp_path) + b"/odd\xff"
    os.symlink("good", odd)
    found = run(runit.COLLECTOR, f"--collector.runit.servicedir={tmp_path}")
    services = {one.labels["service"] for family in found for one in family.samples}
    assert services == {"good", "odd\N{REPLACEMENT CHARACTER}"}


def test_no_directory_is_an_error(run: Run, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run(runit.COLLECTOR, f"--collector.runit.servicedir={tmp_path}/none")

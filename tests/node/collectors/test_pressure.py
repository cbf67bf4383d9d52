from __future__ import annotations

import errno
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from exporters.node import procfs
from exporters.node.collectors import pressure
from exporters.node.paths import Paths
from exporters.node.registry import NoData
from tests.node.conftest import Run


def test_parse_takes_the_totals_and_skips_other_lines() -> None:
    data = b"some avg10=0.28 avg60=1.40 avg300=1.07 total=11\nmore total=1\n"
    assert pressure.parse(data) == {"some": 11}


@pytest.mark.parametrize("line", [b"some", b"full avg10=0.00", b"some total=x"])
def test_parse_refuses(line: bytes) -> None:
    with pytest.raises(ValueError, match="expected"):
        pressure.parse(line)


def test_families(run: Run) -> None:
    values = {m.name: m.samples[0].value for m in run(pressure.COLLECTOR)}
    assert values["node_pressure_cpu_waiting_seconds"] == 11259477 / 1000 / 1000
    assert values["node_pressure_irq_stalled_seconds"] == 186247 / 1000 / 1000
    assert len(values) == 6


def test_a_kernel_without_irq_pressure_has_five(
    run: Run, paths: Paths, tmp_path: Path
) -> None:
    proc = tmp_path / "proc"
    shutil.copytree(paths.procfs, proc)
    where = replace(paths, procfs=str(proc))
    (proc / "pressure/irq").unlink()
    assert len(run(pressure.COLLECTOR, where=where)) == 5
    shutil.rmtree(proc / "pressure")
    with pytest.raises(NoData, match="CONFIG_PSI"):
        run(pressure.COLLECTOR, where=where)


def test_switched_off_is_no_data(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> bytes:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported", path)

    monkeypatch.setattr(procfs, "read", refuse)
    with pytest.raises(NoData, match="psi=1"):
        run(pressure.COLLECTOR)

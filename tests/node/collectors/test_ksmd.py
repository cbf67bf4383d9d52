from __future__ import annotations

from pathlib import Path

from exporters.node.collectors import ksmd
from tests.node.hosts import collect


FOLDER = "sys/kernel/mm/ksm"


def test_a_kernel_without_ksm_has_no_samples(tmp_path: Path) -> None:
    assert collect(ksmd.COLLECTOR, "", tmp_path) == ({}, None)


def test_a_loss_is_a_negative_profit(tmp_path: Path) -> None:
    seen = collect(ksmd.COLLECTOR, f"{FOLDER}/general_profit: -64\n", tmp_path)
    assert seen == ({"node_ksmd_general_profit_bytes": -64}, None)


def test_a_bad_file_costs_only_itself(tmp_path: Path) -> None:
    host = f"{FOLDER}/run: x\n{FOLDER}/sleep_millisecs: 1500\n{FOLDER}/full_scans: 2\n"
    seen = collect(ksmd.COLLECTOR, host, tmp_path)
    assert seen.values == {
        "node_ksmd_full_scans_total": 2,
        "node_ksmd_sleep_seconds": 1.5,
    }
    assert "ksm/run: expected an unsigned integer" in str(seen.error)

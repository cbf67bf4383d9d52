from __future__ import annotations

from pathlib import Path

import pytest

from exporters.node.collectors import qdisc
from exporters.node.network import qdiscs
from exporters.node.network.qdiscs import Counts, Qdisc
from exporters.toolkit.errors import StartError
from tests.node.conftest import Run


@pytest.fixture(autouse=True)
def kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    roots = [
        Qdisc("eth0", "fq_codel", Counts(70_000, 60, 5, 4, 3, 2, 1)),
        Qdisc("wan", "noqueue", Counts()),
    ]
    monkeypatch.setattr(qdiscs, "read_roots", lambda: roots)


def test_every_family(run: Run) -> None:
    families = run(qdisc.COLLECTOR)
    found = {f.samples[0].name: (f.type, f.samples[0].value) for f in families}
    assert found == {
        "node_qdisc_bytes_total": ("counter", 70_000),
        "node_qdisc_packets_total": ("counter", 60),
        "node_qdisc_drops_total": ("counter", 5),
        "node_qdisc_requeues_total": ("counter", 4),
        "node_qdisc_overlimits_total": ("counter", 3),
        "node_qdisc_current_queue_length": ("gauge", 2),
        "node_qdisc_backlog": ("gauge", 1),
    }
    assert families[0].samples[0].labels == {"device": "eth0", "kind": "fq_codel"}


@pytest.mark.parametrize(
    ("flag", "left"),
    [
        ("--collector.qdisc.device-include=^w", {"wan"}),
        ("--collector.qdisc.device-exclude=^w", {"eth0"}),
        ("--collector.qdisk.device-include=^w", {"wan"}),
        ("--collector.qdisk.device-exclude=^w", {"eth0"}),
        ("--collector.network.device-exclude=^w", {"eth0"}),
        ("--collector.network.device-include=^never", set()),
    ],
)
def test_filters(flag: str, left: set[str], run: Run) -> None:
    families = run(qdisc.COLLECTOR, flag)
    assert {s.labels["device"] for f in families for s in f.samples} == left


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        (
            "qdisc.device-include",
            "qdisc.device-exclude",
            (
                "collector.qdisc.device-include and collector.qdisc.device-exclude"
                " are mutaly exclusive"
            ),
        ),
        (
            "qdisk.device-include",
            "qdisc.device-exclude",
            (
                "collector.qdisc.device-include and collector.qdisc.device-exclude"
                " are mutaly exclusive"
            ),
        ),
        (
            "qdisk.device-include",
            "qdisc.device-include",
            (
                "--collector.qdisk.device-include and --collector.qdisc.device-include"
                " are mutually exclusive"
            ),
        ),
    ],
)
def test_contradictions(first: str, second: str, reason: str, run: Run) -> None:
    with pytest.raises(StartError, match=reason):
        run(qdisc.COLLECTOR, f"--collector.{first}=a", f"--collector.{second}=b")


def test_fixtures_in_upstreams_format(run: Run, tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(
        '[{"IfaceName": "eth7", "Kind": "fq", "Bytes": 18446744073709551615},'
        ' {"IfaceName": "inner", "Parent": 65537}]'
    )
    families = run(qdisc.COLLECTOR, f"--collector.qdisc.fixtures={tmp_path}")
    assert families[0].samples[0].value == 2**64 - 1
    assert {tuple(s.labels.values()) for f in families for s in f.samples} == {
        ("eth7", "fq")
    }


def test_a_bad_fixture_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text('[{"Packets": 4294967296}]')
    with pytest.raises(
        ValueError, match=r"results\.json: packets: expected an integer"
    ):
        run(qdisc.COLLECTOR, f"--collector.qdisc.fixtures={tmp_path}")

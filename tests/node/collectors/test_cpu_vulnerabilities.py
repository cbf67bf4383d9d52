from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from exporters.node.collectors import cpu_vulnerabilities
from exporters.node.paths import Paths
from tests.node import tree
from tests.node.conftest import Run


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Not affected\n", ("not affected", "")),
        ("Not affected; really", ("not affected", "")),
        ("Vulnerable", ("vulnerable", "")),
        ("Vulnerable: Clear  CPU\tbuffers", ("vulnerable", "Clear CPU buffers")),
        ("MITIGATION: PTI", ("mitigation", "PTI")),
        ("Mitigation:PTI", ("mitigation", "")),
        ("Unknown: No mitigations", ("unknown", "No mitigations")),
        (
            "KVM: Mitigation: VMX disabled",
            ("unknown", "KVM: Mitigation: VMX disabled"),
        ),
        ("", ("unknown", "")),
    ],
)
def test_parse(text: str, expected: tuple[str, str]) -> None:
    assert cpu_vulnerabilities.parse(text) == expected


@given(st.text())
def test_any_text_has_a_state(text: str) -> None:
    state, _ = cpu_vulnerabilities.parse(text)
    assert state in {"not affected", "vulnerable", "mitigation", "unknown"}


def test_a_file_that_cannot_be_read_costs_only_itself(run: Run, tmp_path: Path) -> None:
    folder = "devices/system/cpu/vulnerabilities"
    tree.plant(f"{folder}/a: denied\n{folder}/b: Vulnerable\n", tmp_path)
    where = Paths(sysfs=str(tmp_path))
    (family,) = run(cpu_vulnerabilities.COLLECTOR, where=where)
    assert [s.labels["codename"] for s in family.samples] == ["b"]


def test_an_old_kernel_has_none(run: Run, tmp_path: Path) -> None:
    where = Paths(sysfs=str(tmp_path))
    (family,) = run(cpu_vulnerabilities.COLLECTOR, where=where)
    assert family.samples == []

from __future__ import annotations

from pathlib import Path

from exporters.node.collectors import bonding
from tests.node import golden
from tests.node.conftest import Run


def test_names_longer_than_an_attribute(run: Run, tmp_path: Path) -> None:
    slaves = [f"enp{number}s0f0np0" for number in range(40)]
    tree = "sys/class/net/bonding_masters: bond0\n"
    tree += f"sys/class/net/bond0/bonding/slaves: {' '.join(slaves)}\n"
    tree += "".join(
        f"sys/class/net/bond0/lower_{slave}/bonding_slave/mii_status: up\n"
        for slave in slaves
    )
    families = run(bonding.COLLECTOR, where=golden.planted(tree, tmp_path))
    assert [family.samples[0].value for family in families] == [40, 40]


def test_no_bond_is_not_no_data(run: Run, tmp_path: Path) -> None:
    where = golden.planted("sys/class/net/bonding_masters:\n", tmp_path)
    assert run(bonding.COLLECTOR, where=where) == []

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from exporters.node.collectors import dmi
from exporters.node.paths import Paths
from exporters.node.registry import Context, NoData
from exporters.toolkit.flags import Program
from tests.node import tree
from tests.node.conftest import Run


def test_what_cannot_be_read_has_no_label(run: Run, tmp_path: Path) -> None:
    tree.plant(
        "class/dmi/id/sys_vendor: Example\n"
        "class/dmi/id/chassis_type: 3\n"
        "class/dmi/id/product_uuid: denied\n"
        "class/dmi/id/board_name:\n",
        tmp_path,
    )
    (tmp_path / "class/dmi/id/bios_date").symlink_to("/proc/self/mem")  # EIO
    (family,) = run(dmi.COLLECTOR, where=Paths(sysfs=str(tmp_path)))
    assert [(s.labels, s.value) for s in family.samples] == [
        ({"board_name": "", "system_vendor": "Example"}, 1)
    ]


def test_it_is_read_once_at_start(tmp_path: Path) -> None:
    tree.plant("class/dmi/id/bios_version: 1\n", tmp_path)
    parsed = Program("node_exporter", "", ()).parse((), {})
    collect = dmi.create(Context(Paths(sysfs=str(tmp_path)), parsed))
    (tmp_path / "class/dmi/id/bios_version").write_text("2\n")
    (family,) = collect()
    assert family.samples[0].labels == {"bios_version": "1"}


@pytest.mark.parametrize(
    ("host", "warnings"),
    [
        ("class/net/\n", 0),  # no DMI
        ("class/dmi/id/chassis_type: 3\n", 0),  # nothing that has a label
        ("class/dmi/id: a file\n", 1),
    ],
)
def test_no_label_is_no_data(
    host: str,
    warnings: int,
    run: Run,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    tree.plant(host, tmp_path)
    with caplog.at_level(logging.WARNING), pytest.raises(NoData, match="DMI"):
        run(dmi.COLLECTOR, where=Paths(sysfs=str(tmp_path)))
    assert len(caplog.records) == warnings

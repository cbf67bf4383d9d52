"""What the collectors of device classes have in common, case by case."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from exporters.node import calls
from exporters.node.collectors import (
    bonding,
    dmmultipath,
    edac,
    fibrechannel,
    infiniband,
    mdadm,
    nvme,
    nvmesubsystem,
    powersupplyclass,
    rapl,
    tapestats,
    thermal_zone,
    watchdog,
)
from exporters.node.paths import Paths
from exporters.node.registry import CollectorSpec, Context, NoData
from exporters.toolkit.flags import Program
from tests.node import golden


SPECS = {
    module.COLLECTOR.name: module.COLLECTOR
    for module in (
        bonding,
        dmmultipath,
        edac,
        fibrechannel,
        infiniband,
        mdadm,
        nvme,
        nvmesubsystem,
        powersupplyclass,
        rapl,
        tapestats,
        thermal_zone,
        watchdog,
    )
}
# Upstream globs there, and a glob that finds nothing is no error.
WITHOUT_NODATA = {"edac", "thermal_zone"}
DENIED_IS_NODATA = {"dmmultipath", "nvmesubsystem", "rapl", "watchdog"}
DENIED_IS_EMPTY = WITHOUT_NODATA

NOT_UNDERSTOOD = [
    ("dmmultipath", "block/dm-1/dm/uuid", "mpath-1", None),
    ("dmmultipath", "block/dm-1/dm/name", "mpatha", None),
    ("dmmultipath", "block/dm-1/dm/suspended", "no", "dmmultipath_device_info"),
    ("edac", "devices/system/edac/mc/mc0/ce_count", "x", None),
    ("edac", "devices/system/edac/mc/mc0/ue_count", "1", "edac_uncorrectable_errors"),
    ("fibrechannel", "class/fc_host/host1/port_state", "Online", "fibrechannel_info"),
    ("fibrechannel", "class/fc_host/host1/statistics/rx_words", "0xg", None),
    ("infiniband", "class/infiniband/a/ports/1/state", "ACTIVE", "infiniband_info"),
    ("infiniband", "class/infiniband/a/ports/1/rate", "fast", None),
    ("rapl", "class/powercap/a/name", "core", None),
    ("rapl", "class/powercap/a/energy_uj", "-1", None),
    ("rapl", "class/powercap/b/name", "dram", None),
    ("rapl", "class/powercap/b/energy_uj", "1", "rapl_dram_joules"),
    ("tapestats", "class/scsi_tape/st0/stats/read_ns", "", "tape_io_now"),
    ("thermal_zone", "class/thermal/cooling_device0/type", "Fan", None),
    ("thermal_zone", "class/thermal/cooling_device0/max_state", "high", None),
    ("thermal_zone", "class/thermal/cooling_device0/cur_state", "0", None),
    ("thermal_zone", "class/thermal/thermal_zone0/temp", "1", "thermal_zone_temp"),
    ("watchdog", "class/watchdog/watchdog0/timeout", "1s", "watchdog_info"),
    ("powersupplyclass", "class/power_supply/A/online", "yes", "power_supply_info"),
]


def outcome(spec: CollectorSpec, where: Paths) -> calls.Outcome:
    values = Program("", "", (spec.switch, *spec.flags)).parse((), {})
    return calls.run(spec.create(Context(where, values)))


@pytest.mark.parametrize("name", SPECS)
def test_a_host_without_such_devices_costs_one_call(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = golden.planted("", tmp_path)
    made: list[str] = []

    def counted(function: Any) -> Any:
        def call(path: Any, *rest: Any, **more: Any) -> Any:
            made.append(str(path))
            return function(path, *rest, **more)

        return call

    for function in ("open", "listdir", "scandir", "stat"):
        monkeypatch.setattr(os, function, counted(getattr(os, function)))
    found = outcome(SPECS[name], where)
    monkeypatch.undo()
    assert found.metrics == ()
    assert len([path for path in made if path.startswith(str(tmp_path))]) == 1
    if name in WITHOUT_NODATA:
        assert found.error is None
    else:
        assert isinstance(found.error, NoData)


@pytest.mark.parametrize("name", sorted(SPECS.keys() - {"bonding", "mdadm"}))
def test_a_class_that_may_not_be_listed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = golden.planted("", tmp_path)

    def deny(path: str) -> list[str]:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "listdir", deny)
    error = outcome(SPECS[name], where).error
    if name in DENIED_IS_EMPTY:
        assert error is None
    else:
        kind = NoData if name in DENIED_IS_NODATA else PermissionError
        assert isinstance(error, kind)


@pytest.mark.parametrize("name", sorted({case[0] for case in NOT_UNDERSTOOD}))
def test_what_is_not_understood_costs_itself_and_is_told(
    name: str, tmp_path: Path
) -> None:
    cases = [case[1:] for case in NOT_UNDERSTOOD if case[0] == name]
    tree = "".join(f"sys/{file}: {text}\n" for file, text, _ in cases)
    found = outcome(SPECS[name], golden.planted(tree, tmp_path))
    assert isinstance(found.error, ValueError)
    assert f"{tmp_path}/sys/{cases[0][0].rsplit('/', 2)[0]}" in str(found.error)
    assert ": expected " in str(found.error)
    families = {metric.name.removesuffix("_total") for metric in found.metrics}
    assert {f"node_{family}" for *_, family in cases if family} <= families

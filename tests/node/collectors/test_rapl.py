from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from exporters.node import calls, sysfs
from exporters.node.collectors import rapl
from exporters.node.registry import Context, NoData
from exporters.toolkit.flags import Program
from tests.node import golden


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["package-0", "package-1"], [("package", 0), ("package", 1)]),
        (["core", "core", "dram"], [("core", 0), ("core", 1), ("dram", 0)]),
        (["package-3", "package"], [("package", 3), ("package", 4)]),
        (["package-0-die-1", "package-0-die-1"], [("package-0-die-1", 0),
                                                   ("package-0-die-1", 1)]),
        (["package--1", "psys-x", ""], [("package--1", 0), ("psys-x", 0), ("", 0)]),
    ],
)  # fmt: skip
def test_zones_have_a_number(names: list[str], expected: list[tuple[str, int]]) -> None:
    used: dict[str, int] = {}
    found = []
    for text in names:
        name, number = rapl.split_name(text, used)
        used[name] = number + 1
        found.append((name, number))
    assert found == expected


def test_no_permission_is_no_data_after_what_may_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = "".join(
        f"sys/class/powercap/intel-rapl:{number}/name: package-{number}\n"
        f"sys/class/powercap/intel-rapl:{number}/energy_uj: {number}\n"
        for number in range(3)
    )
    where = golden.planted(tree, tmp_path)
    read = sysfs.read

    def deny_the_second(path: str, *rest: Any) -> str:
        if path.endswith("intel-rapl:1/energy_uj"):
            raise PermissionError(13, os.strerror(13), path)
        return read(path, *rest)

    monkeypatch.setattr(sysfs, "read", deny_the_second)
    values = Program("", "", (rapl.ENABLE_ZONE_LABEL,)).parse((), {})
    outcome = calls.run(rapl.create(Context(where, values)))
    assert isinstance(outcome.error, NoData)
    (family,) = outcome.metrics
    assert [sample.labels["index"] for sample in family.samples] == ["0", "2"]

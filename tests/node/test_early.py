from __future__ import annotations

from pathlib import Path

from exporters.node import early, plugins


def test_values_of_a_flag(tmp_path: Path) -> None:
    file = tmp_path / "args"
    file.write_text("# flags\n\n--collector.plugin=c:C\n--collector.plugin\nd:D\n")
    argv = [
        *("--collector.plugin=a:A", "--collector.cpu", "--collector.plugin", "b:B"),
        *(f"@{file}", "@/nowhere", "-collector.plugin=e:E", "--collector.plugins=f:F"),
        "--collector.plugin",
    ]
    assert list(early.values_of(plugins.PLUGIN, argv)) == [
        "a:A",
        "b:B",
        "c:C",
        "d:D",
        "e:E",
    ]

from __future__ import annotations

from exporters.node import document
from exporters.node.paths import Paths
from exporters.node.registry import discover


# Those that read nothing but files below --path.*: the same on every machine.
FROM_FILES = (
    "conntrack",
    "entropy",
    "filefd",
    "kernel_hung",
    "loadavg",
    "meminfo",
    "netstat",
    "os",
    "pressure",
    "sockstat",
    "softnet",
    "stat",
    "time",
    "udp_queues",
    "vmstat",
)


def test_the_table_of_collectors_is_current() -> None:
    page = document.PAGE.read_text()
    table = document.collectors_table(discover())
    assert table in page, "run: python -m exporters.node.document"


def test_every_family_of_the_fixtures_is_on_the_page(paths: Paths) -> None:
    specs = [spec for spec in discover() if spec.name in FROM_FILES]
    assert len(specs) == len(FROM_FILES)
    on_page = document.known(document.PAGE.read_text())
    for family in document.seen(specs, paths):
        assert family in on_page, "run: python -m exporters.node.document"

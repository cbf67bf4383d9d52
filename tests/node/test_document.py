from __future__ import annotations

from pathlib import Path

from exporters.node import document
from exporters.node.document import Family
from exporters.node.paths import Paths
from exporters.node.registry import discover
from tests.node.test_profiles import FAMILIES


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
STALE = "run: python -m exporters.node.document"


def on_page() -> list[Family]:
    return document.known(document.PAGE.read_text())


def test_the_tables_of_collectors_and_flags_are_current() -> None:
    page = document.PAGE.read_text()
    specs = discover()
    assert document.collectors_table(specs) in page, STALE
    assert document.flags_table(specs) in page, STALE


def test_every_family_of_the_fixtures_is_on_the_page(paths: Paths) -> None:
    specs = [spec for spec in discover() if spec.name in FROM_FILES]
    assert len(specs) == len(FROM_FILES)
    known = on_page()
    for family in document.seen(specs, paths):
        assert family in known, STALE


def test_every_family_of_the_golden_files_is_on_the_page() -> None:
    assert set(document.golden()) - set(on_page()) == set(), STALE


def test_the_page_has_what_the_dashboard_asks_for() -> None:
    known = {(family.name, family.collector) for family in on_page()}
    missing = {
        family
        for family, collectors in FAMILIES.items()
        if not any((family, collector) in known for collector in collectors)
    }
    # The dashboard leaves out upstream's _total. systemd is asked over D-Bus: its
    # families are there where the page was written on a host with it.
    assert {f for f in missing if not f.startswith("node_systemd_")} == {
        "node_kernel_hung_tasks"
    }


def test_golden_files(tmp_path: Path) -> None:
    (tmp_path / "cpu.odd.prom").write_text(
        "# HELP node_a A | b.\n# TYPE node_a gauge\nnode_a 1\n# no data: x\n"
    )
    (tmp_path / "textfile.prom").write_text(
        "# HELP job J.\n# TYPE job untyped\njob 1\n"
        "# HELP node_textfile_scrape_error E. \n"
        "# TYPE node_textfile_scrape_error gauge\n"
    )
    (tmp_path / "cpu.tree").write_text("# TYPE node_b gauge\n")
    assert document.golden(tmp_path) == [
        Family("node_a", "cpu", "gauge", r"A \| b."),
        Family("node_textfile_scrape_error", "textfile", "gauge", "E."),
    ]


def test_a_table_is_read_back() -> None:
    families = [
        Family("node_b", "y", "gauge", r"With \| in it."),
        Family("node_a", "y", "counter", ""),
        Family("node_c", "x", "untyped", "C."),
    ]
    table = document.families_table(families)
    assert document.known(table) == [families[2], families[1], families[0]]

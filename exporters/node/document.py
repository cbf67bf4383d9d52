"""Write the tables of docs/metrics-node.md: ``python -m exporters.node.document``.

Collectors and flags are told by the code. Families are those that the collectors
give on the machine where this runs, added to those that the page has already:
no machine has them all.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from prometheus_client import Metric

from exporters.node import calls, cli
from exporters.node.paths import Paths
from exporters.node.registry import CollectorSpec, Context, Registry, discover
from exporters.toolkit.exposition import encode
from exporters.toolkit.flags import Flag
from exporters.toolkit.marked import rewrite


PAGE = Path(__file__).parents[2] / "docs" / "metrics-node.md"

_ROW = re.compile(r"\| `(?P<name>\w+)` \| (?P<collector>\w+) \| (?P<type>\w+) \|")


class Family(NamedTuple):
    """One row of the table of families."""

    name: str
    collector: str
    type: str
    help: str


def collectors_table(specs: Sequence[CollectorSpec]) -> str:
    """Return the table of *specs* with their defaults and flags."""
    rows = ["| collector | default | flags |", "|---|---|---|"]
    for spec in specs:
        default = "on" if spec.default_enabled else "off"
        shown = [_flag(flag) for flag in spec.flags if not flag.hidden]
        rows.append(f"| `{spec.name}` | {default} | {'<br>'.join(shown)} |")
    return "\n".join(rows)


def families_table(families: Iterable[Family]) -> str:
    """Return the table of *families*, by collector and name."""
    rows = ["| family | collector | type | HELP |", "|---|---|---|---|"]
    ordered = sorted(families, key=lambda family: (family.collector, family.name))
    rows += [f"| `{f.name}` | {f.collector} | {f.type} | {f.help} |" for f in ordered]
    return "\n".join(rows)


def seen(specs: Sequence[CollectorSpec], paths: Paths) -> list[Family]:
    """Return the families that *specs* give with *paths*, as they are exposed."""
    values = cli.program(specs).parse((), {})
    registry = Registry(specs, Context(paths, values))
    return [
        family
        for name, collect in registry.enabled.items()
        for family in _exposed(name, calls.run(collect).metrics)
    ]


def known(page: str) -> list[Family]:
    """Return the families that the text of *page* has."""
    found = []
    for line in page.splitlines():
        if match := _ROW.match(line):
            text = line[match.end() :].strip(" |")
            found.append(Family(match["name"], match["collector"], match["type"], text))
    return found


def main() -> int:
    """Rewrite the page and return the exit code."""
    page = PAGE.read_text()
    specs = discover()
    merged = {family.name: family for family in (*known(page), *seen(specs, Paths()))}
    blocks = {
        "collectors": collectors_table(specs),
        "families": families_table(merged.values()),
    }
    PAGE.write_text(rewrite(page, blocks, "exporters.node.document"))
    sys.stdout.write(f"{PAGE}: {len(specs)} collectors, {len(merged)} families\n")
    return 0


def _flag(flag: Flag[object]) -> str:
    if flag.parse is None:
        return f"`--[no-]{flag.name}` ({'on' if flag.default else 'off'})"
    default = str(flag.default).replace("|", r"\|") if flag.default else ""
    return f"`--{flag.name}={default}`{' …' if flag.repeatable else ''}"


def _exposed(collector: str, metrics: Sequence[Metric]) -> Iterable[Family]:
    helps: dict[str, str] = {}
    for line in encode(metrics, lambda _problem: None).decode().splitlines():
        words = line.split(" ", 3)
        if line.startswith("# HELP "):
            helps[words[2]] = words[3].replace("|", r"\|")
        elif line.startswith("# TYPE "):
            yield Family(words[2], collector, words[3], helps.get(words[2], ""))


if __name__ == "__main__":
    raise SystemExit(main())

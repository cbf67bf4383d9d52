"""Write the tables of docs/metrics-node.md: ``python -m exporters.node.document``.

Collectors and flags are told by the code. Families are those of the golden files of
the tests, those that the collectors give on the machine where this runs, and those that
the page has already: no machine has them all.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from exporters.node import calls, cli, profiles, scrape
from exporters.node.paths import Paths
from exporters.node.registry import (
    CollectorSpec,
    Context,
    Registry,
    discover,
    flags,
)
from exporters.toolkit.exposition import encode
from exporters.toolkit.flags import Flag
from exporters.toolkit.marked import rewrite


_PROJECT = Path(__file__).parents[2]
PAGE = _PROJECT / "docs" / "metrics-node.md"
GOLDEN = _PROJECT / "tests" / "node" / "golden"

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


def flags_table(specs: Sequence[CollectorSpec]) -> str:
    """Return the table of the flags that are no collector's."""
    of_collectors = {flag.name for flag in flags(specs)}
    rows = ["| flag | what it does |", "|---|---|"]
    rows += [
        f"| {_flag(flag)} | {_cell(flag.help)} |"
        for flag in cli.program(specs).flags
        if not flag.hidden and flag.name not in of_collectors
    ]
    return "\n".join(rows)


def families_table(families: Iterable[Family]) -> str:
    """Return the table of *families*, by collector and name."""
    rows = ["| family | collector | type | HELP |", "|---|---|---|---|"]
    ordered = sorted(families, key=lambda family: (family.collector, family.name))
    rows += [f"| `{f.name}` | {f.collector} | {f.type} | {f.help} |" for f in ordered]
    return "\n".join(rows)


def seen(specs: Sequence[CollectorSpec], paths: Paths) -> list[Family]:
    """Return the families that all of *specs*, and the profile, give with *paths*."""
    argv = [f"--{profiles.PROFILE.name}=dashboard"]
    argv += [f"--{spec.switch.name}" for spec in specs]
    program = cli.program(specs)
    more = profiles.arguments(program.parse(argv, {}), program.flags)
    values = program.parse((*argv, *more), {})
    registry = Registry(specs, Context(paths, values))
    found: list[Family] = []
    for name, collect in registry.enabled.items():
        metrics = calls.run(collect, scrape.DEFAULT_TIMEOUT_SECONDS).metrics
        text = encode(metrics, lambda _problem: None).decode()
        found += told(name, text)
    return found


def golden(folder: Path = GOLDEN) -> list[Family]:
    """Return the families of the golden files, ``<collector>[.<case>].prom``.

    What the textfile collector found in files is not its own.
    """
    return [
        family
        for path in sorted(folder.glob("*.prom"))
        for family in told(path.name.partition(".")[0], path.read_text("utf-8"))
        if family.collector != "textfile" or family.name.startswith("node_textfile_")
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
    names = {spec.name for spec in specs}
    found = (*known(page), *seen(specs, Paths()), *golden())
    merged = {(f.collector, f.name): f for f in found if f.collector in names}
    blocks = {
        "flags": flags_table(specs),
        "collectors": collectors_table(specs),
        "families": families_table(merged.values()),
    }
    PAGE.write_text(rewrite(page, blocks, "exporters.node.document"))
    sys.stdout.write(f"{PAGE}: {len(specs)} collectors, {len(merged)} families\n")
    return 0


def _flag(flag: Flag[object]) -> str:
    if flag.parse is None:
        return f"`--[no-]{flag.name}` ({'on' if flag.default else 'off'})"
    default = flag.default
    if isinstance(default, tuple):
        default = ", ".join(map(str, default))
    default = _cell(str(default)) if default else ""
    return f"`--{flag.name}={default}`{' …' if flag.repeatable else ''}"


def told(collector: str, text: str) -> Iterator[Family]:
    """Yield the families of *text*, an exposition by *collector*."""
    helps: dict[str, str] = {}
    for line in text.splitlines():
        words = line.split(" ", 3)
        if line.startswith("# HELP "):
            helps[words[2]] = _cell(words[3])
        elif line.startswith("# TYPE "):
            yield Family(words[2], collector, words[3], helps.get(words[2], ""))


def _cell(text: str) -> str:
    return text.strip().replace("|", r"\|")


if __name__ == "__main__":
    raise SystemExit(main())

"""Metrics from files that other programs write (collector/textfile.go)."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.node.text import textformat
from exporters.node.text.textfamilies import convert
from exporters.node.text.textfiles import File, Findings, RejectedError, read_all
from exporters.toolkit.flags import strings
from exporters.toolkit.metric import GaugeMetricFamily, Metric


log = logging.getLogger(__name__)

DIRECTORY = strings(
    "collector.textfile.directory",
    "Directory to read text files with metrics from, supports glob matching."
    " (repeatable)",
)


def create(context: Context) -> Collect:
    """Return the collector; directories are looked for at each scrape."""
    patterns = context.values[DIRECTORY]

    def collect() -> Iterator[Metric]:
        found = read_all(patterns)
        yield from map(convert, merge(found))
        yield from own_families(found)

    return collect


def merge(found: Findings) -> list[textformat.Family]:
    """Return the families of all files; of different HELP texts the first wins.

    A family whose text differs is left out, and so is that family in every later
    file, as upstream does it. Where no file has a text, the files are named.
    """
    merged: list[textformat.Family] = []
    help_texts: dict[str, str] = {}
    sources: dict[str, list[str]] = {}
    disputed: set[str] = set()
    for file in found.files:
        for family in file.families:
            first = help_texts.get(family.name)
            differs = None not in {first, family.help} and first != family.help
            if differs or family.name in disputed:
                disputed.add(family.name)
                _dispute(found, file, family, first, sources[family.name][0])
                continue
            if family.help is not None:
                help_texts[family.name] = family.help
            sources.setdefault(family.name, []).append(file.path)
            merged.append(family)
    for family in merged:
        unnamed = f"Metric read from {', '.join(sources[family.name])}"
        family.help = help_texts.get(family.name, unnamed)
    return merged


def _dispute(
    found: Findings,
    file: File,
    family: textformat.Family,
    first: str | None,
    source: str,
) -> None:
    text = "inconsistent metric help text"
    reason = f"{family.name} is left out: its HELP is not that of {source}"
    found.rejected.append(RejectedError(file.path, text, reason))
    fields = {
        "metric": family.name,
        "original_help_text": first,
        "new_help_text": family.help,
        "file": source,
        "left_out": file.path,
    }
    log.error("%s", text, extra={"fields": fields})


def own_families(found: Findings) -> Iterator[Metric]:
    """Yield the age of each good file and whether all were good."""
    mtime = GaugeMetricFamily(
        "node_textfile_mtime_seconds",
        "Unixtime mtime of textfiles successfully read.",
        labels=("file",),
    )
    ages = {_shown(file.path): file.mtime_seconds for file in found.files}
    for path, seconds in ages.items():
        mtime.add_metric((path,), seconds)
    if mtime:
        yield mtime
    yield GaugeMetricFamily(
        "node_textfile_scrape_error",
        "1 if there was an error opening or reading a file, 0 otherwise",
        int(bool(found.rejected)),
    )


def _shown(path: str) -> str:
    return os.fsencode(path).decode("utf-8", "replace")


COLLECTOR = CollectorSpec("textfile", create, flags=(DIRECTORY,))

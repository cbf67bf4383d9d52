"""Run the whole check and print it."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Iterator, Sequence

from exporters.node.backend import LINUX
from exporters.node.check import collectors, judge
from exporters.node.check.findings import Finding, report
from exporters.node.check.place import look
from exporters.node.check.serving import Serving, check as check_serving
from exporters.node.collectors import textfile
from exporters.node.registry import CollectorSpec, Context, Registry
from exporters.node.scrape import DEFAULT_TIMEOUT_SECONDS, Scraper
from exporters.node.text.textfiles import read_all
from exporters.toolkit import lifecycle


def run(
    specs: Sequence[CollectorSpec],
    context: Context,
    serving: Serving,
    kind: str,
) -> int:
    """Print what is wrong on stdout and return 1, or 0 where nothing is.

    *kind* is the backend: where this runs is looked at on Linux only.
    """
    found: list[Finding] = []
    log = _Log()
    logging.getLogger().handlers[:] = [log]

    async def check(_stop: asyncio.Event) -> None:
        found.extend(await _collectors(specs, context, look_around=kind == LINUX))
        found.extend(await check_serving(serving))

    failed = lifecycle.run(check)
    found.extend(collectors.judge_log(log.records))
    # A path may have bytes that are no text.
    text = report(found).encode("utf-8", "backslashreplace").decode()
    sys.stdout.write(text)
    return int(bool(failed) or any(finding.wrong for finding in found))


class _Log(logging.Handler):
    """Keeps what is logged: a check is told in sentences."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


async def _collectors(
    specs: Sequence[CollectorSpec], context: Context, *, look_around: bool
) -> list[Finding]:
    good, found = collectors.startable(specs, context)
    names = frozenset(spec.name for spec in good)
    if look_around:
        found += judge.judge(look(context.paths, os.environ), names)
    scraper = Scraper(Registry(good, context))
    try:
        outcomes = await scraper.outcomes(sorted(names), DEFAULT_TIMEOUT_SECONDS)
    finally:
        scraper.close()
    found += collectors.judge(outcomes)
    if textfile.COLLECTOR.name in names:
        found += _textfiles(context)
    return found


def _textfiles(context: Context) -> Iterator[Finding]:
    directories = context.values[textfile.DIRECTORY]
    findings = read_all(directories)
    textfile.merge(findings)
    yield from collectors.judge_textfiles(findings.rejected)

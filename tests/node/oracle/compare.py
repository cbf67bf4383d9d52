"""Compare two running exporters: names, types, HELP, labels and values.

Values are compared by sandwich: theirs, ours, theirs. Ours has to lie between the two
of theirs. A family that moves up and down between three scrapes gets more rounds, and
has to fit in one of them.
"""

from __future__ import annotations

import math
import re
import signal
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.process import DEADLINE_SECONDS, free_port, wait_until_listening


PROJECT = Path(__file__).parents[3]
ROUNDS = 20

_OWN = re.compile(r"promhttp_.*|go_.*|process_.*|node_exporter_build_info")
_MOMENT = re.compile(r"node_scrape_collector_(duration_seconds|failure)")


class Difference(NamedTuple):
    """One accepted difference between an original and ours."""

    what: str  # "only ours", "only theirs", "HELP", "TYPE", "labels" or "value"
    family: str  # a regular expression, whole
    reason: str


# Whatever binary is beside ours.
COMMON = (
    Difference("HELP", "node_ksmd_.*", "texts of their own since 1.12"),
    Difference("only ours", "node_ksmd_general_profit_bytes", "new in 1.12"),
    Difference("value", "node_perf_.*", "each counts from its own start"),
    Difference(
        "value",
        "node_slabinfo_(active_)?objects",
        "of a thousand caches one changes between any two scrapes",
    ),
    Difference(
        "value",
        "node_sockstat_(sockets_used|TCP_(alloc|inuse|tw|mem|mem_bytes))",
        "the connections of the scrapes themselves are among them",
    ),
)


@dataclass(slots=True)
class Family:
    """A family of one exposition: what a scraper sees of it."""

    help: str = ""
    type: str = ""
    samples: dict[str, float] = field(default_factory=dict)


Exposition = dict[str, Family]
Found = dict[tuple[str, str], str]
"""(what, family) -> the details, for the person who reads the failure."""


def parse(text: str) -> Exposition:
    """Read *text* as it stands, independently of the project's own code."""
    families: Exposition = {}
    for line in text.splitlines():
        if line.startswith("# "):
            _, keyword, name, rest = line.split(" ", 3)
            family = families.setdefault(name, Family())
            setattr(family, keyword.lower(), rest)
        else:
            sample, value = line.rsplit(" ", 1)
            name = sample.partition("{")[0]
            if name not in families:  # a part of a summary or histogram
                name = re.sub("_(sum|count|bucket)$", "", name)
            families[name].samples[sample] = float(value)
    return {
        name: family
        for name, family in families.items()
        if not _OWN.fullmatch(name) and not _MOMENT.fullmatch(name)
    }


@dataclass(frozen=True, slots=True)
class Exporter:
    """A running exporter."""

    url: str

    def scrape(self, collectors: Sequence[str] = ()) -> Exposition:
        """Return what it says now."""
        query = urllib.parse.urlencode([("collect[]", name) for name in collectors])
        url = f"{self.url}/metrics?{query}"
        with urllib.request.urlopen(url, timeout=DEADLINE_SECONDS) as response:
            return parse(response.read().decode())


@contextmanager
def running(command: Sequence[str], flags: Sequence[str]) -> Iterator[Exporter]:
    """Run an exporter for as long as the context lasts."""
    address = f"127.0.0.1:{free_port()}"
    argv = [*command, f"--web.listen-address={address}", *flags]
    with subprocess.Popen(argv, cwd=PROJECT, stderr=subprocess.PIPE) as process:
        try:
            wait_until_listening(process)
            yield Exporter(f"http://{address}")
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=DEADLINE_SECONDS)


def shape(theirs: Exposition, ours: Exposition) -> Found:
    """Return how the two differ in everything but values."""
    found = {("only ours", name): "" for name in ours.keys() - theirs.keys()}
    found |= {("only theirs", name): "" for name in theirs.keys() - ours.keys()}
    for name in theirs.keys() & ours.keys():
        them, us = theirs[name], ours[name]
        if them.help != us.help:
            found["HELP", name] = f"theirs {them.help!r}, ours {us.help!r}"
        if them.type != us.type:
            found["TYPE", name] = f"theirs {them.type}, ours {us.type}"
        if them.samples.keys() != us.samples.keys():
            found["labels", name] = (
                f"only theirs {sorted(them.samples.keys() - us.samples.keys())},"
                f" only ours {sorted(us.samples.keys() - them.samples.keys())}"
            )
    return found


def values(before: Exposition, ours: Exposition, after: Exposition) -> Found:
    """Return the families of which a value is not between two of theirs."""
    found: Found = {}
    for name in ours.keys() & before.keys() & after.keys():
        first, last = before[name].samples, after[name].samples
        for sample, value in ours[name].samples.items():
            if sample not in first or sample not in last:
                continue
            if not between(first[sample], value, last[sample]):
                found["value", name] = (
                    f"{sample}: ours {value}, theirs {first[sample]}..{last[sample]}"
                )
    return found


def between(first: float, middle: float, last: float) -> bool:
    """Tell whether *middle* lies between the others; NaN is what NaN is."""
    if math.isnan(middle):
        return math.isnan(first)
    return min(first, last) <= middle <= max(first, last)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared, and what may differ."""

    accepted: tuple[Difference, ...]
    adjust: Callable[[Exposition], Exposition] = lambda ours: ours

    def differences(
        self, them: Exporter, us: Exporter, collectors: Sequence[str] = ()
    ) -> Found:
        """Return the differences that every round shows, accepted ones left out."""
        remaining: Found | None = None
        for _ in range(ROUNDS):
            found = self._one_round(them, us, collectors)
            if remaining is not None:
                found = {key: text for key, text in found.items() if key in remaining}
            remaining = {k: text for k, text in found.items() if not self.accepts(*k)}
            if not remaining:
                break
        return remaining or {}

    def _one_round(
        self, them: Exporter, us: Exporter, collectors: Sequence[str]
    ) -> Found:
        before = them.scrape(collectors)
        ours = self.adjust(us.scrape(collectors))
        after = them.scrape(collectors)
        # A device may come or go at any time, so the shape is compared twice.
        again = shape(after, ours)
        found = {key: text for key, text in shape(before, ours).items() if key in again}
        return found | values(before, ours, after)

    def accepts(self, what: str, family: str) -> bool:
        """Tell whether that difference is named, with its reason."""
        return any(
            difference.what == what and re.fullmatch(difference.family, family)
            for difference in self.accepted
        )


def check(found: Found) -> None:
    """Fail with what was *found*, if anything."""
    lines = [f"{what} {name}: {text}" for (what, name), text in sorted(found.items())]
    if lines:
        pytest.fail("differences that nobody has accepted:\n" + "\n".join(lines))

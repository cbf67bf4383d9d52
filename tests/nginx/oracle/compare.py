"""Compare the whole text of two expositions: every line, and the order of the lines.

Values are compared by sandwich: theirs, ours, theirs. What does not change between the
two of theirs has to be the same text in ours, what changes has to lie between.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest


class Difference(NamedTuple):
    """One accepted difference between an original and ours."""

    what: str  # "only theirs", "only ours", "label values" or "value"
    family: str  # a regular expression, whole
    reason: str


COMMON = (
    Difference("only theirs", "go_.*", "there is no Go runtime in ours"),
    Difference(
        "only ours",
        "promhttp_metric_handler_errors_total",
        "client_golang has it where a program asks for it, as node_exporter does",
    ),
    Difference("label values", "nginx_exporter_build_info", "another version"),
    Difference(
        "value",
        "process_(cpu_seconds_total|open_fds|start_time_seconds"
        "|(resident|virtual)_memory_bytes)",
        "each says it of its own process",
    ),
)
ZERO_X = (
    Difference("only theirs", "nginxexporter_build_info", "1.x renamed it"),
    Difference("only ours", "nginx_exporter_build_info", "its name in 1.x"),
    Difference("only ours", "(process|promhttp)_.*", "1.x has it, 0.x had not"),
)


@dataclass(slots=True)
class Exposition:
    """The lines without values, each with its family, and the values."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)

    @property
    def families(self) -> set[str]:
        """Return the names of all families."""
        return {family for family, _ in self.lines}

    def family_of(self, sample: str) -> str:
        """Return the family in which *sample* stands."""
        return next(family for family, line in self.lines if line == sample)


def parse(text: str) -> Exposition:
    """Read *text* as it stands, independently of the project's own code."""
    read = Exposition()
    family = ""
    for line in text.splitlines():
        if line.startswith("# "):
            family = line.split(" ")[2]
            read.lines.append((family, line))
        else:
            sample, value = line.rsplit(" ", 1)
            assert sample.startswith(family), f"{sample} stands below {family}"
            read.lines.append((family, sample))
            read.values[sample] = value
    return read


def differences(
    before: str, ours: str, after: str, accepted: Sequence[Difference]
) -> list[str]:
    """Return what differs and is not *accepted*."""
    return list(_differences(parse(before), parse(ours), parse(after), accepted))


def _differences(
    before: Exposition,
    ours: Exposition,
    after: Exposition,
    accepted: Sequence[Difference],
) -> Iterator[str]:
    for what, names in (
        ("only theirs", before.families - ours.families),
        ("only ours", ours.families - before.families),
    ):
        yield from (
            f"{what}: {name}" for name in names if not _named(what, name, accepted)
        )
    common = before.families & ours.families
    theirs, us = [_lines(read, common, accepted) for read in (before, ours)]
    yield from difflib.unified_diff(theirs, us, "theirs", "ours", n=0, lineterm="")
    for sample, value in ours.values.items():
        if sample not in before.values or sample not in after.values:
            continue  # of one only, or shown above
        first, last = before.values[sample], after.values[sample]
        if not _between(first, value, last) and not _named(
            "value", ours.family_of(sample), accepted
        ):
            yield f"{sample}: ours {value}, theirs {first}..{last}"


def _lines(
    read: Exposition, families: set[str], accepted: Sequence[Difference]
) -> list[str]:
    return [
        re.sub('"[^"]*"', '""', line)
        if not line.startswith("#") and _named("label values", family, accepted)
        else line
        for family, line in read.lines
        if family in families
    ]


def _between(first: str, middle: str, last: str) -> bool:
    if first == last:
        return middle == first
    ends = sorted((float(first), float(last)))
    return ends[0] <= float(middle) <= ends[1]


def _named(what: str, family: str, accepted: Sequence[Difference]) -> bool:
    return any(
        difference.what == what and re.fullmatch(difference.family, family)
        for difference in accepted
    )


def check(found: Sequence[str]) -> None:
    """Fail with what was *found*, if anything."""
    if found:
        pytest.fail("differences that nobody has accepted:\n" + "\n".join(found))

"""The section ``journal`` of a job (promtail scrapeconfig.go, JournalTargetConfig)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final

from exporters.toolkit.decode import Problem, Scalar
from exporters.toolkit.duration import parse_go_duration
from shipper.relabel import label_problems


DEFAULT_MAX_AGE: Final = "7h"

_FIELD: Final = re.compile(r"(?!__)[A-Z0-9_]{1,64}", re.ASCII)


def _max_age(text: str) -> float:
    return parse_go_duration(text or DEFAULT_MAX_AGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalConfig:
    """Which journal to read, and from when on.

    *max_age* is in seconds; *matches* are ``FIELD=value``, separated by spaces.
    """

    max_age: Annotated[float, Scalar("string", _max_age, null="")] = 7 * 3600.0
    json: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    path: str = ""
    matches: str = ""

    def problems(self) -> Iterator[Problem]:
        if self.max_age < 0:
            yield Problem("max_age must not be negative", ("max_age",))
        if "\0" in self.path + self.matches:
            yield Problem("path and matches: expected no NUL")
        yield from label_problems(self.labels)
        for match in self.matches.split():
            name, *values = match.split("=")
            if len(values) != 1 or not _FIELD.fullmatch(name):
                text = f'matches: expected FIELD=value, got "{match}"'
                yield Problem(text, ("matches",))

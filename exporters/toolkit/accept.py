"""Read an Accept header clause by clause, the one a client likes best first.

Upstream counterpart: munnerz/goautoneg, ParseAccept. Its order is kept, odd as it is:
a concrete type stands before a wildcard whatever their ``q`` says.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from .gotext import parse_float


# Go sorts as many by insertion; beyond, the order of what contradicts itself is moot.
_INSERTION = 12
_NOTHING: Mapping[str, str] = MappingProxyType({})


class Clause(NamedTuple):
    """One clause: ``text/plain;version=0.0.4;q=0.3``."""

    kind: str
    subkind: str
    quality: float
    parameters: Mapping[str, str]

    @property
    def media(self) -> str:
        """The type as it is written: ``text/plain``."""
        return f"{self.kind}/{self.subkind}"


def parse_accept(header: str) -> list[Clause]:
    """Return the clauses of *header* in order of preference; odd ones are left out."""
    clauses = list(_clauses(header))
    if len(clauses) > _INSERTION:
        return sorted(clauses, key=functools.cmp_to_key(_compare))
    for end in range(1, len(clauses)):
        place = end
        while place and _before(clauses[place], clauses[place - 1]):
            clauses[place - 1 : place + 1] = clauses[place], clauses[place - 1]
            place -= 1
    return clauses


def _before(first: Clause, second: Clause) -> bool:
    if first.quality > second.quality:
        return True
    if first.kind != "*" and second.kind == "*":
        return True
    return first.subkind != "*" and second.subkind == "*"


def _compare(first: Clause, second: Clause) -> int:
    return _before(second, first) - _before(first, second)


def _clauses(header: str) -> Iterator[Clause]:
    for part in header.split(","):
        media, _, rest = part.strip(" ").partition(";")
        kind, _, subkind = media.partition("/")
        if not subkind and kind.strip(" ") == "*":
            subkind = "*"
        if not subkind or subkind.find("/", 0, -1) >= 0:
            continue
        parameters = dict(_parameters(rest)) if rest else _NOTHING
        quality = _quality(parameters["q"]) if "q" in parameters else 1.0
        subkind = subkind.removesuffix("/").strip(" ")
        yield Clause(kind.strip(" "), subkind, quality, parameters)


def _parameters(text: str) -> Iterator[tuple[str, str]]:
    for part in text.split(";"):
        name, _, value = part.partition("=")
        if not value or value.find("=", 0, -1) >= 0:
            continue
        name, value = name.strip(" "), value.removesuffix("=")
        yield name, value if name == "q" else value.strip(" ")


def _quality(text: str) -> float:
    try:
        quality = parse_float(text)
    except ValueError:
        return 0.0
    return 0.0 if math.isnan(quality) else quality

"""Describe which number of a record goes out as which metric.

A record is one JSON object of the API: a zone, an upstream server, a worker. Its
`Table` says what is in it; the tables themselves stand in ``tables/``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby

from .numbers import Read, uint


NAMESPACE = "nginxplus_"


@dataclass(frozen=True, slots=True)
class Field:
    """One number: the *path* to it, and the metric it becomes.

    *name* is the metric's, less what its table puts before; *code* the value of the
    label ``code``, which a few have.
    """

    path: str
    type: str
    help: str
    name: str = ""
    read: Read = uint
    code: str = ""

    def family(self, prefix: str) -> str:
        """Return the full name; without a *name* it is the path with underscores."""
        return f"{NAMESPACE}{prefix}{self.name or self.path.replace('.', '_')}"


def counter(path: str, about: str, name: str = "", read: Read = uint) -> Field:
    """Return the field of a counter."""
    return Field(path, "counter", about, name, read)


def gauge(path: str, about: str, name: str = "", read: Read = uint) -> Field:
    """Return the field of a gauge."""
    return Field(path, "gauge", about, name, read)


@dataclass(frozen=True, slots=True)
class Family:
    """Name, type and HELP of a metric."""

    name: str
    type: str
    help: str


# Key in its object, family, value of the label code, how to read it.
Entry = tuple[str, Family, str, Read]


@dataclass(frozen=True, slots=True)
class Section:
    """The numbers of a record that stand in the same object, below *keys*."""

    keys: tuple[str, ...]
    entries: tuple[Entry, ...]
    skip_null: bool
    skip_zero: bool


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers of one kind of record, and the *labels* that tell two apart.

    Where the object *skip_null* is not there its numbers have no samples, and those
    of *skip_zero* have none while it holds nothing but zeros; all others are 0.
    """

    prefix: str
    labels: tuple[str, ...]
    fields: tuple[Field, ...]
    skip_null: str = ""
    skip_zero: str = ""
    sections: tuple[Section, ...] = field(init=False)

    def __post_init__(self) -> None:
        # By parent once here, not for each number of each scrape.
        ordered = sorted(self.fields, key=_parent)
        sections = tuple(
            Section(
                tuple(filter(None, parent.split("."))),
                tuple(self._entry(each) for each in group),
                skip_null=bool(parent) and parent == self.skip_null,
                skip_zero=bool(parent) and parent == self.skip_zero,
            )
            for parent, group in groupby(ordered, _parent)
        )
        object.__setattr__(self, "sections", sections)

    def _entry(self, each: Field) -> Entry:
        family = Family(each.family(self.prefix), each.type, each.help)
        return each.path.rpartition(".")[2], family, each.code, each.read


def _parent(each: Field) -> str:
    return each.path.rpartition(".")[0]

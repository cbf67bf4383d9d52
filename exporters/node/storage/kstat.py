"""Kernel statistics of OpenZFS as text (module/os/linux/spl/spl-kstat.c).

A kstat file begins with a line about itself. A "named" one goes on with a table of
name, type and data; an "io" one with a row of names and a row of values.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from exporters.node import procfs


Values = list[tuple[str, int]]
"""Names and numbers in the order of the file."""

_INT64, _UINT64 = b"3", b"4"  # KSTAT_DATA_*; other types are not exported
_HEAD = [b"name", b"type", b"data"]
_LEAST_IO_COLUMNS = 12


class Objset(NamedTuple):
    """What one dataset did."""

    dataset: str
    values: Values


def parse_named(data: bytes) -> Values:
    """Return the 64-bit numbers of a named kstat. Raises ValueError."""
    return [
        (procfs.text(name), _number(name, kind, value))
        for name, kind, value in _rows(data)
        if kind in {_INT64, _UINT64}
    ]


def parse_objset(data: bytes) -> Objset:
    """Return the name of a dataset and its unsigned numbers. Raises ValueError."""
    dataset = ""
    values: Values = []
    for name, kind, value in _rows(data):
        if name == b"dataset_name":
            dataset = procfs.text(value)
        elif kind == _UINT64:
            values.append((procfs.text(name), _number(name, kind, value)))
    return Objset(dataset, values)


def parse_io(data: bytes) -> Values:
    """Return the numbers of a pool's ``io``. Raises ValueError."""
    rows = [line.split() for _, line in procfs.lines(data)]
    for position, head in enumerate(rows):
        if head[0] == b"nread" and len(head) >= _LEAST_IO_COLUMNS:
            return _io_values(head, rows[position + 1 :])
    return []


def parse_state(data: bytes) -> str:
    """Return the state of a pool, ``online`` for example; "" for an empty file."""
    return procfs.text(data.partition(b"\n")[0]).removesuffix("\r").lower()


def _rows(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Yield name, type and the rest of the line: names of datasets have blanks."""
    started = False
    for line in data.split(b"\n"):
        if not started:
            started = line.split() == _HEAD
            continue
        fields = line.split(None, 2)
        if len(fields) == 3:
            yield fields[0], fields[1], fields[2].removesuffix(b"\r")
    if not started:
        raise ValueError("expected a line 'name type data'")


def _number(name: bytes, kind: bytes, value: bytes) -> int:
    parse = procfs.parse_uint if kind == _UINT64 else procfs.parse_int
    try:
        return parse(value.split()[0])
    except ValueError as error:
        raise ValueError(f"{procfs.text(name)}: {error}") from None


def _io_values(head: list[bytes], rows: list[list[bytes]]) -> Values:
    values: Values = []
    for row in rows:
        if len(row) < len(head):
            raise ValueError(f"expected {len(head)} values of io, got {len(row)}")
        numbers = map(procfs.parse_uint, row)
        values += zip(map(procfs.text, head), numbers, strict=False)
    return values

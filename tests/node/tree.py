"""A host's ``/proc`` and ``/sys`` in one readable file, and how to plant it.

Hundreds of one-line attributes as files of their own are hard to review. A tree says::

    # comment
    sys/class/net/eth0/mtu: 1500
    sys/class/net/eth0/device -> ../../devices/pci0
    sys/class/net/eth0/empty:
    sys/fs/none/
    proc/loadavg: |
        0.10 0.20 0.30 1/100 4711
    proc/odd: bytes "\\xff\\x00 no newline"
    proc/secret: denied

A value gets the newline that the kernel prints. ``|`` takes the indented lines that
follow, four blanks cut off. ``bytes`` takes a Python string as it stands, ``denied`` is
a file that nobody may open (a directory that cannot be read: root is not refused).
A first line ``# flags: ...`` names the flags that the golden file was made with.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


_INDENT = "    "
_FLAGS = "# flags:"


class Entry(NamedTuple):
    """One file, directory (*content* None) or symbolic link (*target*)."""

    path: str
    content: bytes | None = None
    target: str | None = None


def parse(text: str) -> Iterator[Entry]:
    """Yield what *text* describes. Raises ValueError naming the line."""
    lines = text.split("\n")
    position = 0
    while position < len(lines):
        line = lines[position]
        position += 1
        if not line.strip() or line.startswith("#"):
            continue
        path, arrow, target = line.partition(" -> ")
        if arrow:
            yield Entry(path, target=target)
        elif line.endswith("/"):
            yield Entry(line[:-1])
        else:
            path, value = _split(line, position)
            if value.strip() == "|":
                end = _end_of_block(lines, position)
                block = [row[len(_INDENT) :] for row in lines[position:end]]
                position = end
                yield Entry(path, "".join(f"{row}\n" for row in block).encode())
            else:
                yield Entry(path, _content(value))


def _split(line: str, number: int) -> tuple[str, str]:
    """Return path and value; a path may have colons (PCI, udev) but no blanks."""
    path, colon, value = line.partition(": ")
    if not colon and line.endswith(":"):
        path, colon = line[:-1], ":"
    if not colon or " " in path:
        raise ValueError(f"line {number}: expected 'path: value': {line!r}")
    return path, value


def _end_of_block(lines: list[str], start: int) -> int:
    end = start
    while end < len(lines) and (lines[end].startswith(_INDENT) or not lines[end]):
        end += 1
    while end > start and not lines[end - 1]:  # blank lines before the next entry
        end -= 1
    return end


def _content(value: str) -> bytes:
    kind, _, rest = value.partition(" ")
    if kind == "bytes":
        literal = ast.literal_eval("b" + rest)
        assert isinstance(literal, bytes)
        return literal
    return f"{value}\n".encode() if value else b""


def plant(text: str, root: Path) -> None:
    """Make below *root* what *text* describes."""
    for entry in parse(text):
        path = root / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if entry.target is not None:
            path.symlink_to(entry.target)
        elif entry.content is None:
            path.mkdir(exist_ok=True)
        elif entry.content == b"denied\n":
            # The one thing that root cannot open(2) for reading as a file's bytes.
            path.mkdir()
        else:
            path.write_bytes(entry.content)


def flags(text: str) -> list[str]:
    """Return the flags that the first line of *text* names."""
    first = text.partition("\n")[0]
    return first.removeprefix(_FLAGS).split() if first.startswith(_FLAGS) else []


def files(root: Path) -> list[Path]:
    """Return every regular file below *root*, in a fixed order."""
    found = [
        Path(folder) / name
        for folder, _, names in os.walk(root)
        for name in names
        if not (Path(folder) / name).is_symlink()
    ]
    return sorted(found)

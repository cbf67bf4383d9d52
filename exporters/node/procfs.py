"""Read files of procfs cheaply, and parse the numbers that they hold.

The counterpart of prometheus/procfs ``internal/util``: what more than one
collector needs. Reading and parsing are apart, so parsers are tested with bytes.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence


_CHUNK = 65_536  # a larger buffer costs more than a second read(2)
_OPEN = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0)  # Windows has none
_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR})
_UINT64_MAX = 2**64 - 1
_SURELY_64_BITS = len(str(_UINT64_MAX))
_DIGITS = {10: b"0123456789", 16: b"0123456789abcdefABCDEF"}


def read(path: str) -> bytes:
    """Return the whole content of the file at *path*.

    Raises OSError. The loop is there because procfs gives at most a page or a
    record at a time and ``st_size`` is 0.
    """
    descriptor = os.open(path, _OPEN)
    try:
        chunk = os.read(descriptor, _CHUNK)
        if len(chunk) < _CHUNK:
            rest = os.read(descriptor, _CHUNK)
            if not rest:
                return chunk
            chunk += rest
        chunks = [chunk]
        while chunk := os.read(descriptor, _CHUNK):
            chunks.append(chunk)
        return b"".join(chunks)
    finally:
        os.close(descriptor)


def read_optional(path: str) -> bytes | None:
    """Return the content of *path*, or None where the kernel has no such file.

    Only "it is not there" gives None: every other OSError is raised.
    """
    try:
        return read(path)
    except OSError as error:
        if error.errno in _ABSENT:
            return None
        raise


def lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (number from 1, line without its newline), leaving out empty lines."""
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.strip():
            yield number, line


def parse_uint(text: bytes, base: int = 10) -> int:
    """Return *text*, which may have blanks around it, as an unsigned 64-bit integer.

    Raises ValueError. Stricter than ``int``: no sign, no underscore, no ``0x``.
    """
    if base == 10 and text.isdigit() and len(text) < _SURELY_64_BITS:
        return int(text)  # nearly always: a third as long
    digits = text.strip()
    if not digits or digits.strip(_DIGITS[base]):
        raise ValueError(f"expected an unsigned integer, got {_shown(text)}")
    try:
        value = int(digits, base)
    except ValueError as error:  # thousands of digits
        raise ValueError(f"expected an unsigned integer, got {_shown(text)}") from error
    if value > _UINT64_MAX:
        raise ValueError(f"expected at most 64 bits, got {_shown(text)}")
    return value


def parse_int(text: bytes) -> int:
    """Return *text*, which may have blanks around it, as an integer with any sign.

    Raises ValueError.
    """
    if text.isdigit() and len(text) < _SURELY_64_BITS:
        return int(text)
    digits = text.strip()
    if digits[:1] in {b"-", b"+"}:
        magnitude = parse_uint(digits[1:])
        return -magnitude if digits[:1] == b"-" else magnitude
    return parse_uint(digits)


def parse_number(text: bytes) -> float:
    """Return *text* as the float that Go's ParseFloat would give.

    Raises ValueError. Unlike ``float`` it takes no underscores.
    """
    if b"_" in text:
        raise ValueError(f"expected a number, got {_shown(text)}")
    try:
        return float(text)
    except ValueError as error:
        raise ValueError(f"expected a number, got {_shown(text)}") from error


def parse_numbers(fields: Sequence[bytes]) -> list[float]:
    """Return every one of *fields* as :func:`parse_number` would, a third as long.

    Raises ValueError.
    """
    try:
        numbers = list(map(float, fields))
    except ValueError:
        return [parse_number(field) for field in fields]
    if b"_" in b"".join(fields):
        return [parse_number(field) for field in fields]
    return numbers


def parse_uints(fields: Sequence[bytes]) -> list[int]:
    """Return every one of *fields* as :func:`parse_uint` would, a third as long.

    Raises ValueError.
    """
    if b"".join(fields).isdigit():
        try:
            numbers = list(map(int, fields))
        except ValueError:  # an empty one, or thousands of digits
            return [parse_uint(field) for field in fields]
        if max(numbers) <= _UINT64_MAX:
            return numbers
    return [parse_uint(field) for field in fields]


def text(data: bytes) -> str:
    """Return *data* as text; what is not UTF-8 becomes U+FFFD, as in Go's encoder."""
    return data.decode("utf-8", "replace")


def _shown(data: bytes) -> str:
    limit = 60
    return repr(data if len(data) <= limit else data[:limit] + b"...")

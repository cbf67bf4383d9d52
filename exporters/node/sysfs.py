"""Read single-value files of sysfs (procfs internal/util, sysfs/net_class.go).

A sysfs attribute is one short line. Drivers refuse to answer for attributes that do
not apply to them, so "the kernel said no" and "the kernel is broken" are kept apart.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable


ATTRIBUTE_SIZE_BYTES = 128
"""How much of an attribute is read: SysReadFile's buffer, hence upstream's labels."""

REFUSALS = frozenset(
    {errno.ENOENT, errno.EACCES, errno.EPERM, errno.EINVAL, errno.EOPNOTSUPP}
)
"""What the kernel says of an attribute that it does not give (canIgnoreError)."""

_INT64_MAX, _INT64_MIN = 2**63 - 1, -(2**63)
_OCTAL = re.compile(r"[+-]?0[0-7]+")  # Go's octal; Python wants 0o
_UNSIGNED = re.compile(r"[0-9]+")


def read(path: str, directory: int | None = None) -> str:
    """Return the attribute at *path* without surrounding blanks.

    A relative *path* is looked up below the open *directory*, which is a third
    cheaper than an absolute one. Raises OSError. One read(2), never a second: broken
    hwmon drivers answer EAGAIN for ever (node_exporter#728).
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=directory)
    try:
        return (
            os.read(descriptor, ATTRIBUTE_SIZE_BYTES).strip().decode("utf-8", "replace")
        )
    finally:
        os.close(descriptor)


def read_optional(path: str, directory: int | None = None) -> str | None:
    """Return the attribute at *path*, or None where the kernel refuses to give it.

    A refusal is: no such file, no permission, invalid argument, not supported
    (procfs canIgnoreError). Every other OSError is raised.
    """
    try:
        return read(path, directory)
    except OSError as error:
        if error.errno in REFUSALS:
            return None
        raise


def read_open(descriptor: int) -> str | None:
    """Return what the open attribute *descriptor* holds, None where it is refused."""
    try:
        data = os.read(descriptor, ATTRIBUTE_SIZE_BYTES)
    except OSError as error:
        if error.errno in REFUSALS:
            return None
        raise
    return data.strip().decode("utf-8", "replace")


def read_attributes(path: str, names: Iterable[str]) -> dict[str, str]:
    """Return those attributes *names* of the directory *path* that the kernel gives.

    Raises OSError where the directory cannot be opened (the device may be gone) or an
    attribute fails with anything but a refusal.
    """
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        found = ((name, read_optional(name, directory)) for name in names)
        return {name: value for name, value in found if value is not None}
    finally:
        os.close(directory)


def entries(path: str) -> list[str]:
    """Return the names in the directory *path*, sorted. Raises OSError."""
    return sorted(os.listdir(path))


def parse_integer(text: str) -> int:
    """Return *text* as a signed 64-bit integer in the base that its prefix says.

    What is not a number is 0: upstream exports that for an attribute whose file
    exists (procfs ValueParser.PInt64). Never raises.
    """
    try:
        value = int(text, 0)
    except ValueError:
        if not _OCTAL.fullmatch(text):
            return 0
        value = int(text, 8)
    return value if _INT64_MIN <= value <= _INT64_MAX else 0


def read_unsigned(path: str, directory: int | None = None) -> int:
    """Return the attribute at *path* as an unsigned decimal integer.

    Raises OSError, and ValueError naming the file where it holds something else.
    """
    text = read(path, directory)
    if not _UNSIGNED.fullmatch(text):
        raise ValueError(f"{path}: expected an unsigned integer, got {text!r}")
    return int(text)

"""Read the files of one device in sysfs; a file that fails costs only itself.

Drivers answer EIO, EAGAIN, ENODATA or EINVAL for an attribute that they have only
sometimes: what the kernel does not give is absent, whatever its reason. Reading is
relative to the open directory, a third cheaper than by path.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from exporters.node import sysfs
from exporters.node.storage import mountinfo


@contextmanager
def opened(path: str, directory: int | None = None) -> Iterator[int]:
    """Open the directory *path*, which may be relative to *directory*.

    Raises OSError.
    """
    descriptor = os.open(
        path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=directory
    )
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def read(name: str, directory: int) -> str | None:
    """Return the file *name* in the open *directory* as it is, blanks and newline too.

    None where the kernel does not give it. One read(2), never a second: broken hwmon
    drivers answer EAGAIN for ever (node_exporter#728).
    """
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=directory)
    except OSError:
        return None
    try:
        data = os.read(descriptor, sysfs.ATTRIBUTE_SIZE_BYTES)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    # A run of bytes that are not UTF-8 is one U+FFFD (Go's ToValidUTF8).
    return mountinfo.label(mountinfo.path_text(data))


def read_given(path: str, names: Iterable[str]) -> dict[str, str]:
    """Return those files *names* of the directory *path* that are given, trimmed.

    Raises OSError where the directory cannot be opened: the device may be gone.
    """
    with opened(path) as directory:
        found = ((name, read(name, directory)) for name in names)
        return {name: text.strip() for name, text in found if text is not None}

"""Tell whether this process is in the host's namespaces or in a container's own.

The kernel numbers the namespaces it begins with (include/linux/nsfs.h, before 6.16
include/linux/proc_ns.h), and ``/proc/self/ns`` shows the numbers.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable


# The mount namespace had no number of its own before 6.16: it was the first, later the
# second, to be made (PROC_DYNAMIC_FIRST).
_INITIAL = {
    "mnt": frozenset({0xEFFFFFF8, 0xF0000000, 0xF0000001}),
    "pid": frozenset({0xEFFFFFFC}),
    "uts": frozenset({0xEFFFFFFE}),
}
_LINK = re.compile(r"[a-z]+:\[([0-9]+)\]")


def is_hosts(kind: str, readlink: Callable[[str], str] = os.readlink) -> bool | None:
    """Tell whether the namespace *kind* (mnt, pid or uts) is the host's.

    None where the kernel does not say. Whatever ``--path.procfs`` is, the own process'
    ``/proc`` is asked.
    """
    try:
        found = _LINK.fullmatch(readlink(f"/proc/self/ns/{kind}"))
    except (OSError, ValueError):
        return None
    return None if found is None else int(found[1]) in _INITIAL[kind]

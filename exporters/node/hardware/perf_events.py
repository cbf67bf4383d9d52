"""Count events of the kernel with perf_event_open(2) (hodgesds/perf-utils).

Numbers are those of include/uapi/linux/perf_event.h. As upstream, what is read is not
scaled up where the kernel had to let more events than there are registers take turns.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Sequence
from typing import NamedTuple

from exporters.node import libc


HARDWARE, SOFTWARE, TRACEPOINT, CACHE = range(4)

# Number of the system call; a 32-bit Python may run on a 64-bit kernel.
_CALLS = {
    "x86_64": (336, 298),
    "i386": (336, 336),
    "i686": (336, 336),
    "aarch64": (364, 241),
    "armv6l": (364, 364),
    "armv7l": (364, 364),
    "riscv64": (241, 241),
    "loongarch64": (241, 241),
    "ppc64": (319, 319),
    "ppc64le": (319, 319),
    "s390x": (331, 331),
    "mips64": (4333, 5292),
}
_IS_64_BIT = sys.maxsize > 2**32

# type, size, config, sample_period, sample_type, read_format, flags, wakeup_events,
# bp_type, config1: the first 64 bytes, which every kernel takes (PERF_ATTR_SIZE_VER0).
_ATTRIBUTES = struct.Struct("= I I Q Q Q Q Q I I Q")
# The flags are a bit field, which starts at the other end on a big-endian machine.
_INHERIT, _EXCLUDE_HYPERVISOR = (
    1 << (bit if sys.byteorder == "little" else 63 - bit) for bit in (1, 6)
)
_FORMAT_TIMES, _FORMAT_GROUP = 0b11, 0b1000  # TOTAL_TIME_ENABLED and _RUNNING; GROUP
_CLOSE_ON_EXEC = 8  # PERF_FLAG_FD_CLOEXEC
_EVERY_PROCESS = -1
_NO_GROUP = -1

_VALUE = struct.Struct("= Q Q Q")  # value, time enabled, time running
_GROUP_HEADER = struct.Struct("= Q Q Q")  # number of values, the same times


class Event(NamedTuple):
    """An event that the kernel can count: its kind, and PERF_COUNT_* or an id."""

    type: int
    config: int


def open_counter(event: Event, cpu: int) -> int:
    """Return a descriptor that counts *event* on *cpu* from now on. Raises OSError."""
    flags = _EXCLUDE_HYPERVISOR | _INHERIT
    return _open(event, cpu, flags, _FORMAT_TIMES, _NO_GROUP)


def open_group(events: Sequence[Event], cpu: int) -> list[int]:
    """Return descriptors that count *events* on *cpu* together; the first is to read.

    Raises OSError, and then none is left open.
    """
    descriptors: list[int] = []
    form = _FORMAT_TIMES | _FORMAT_GROUP
    try:
        for event in events:
            leader = descriptors[0] if descriptors else _NO_GROUP
            descriptor = _open(event, cpu, _EXCLUDE_HYPERVISOR, form, leader)
            descriptors.append(descriptor)
    except OSError:
        close(descriptors)
        raise
    return descriptors


def close(descriptors: Sequence[int]) -> None:
    """Stop counting."""
    for descriptor in descriptors:
        os.close(descriptor)


def _open(event: Event, cpu: int, flags: int, form: int, group: int) -> int:
    fields = (event.type, _ATTRIBUTES.size, event.config, 0, 0, form, flags, 0, 0, 0)
    attributes = ctypes.create_string_buffer(_ATTRIBUTES.pack(*fields))
    system_call = libc.library().syscall
    system_call.restype = ctypes.c_long
    descriptor: int = system_call(
        ctypes.c_long(call_number(os.uname().machine)),
        attributes,
        ctypes.c_int(_EVERY_PROCESS),
        ctypes.c_int(cpu),
        ctypes.c_int(group),
        ctypes.c_ulong(_CLOSE_ON_EXEC),
    )
    if descriptor < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return descriptor


def call_number(machine: str, *, is_64_bit: bool = _IS_64_BIT) -> int:
    """Return the number of perf_event_open(2) on *machine*, as uname(2) names it.

    Raises OSError for a machine that is not known.
    """
    if machine not in _CALLS:
        raise OSError(f"perf_event_open: its number on {machine} is not known")
    return _CALLS[machine][is_64_bit]


def read_counter(descriptor: int) -> int | None:
    """Return what was counted, None when the CPU is gone. Raises OSError."""
    return parse_counter(os.read(descriptor, _VALUE.size))


def parse_counter(data: bytes) -> int | None:
    """Return the value in what a counter gave; nothing is given for a CPU that is off.

    Raises ValueError.
    """
    if not data:
        return None
    if len(data) != _VALUE.size:
        raise ValueError(f"perf: expected {_VALUE.size} bytes, got {len(data)}")
    value: int = _VALUE.unpack(data)[0]
    return value


def read_group(descriptor: int, count: int) -> tuple[int, ...]:
    """Return the *count* values of a group. Raises OSError and ValueError."""
    return parse_group(os.read(descriptor, _GROUP_HEADER.size + 8 * count), count)


def parse_group(data: bytes, count: int) -> tuple[int, ...]:
    """Return the *count* values in what a group's leader gave, or () for a CPU off.

    Raises ValueError.
    """
    if not data:
        return ()
    expected = _GROUP_HEADER.size + 8 * count
    if len(data) != expected:
        raise ValueError(f"perf: expected {expected} bytes, got {len(data)}")
    return struct.unpack_from(f"= {count}Q", data, _GROUP_HEADER.size)

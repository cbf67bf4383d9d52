"""Ask mounted btrfs about their devices (include/uapi/linux/btrfs.h).

Sysfs knows sizes of devices only; how much of them is used and how often they failed
only the ioctls tell (what upstream has of github.com/dennwc/btrfs).
"""

from __future__ import annotations

import ctypes
import errno
import logging
import os
import struct
import uuid
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from exporters.node import libc
from exporters.node.deadline import seconds_left
from exporters.node.paths import Paths
from exporters.node.storage import mountinfo


log = logging.getLogger(__name__)


class Request(NamedTuple):
    code: int
    size: int


class FileSystemInfo(NamedTuple):
    """What BTRFS_IOC_FS_INFO says."""

    max_id: int
    devices: int
    fsid: str


class DeviceInfo(NamedTuple):
    """What BTRFS_IOC_DEV_INFO says; the path of a missing device is empty."""

    uuid: str
    used_bytes: int
    size_bytes: int
    path: str


class DeviceErrors(NamedTuple):
    """What BTRFS_IOC_GET_DEV_STATS says; the names are values of a label."""

    write: int
    read: int
    flush: int
    corruption: int
    generation: int


class Device(NamedTuple):
    """One device of a file system."""

    info: DeviceInfo
    errors: DeviceErrors


Ask = Callable[[int, Request, bytes], bytes]
"""ioctl(2): descriptor, request and argument give the argument as it came back."""

_FS_INFO_FIELDS = struct.Struct("=QQ16s")
_DEV_INFO_FIELDS = struct.Struct("=Q16sQQ3032x1024s")
_DEV_STATS_FIELDS = struct.Struct("=QQQ5Q")
_ERROR_KINDS = 5
_ROOT_INODE = 256  # of every subvolume (BTRFS_FIRST_FREE_OBJECTID)
_WRITE, _READ = 1, 2


def _request(direction: int, number: int, size: int) -> Request:
    # asm-generic/ioctl.h. Machines that count otherwise (powerpc, mips, sparc) answer
    # ENOTTY, as they do to upstream, and only sysfs is left.
    return Request(direction << 30 | size << 16 | 0x94 << 8 | number, size)


FS_INFO = _request(_READ, 31, 1024)
DEV_INFO = _request(_READ | _WRITE, 30, 4096)
GET_DEV_STATS = _request(_READ | _WRITE, 52, 1032)


def parse_fs_info(data: bytes) -> FileSystemInfo:
    """Return a ``btrfs_ioctl_fs_info_args``. Raises ValueError."""
    max_id, devices, fsid = _unpack(_FS_INFO_FIELDS, data)
    return FileSystemInfo(max_id, devices, str(uuid.UUID(bytes=fsid)))


def parse_dev_info(data: bytes) -> DeviceInfo:
    """Return a ``btrfs_ioctl_dev_info_args``. Raises ValueError."""
    _, device, used, size, path = _unpack(_DEV_INFO_FIELDS, data)
    shown = path.partition(b"\0")[0].decode("utf-8", "replace")
    return DeviceInfo(str(uuid.UUID(bytes=device)), used, size, shown)


def parse_dev_stats(data: bytes) -> DeviceErrors:
    """Return a ``btrfs_ioctl_get_dev_stats``. Raises ValueError."""
    return DeviceErrors(*_unpack(_DEV_STATS_FIELDS, data)[3:])


def _unpack(fields: struct.Struct, data: bytes) -> tuple[Any, ...]:
    try:
        return fields.unpack_from(data)
    except struct.error as error:
        raise ValueError(f"expected {fields.size} bytes, got {len(data)}") from error


def call(descriptor: int, request: Request, argument: bytes) -> bytes:
    """Send *request* to the file system of *descriptor*. Raises OSError; may block.

    Not ``fcntl.ioctl``: for arguments above 1024 bytes Python 3.11's keeps the
    interpreter's lock, and a btrfs that changes its devices answers late.
    """
    buffer = ctypes.create_string_buffer(argument, request.size)
    if libc.library().ioctl(descriptor, ctypes.c_ulong(request.code), buffer) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return buffer.raw


def read_mounted(paths: Paths, ask: Ask = call) -> dict[str, list[Device]]:
    """Return the devices of every btrfs that is mounted, by its UUID.

    One that cannot be asked is left out: sysfs has its sizes. Raises OSError and
    ValueError where the mounts cannot be read.
    """
    found: dict[str, list[Device]] = {}
    done: set[str] = set()  # a file system has many mounts, one for each subvolume
    for mount in mountinfo.read(paths):
        if mount.fs_type != "btrfs" or mount.source in done:
            continue
        host_path = paths.strip_rootfs(mountinfo.unescape(mount.mount_point))
        try:
            fsid, devices = _read_mount(paths.root(host_path), ask, found)
        except (OSError, ValueError) as error:
            fields = {"mountPoint": host_path, "err": error}
            log.debug("Error querying btrfs device stats", extra={"fields": fields})
            continue
        found[fsid] = devices
        done.add(mount.source)
    return found


def _read_mount(
    path: str, ask: Ask, known: Mapping[str, list[Device]]
) -> tuple[str, list[Device]]:
    """Return UUID and devices of the btrfs at *path*. Raises OSError and ValueError."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    descriptor = os.open(mountinfo.path_bytes(path), flags)
    try:
        if os.fstat(descriptor).st_ino != _ROOT_INODE:  # a part of one, bind-mounted
            raise OSError(errno.EINVAL, "not the root of a subvolume", path)
        info = parse_fs_info(ask(descriptor, FS_INFO, b""))
        return info.fsid, known.get(info.fsid) or read_devices(descriptor, info, ask)
    finally:
        os.close(descriptor)


def read_devices(
    descriptor: int, info: FileSystemInfo, ask: Ask = call
) -> list[Device]:
    """Return the devices of the file system of *descriptor*.

    Their numbers begin at 0 or 1 and have holes. Raises OSError and ValueError.
    """
    found: list[Device] = []
    for number in range(info.max_id + 1):
        if len(found) == info.devices:
            break
        if not seconds_left():  # a forged max_id has 64 bits
            raise TimeoutError(errno.ETIMEDOUT, "too many device numbers")
        device = _read_device(descriptor, number, ask)
        if device is not None:
            found.append(device)
    return found


def _read_device(descriptor: int, number: int, ask: Ask) -> Device | None:
    try:
        answer = ask(descriptor, DEV_INFO, struct.pack("=Q", number))
    except OSError as error:
        if error.errno == errno.ENODEV:
            return None
        raise
    wanted = struct.pack("=QQQ", number, _ERROR_KINDS, 0)
    errors = parse_dev_stats(ask(descriptor, GET_DEV_STATS, wanted))
    return Device(parse_dev_info(answer), errors)

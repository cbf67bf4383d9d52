"""A host with many devices, made in namespaces that nobody else sees.

All of it needs own network, mount and process namespaces (unshare(1)): a collector asks
for the mounts of process 1. What is made here goes away with the namespaces.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.process import LeftOutError


# Kinds of interfaces that need nothing else; which there are depends on the kernel.
KINDS: Final = ("dummy", "ifb", "bridge")
DISKSTATS: Final = Path("/proc/diskstats")
BLOCK: Final = Path("/sys/block")
UDEV: Final = Path("/run/udev/data")
# Files of a queue, read for each disk (Documentation/ABI/stable/sysfs-block).
QUEUE: Final = {
    "add_random": "0",
    "chunk_sectors": "0",
    "dax": "0",
    "discard_granularity": "512",
    "discard_max_bytes": "2147450880",
    "discard_max_hw_bytes": "2147450880",
    "discard_zeroes_data": "0",
    "fua": "1",
    "hw_sector_size": "512",
    "io_poll": "0",
    "io_poll_delay": "-1",
    "io_timeout": "30000",
    "iostats": "1",
    "logical_block_size": "512",
    "max_discard_segments": "1",
    "max_hw_sectors_kb": "32767",
    "max_integrity_segments": "0",
    "max_sectors_kb": "1280",
    "max_segment_size": "65536",
    "max_segments": "168",
    "minimum_io_size": "512",
    "nomerges": "0",
    "nr_requests": "64",
    "nr_zones": "0",
    "optimal_io_size": "0",
    "physical_block_size": "4096",
    "read_ahead_kb": "128",
    "rotational": "0",
    "rq_affinity": "1",
    "scheduler": "[mq-deadline] kyber none",
    "wbt_lat_usec": "2000",
    "write_cache": "write back",
    "write_same_max_bytes": "0",
    "write_zeroes_max_bytes": "0",
    "zoned": "none",
}
# What udev knows of a disk, of which most is read (diskstats_linux.go).
PROPERTIES: Final = """S:disk/by-id/wwn-0x5000c500{number:08x}
I:1234567
E:DM_VG_NAME=data
E:ID_ATA=1
E:ID_ATA_ROTATION_RATE_RPM=7200
E:ID_ATA_WRITE_CACHE=1
E:ID_ATA_WRITE_CACHE_ENABLED=0
E:ID_BUS=ata
E:ID_FS_TYPE=ext4
E:ID_FS_USAGE=filesystem
E:ID_FS_UUID=8a4a8b6e-0000-4000-8000-{number:012x}
E:ID_FS_VERSION=1.0
E:ID_MODEL=ST4000NM0035
E:ID_PATH=pci-0000:00:1f.2-ata-{number}
E:ID_REVISION=TN04
E:ID_SERIAL_SHORT=ZC1{number:05}
E:ID_TYPE=disk
E:ID_WWN=0x5000c500{number:08x}
G:systemd
"""


class Devices(NamedTuple):
    """How many there are of each kind."""

    interfaces: int
    mounts: int
    disks: int

    def share(self, part: float) -> Devices:
        """Return *part* of them, from 0 to 1, and at least one of each."""
        return Devices(*(max(1, round(number * part)) for number in self))

    def __str__(self) -> str:
        return f"{self.interfaces} interfaces, {self.mounts} mounts, {self.disks} disks"


class Host:
    """The devices made so far; they only become more."""

    def __init__(self, folder: Path) -> None:
        """Take over the namespaces that this process is in; *folder* is for files.

        Raises LeftOutError where they are those of others, or allow no mounts.
        """
        if os.getpid() != 1:
            raise LeftOutError("expected to be process 1 of namespaces of its own")
        self._folder = folder
        self._made = Devices(0, 0, 0)
        run("mount", "-t", "sysfs", "sysfs", "/sys")  # of this network namespace
        run("mount", "-t", "tmpfs", "run", "/run")
        UDEV.mkdir(parents=True)
        run("mount", "-t", "tmpfs", "block", str(BLOCK))
        run("mount", "-t", "tmpfs", "mounts", str(folder))
        self._diskstats = folder / "diskstats"
        self._diskstats.touch()
        run("mount", "--bind", str(self._diskstats), str(DISKSTATS))
        run("ip", "link", "set", "lo", "up")
        self.kind = self._usable_kind()

    def _usable_kind(self) -> str:
        for kind in KINDS:
            if succeeds("ip", "link", "add", "probe", "type", kind):
                run("ip", "link", "del", "probe")
                return kind
        raise LeftOutError(f"ip link add: this kernel has none of {', '.join(KINDS)}")

    def grow(self, to: Devices) -> None:
        """Make what is missing of *to*."""
        made, self._made = self._made, to
        links = link_lines(range(made.interfaces, to.interfaces), self.kind)
        run("ip", "-batch", "-", text="".join(links))
        self._mount(range(made.mounts, to.mounts))
        self._diskstats.write_text("".join(disk_lines(range(to.disks))))
        for number in range(made.disks, to.disks):
            make_disk(number)

    def _mount(self, numbers: Iterable[int]) -> None:
        table = self._folder / "fstab"
        folders = [self._folder / f"mount-{number}" for number in numbers]
        for folder in folders:
            folder.mkdir()
        table.write_text("".join(f"tmpfs {path} tmpfs rw 0 0\n" for path in folders))
        run("mount", "-a", "-T", str(table))


def link_lines(numbers: Iterable[int], kind: str) -> Iterator[str]:
    """Yield the commands of `ip -batch` that make interfaces and put them up."""
    for number in numbers:
        yield f"link add bench{number} type {kind}\nlink set bench{number} up\n"


def disk_lines(numbers: Iterable[int]) -> Iterator[str]:
    """Yield lines of diskstats with all 20 columns (iostats.rst)."""
    for number in numbers:
        values = " ".join(str(number * 1000 + column * 37) for column in range(17))
        yield f"   8 {number * 16:7} {disk_name(number)} {values}\n"


def disk_name(number: int) -> str:
    """Return the name of SCSI disk *number*: sda, sdb, ..., sdz, sdaa."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("a") + rest) + letters
    return f"sd{letters}"


def make_disk(number: int) -> None:
    """Write the queue of disk *number*, and what udev knows of it."""
    queue = BLOCK / disk_name(number) / "queue"
    queue.mkdir(parents=True)
    for name, value in QUEUE.items():
        (queue / name).write_text(f"{value}\n")
    known = UDEV / f"b8:{number * 16}"
    known.write_text(PROPERTIES.format(number=number))


def run(*command: str, text: str = "") -> None:
    """Run *command* with *text* to read; raises LeftOutError when it fails."""
    try:
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise LeftOutError(f"{command[0]}: {error.strerror}") from None
    if done.returncode:
        problem = done.stderr.strip().replace("\n", " | ")
        raise LeftOutError(f"{' '.join(command)}: {problem}")


def succeeds(*command: str) -> bool:
    """Run *command* and say whether it ended well."""
    return subprocess.run(command, capture_output=True, check=False).returncode == 0

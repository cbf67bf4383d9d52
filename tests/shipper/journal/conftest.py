"""Entries in the export format, journals made of them, and a sink that remembers."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest


BOOT = "6c7c6013a26343b29e964691ff25d04c"
OTHER_BOOT = "7d7c6013a26343b29e964691ff25d04c"

Fields = Mapping[str, bytes]

WRITERS = (
    "/usr/lib/systemd/systemd-journal-remote",
    "/lib/systemd/systemd-journal-remote",
)


def exported(realtime_us: int, fields: Fields, *, boot: str = BOOT) -> bytes:
    """Return an entry as it is sent to `systemd-journal-remote`."""
    lines = [
        b"__REALTIME_TIMESTAMP=%d\n" % realtime_us,
        b"_BOOT_ID=%s\n" % boot.encode(),
        *(a_field(name, value) for name, value in fields.items()),
    ]
    return b"".join(lines) + b"\n"


def a_field(name: str, value: bytes) -> bytes:
    if b"\n" in value or not value.isascii():
        size = len(value).to_bytes(8, "little")
        return name.encode() + b"\n" + size + value + b"\n"
    return name.encode() + b"=" + value + b"\n"


@dataclass
class Journal:
    """A directory of journal files, written by systemd itself."""

    directory: Path
    writer: str
    count: int = 0

    def write(self, entries: Sequence[bytes]) -> None:
        self.count += 1
        subprocess.run(
            [self.writer, "-o", f"{self.directory}/part{self.count}.journal", "-"],
            input=b"".join(entries),
            check=True,
            capture_output=True,
            timeout=60,
        )


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    if shutil.which("journalctl") is None:
        pytest.skip("journalctl is not installed (Debian package systemd)")
    writer = next((path for path in WRITERS if Path(path).exists()), None)
    if writer is None:
        pytest.skip("systemd-journal-remote is not installed, it writes the journals")
    directory = tmp_path / "journal"
    directory.mkdir()
    return Journal(directory, writer)


@dataclass
class Counts:
    """Meters that can be looked at."""

    lines: int = 0
    errors: list[str] = field(default_factory=list)
    cut: int = 0

    def line(self) -> None:
        self.lines += 1

    def error(self, reason: str) -> None:
        self.errors.append(reason)

    def truncated(self, count: int) -> None:
        self.cut += count

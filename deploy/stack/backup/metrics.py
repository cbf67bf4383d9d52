"""The age of the last backup for Prometheus, through the node exporter's textfiles."""

from __future__ import annotations

import os
from pathlib import Path


FOLDER, FILE = "textfile", "stack_backup.prom"
TEMPLATE = """\
# HELP stack_backup_last_success_timestamp_seconds When the last whole backup was made.
# TYPE stack_backup_last_success_timestamp_seconds gauge
stack_backup_last_success_timestamp_seconds {time}
# HELP stack_backup_last_success_size_bytes The size of that backup.
# TYPE stack_backup_last_success_size_bytes gauge
stack_backup_last_success_size_bytes {size}
# HELP stack_backup_last_success_duration_seconds How long that backup took.
# TYPE stack_backup_last_success_duration_seconds gauge
stack_backup_last_success_duration_seconds {duration:.3f}
"""


def made(state: Path) -> Path:
    """Return the folder that the node exporter mounts, which is there from now on."""
    folder = state / FOLDER
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)  # the node exporter's user reads it, whatever the umask
    return folder


def write(state: Path, time: float, size: int, duration: float) -> None:
    """Say that a backup succeeded; a scrape sees the old file or the new one."""
    folder = made(state)
    part = folder / f".{FILE}.part"
    part.write_text(TEMPLATE.format(time=int(time), size=size, duration=duration))
    part.chmod(0o644)
    os.replace(part, folder / FILE)

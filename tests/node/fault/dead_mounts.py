"""Mount FUSE file systems that nobody serves, and run a program beside them.

``python dead_mounts.py FOLDER COUNT COMMAND...``, as root, in a mount namespace of
its own. Every system call on such a mount waits for an answer that does not come.
The line "release" on stdin lets the mounts go: calls then end with ENOTCONN. A script
and not a fixture because the mounts have to be out of sight of everything else.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path


_libc = ctypes.CDLL(None, use_errno=True)


def mount(folder: Path) -> int:
    """Mount a file system at *folder* and return the descriptor that keeps it."""
    folder.mkdir(parents=True)
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0"
    target = os.fsencode(folder)
    if _libc.mount(b"nobody", target, b"fuse.nobody", 0, options.encode()) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), str(folder))
    return device


def main() -> int:
    """Mount, run, wait for a line, let go, wait for the program."""
    folder, count, *command = sys.argv[1:]
    devices = [mount(Path(folder) / f"dead{n}") for n in range(int(count))]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as program:
        for line in sys.stdin:
            if line == "release\n":
                for device in devices:
                    os.close(device)
            else:
                program.terminate()
        if program.poll() is None:
            program.terminate()
        return program.wait(timeout=30)


if __name__ == "__main__":
    sys.exit(main())

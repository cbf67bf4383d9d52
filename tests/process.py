"""Start an exporter, and know when it listens."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import time


DEADLINE_SECONDS = 30


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_listening(process: subprocess.Popen[bytes]) -> None:
    assert process.stderr is not None
    seen = b""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while b"Listening on" not in seen:
        left = max(0.0, deadline - time.monotonic())
        ready, _, _ = select.select([process.stderr], [], [], left)
        chunk = os.read(process.stderr.fileno(), 65_536) if ready else b""
        assert chunk, f"{process.args!r} does not listen: {seen.decode()}"
        seen += chunk

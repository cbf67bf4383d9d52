"""What tests of the sources share: a sink to wait at, and senders."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from exporters.nginx.access_log.flags import FLAGS
from exporters.toolkit.flags import Program, Values


PATIENCE_SECONDS = 30.0


class Lines:
    """Takes lines; a test waits until there are enough."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self._came = asyncio.Event()

    def __call__(self, line: bytes) -> None:
        self.lines.append(line)
        self._came.set()

    async def until(self, count: int) -> list[bytes]:
        """Return the first *count* lines; fail when they do not come."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.lines) < count:
                self._came.clear()
                await self._came.wait()
        return self.lines[:count]


def send_unix(path: Path, *messages: bytes) -> None:
    """Send as nginx does: a datagram each, and never waiting."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect(str(path))
        for message in messages:
            sock.send(message)


def send_udp(address: tuple[str, int], *messages: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(address)
        for message in messages:
            sock.send(message)


def message(text: str, tag: str = "nginx") -> bytes:
    return f"<190>Oct 11 22:14:15 {tag}: {text}".encode()


def values(*arguments: str, env: dict[str, str] | None = None) -> Values:
    """Return what the flags of the access log make of *arguments*."""
    return Program("test", "", FLAGS).parse(list(arguments), env or {})

"""Syslog over UDP: every datagram is parsed by itself (RFC 5426).

A sender of datagrams cannot be made to wait. What comes while the sink has no room is
kept up to a bound; beyond it the newest datagrams are dropped, and counted.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections import OrderedDict
from typing import Any, Final

from shipper.config.syslog import SyslogConfig
from shipper.loki.quiet import Quiet
from shipper.syslog.addresses import ip_of
from shipper.syslog.hostnames import Hostnames
from shipper.syslog.intake import Intake, Peer
from shipper.syslog.meters import Meters
from shipper.syslog.splitter import Splitter


log = logging.getLogger(__name__)

MAX_QUEUED_BYTES: Final = 16 * 1024 * 1024
MAX_QUEUED: Final = 65536
_MAX_PEERS: Final = 4096


class UdpServer(asyncio.DatagramProtocol):
    """Takes the datagrams of one socket."""

    def __init__(
        self,
        config: SyslogConfig,
        intake: Intake,
        meters: Meters,
        hostnames: Hostnames,
    ) -> None:
        self._limit = config.message_bytes
        self._intake = intake
        self._meters = meters
        self._hostnames = hostnames
        self._queue: asyncio.Queue[tuple[bytes, str] | None] = asyncio.Queue()
        self._queued_bytes = 0
        self._peers: OrderedDict[str, Peer] = OrderedDict()
        self._quiet = Quiet(time.monotonic)

    @property
    def connections(self) -> int:
        """Return how many senders are known."""
        return len(self._peers)

    async def serve(self, sock: socket.socket, stop: asyncio.Event) -> None:
        """Receive on *sock* until *stop*; return when all that came is handed over."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=sock)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._work(), name="syslog datagrams")
            try:
                await stop.wait()
            finally:
                transport.close()
            self._queue.put_nowait(None)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Queue *data*, or drop and count it when the queue is full."""
        size = len(data)
        if (
            self._queued_bytes + size > MAX_QUEUED_BYTES
            or self._queue.qsize() >= MAX_QUEUED
        ):
            self._overflow()
            return
        self._queued_bytes += size
        self._queue.put_nowait((data, ip_of(addr)))

    def error_received(self, exc: Exception) -> None:
        """Note *exc*; the socket goes on."""
        log.debug("syslog over UDP: %s", exc)

    async def _work(self) -> None:
        while (item := await self._queue.get()) is not None:
            data, ip = item
            try:
                await self._hand_over(data, ip)
            except Exception:
                # One datagram must not end the others.
                log.exception("a syslog datagram from %s failed", ip)
            self._queued_bytes -= len(data)

    async def _hand_over(self, data: bytes, ip: str) -> None:
        splitter = Splitter(self._limit)
        cut = len(data) > self._limit
        frames = splitter.feed(data[: self._limit]) + splitter.finish()
        if cut and frames:
            frames[-1] = frames[-1]._replace(cut=True)
        await self._intake.take(frames, await self._peer(ip))

    async def _peer(self, ip: str) -> Peer:
        peer = self._peers.get(ip)
        if peer is None:
            peer = self._peers[ip] = Peer(ip, await self._hostnames.of(ip))
            if len(self._peers) > _MAX_PEERS:
                self._peers.popitem(last=False)
        self._peers.move_to_end(ip)
        return peer

    def _overflow(self) -> None:
        self._meters.overflowed(1)
        repeated = self._quiet.may_say("overflow")
        if repeated is not None:
            log.warning(
                "syslog datagrams come faster than they can be sent on, dropping",
                extra={"fields": {"repeated": repeated}},
            )

"""From frames to entries: parse, label, put, count.

What promtail drops because it is no message is put as it came, with the labels of the
connection alone: a sender that speaks another dialect loses nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from datetime import datetime

from shipper.config.syslog import SyslogConfig
from shipper.files.clock import LineClock
from shipper.loki.quiet import Quiet
from shipper.pipeline.entry import Entry, Labels, Sink, Untracked
from shipper.syslog.frame import Frame
from shipper.syslog.labels import Relabel, Streams, connection_labels, message_labels
from shipper.syslog.message import Message, ParseError
from shipper.syslog.meters import Meters
from shipper.syslog.rfc3164 import parse_rfc3164
from shipper.syslog.rfc5424 import format_rfc5424, parse_rfc5424


log = logging.getLogger(__name__)


class Peer(Untracked):
    """A sender, and the cursor of its entries: nobody there hears of an answer."""

    def __init__(self, ip: str, hostname: str) -> None:
        self.ip = ip
        self.labels = connection_labels(ip, hostname)


class Intake:
    """Takes the frames of every connection of one job."""

    def __init__(
        self,
        job: str,
        config: SyslogConfig,
        relabel: Relabel,
        sink: Sink,
        meters: Meters,
        *,
        now_ns: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.received = self.unparsed = 0
        self._config = config
        self._streams = Streams(job, config.labels, relabel)
        self._sink = sink
        self._meters = meters
        self._now_ns = LineClock(now_ns).stamp
        self._quiet = Quiet(monotonic)
        self._parse: Callable[[bytes], Message] = parse_rfc5424
        if config.syslog_format == "rfc3164":
            self._parse = self._parse_rfc3164

    async def take(self, frames: Iterable[Frame], peer: Peer) -> None:
        """Put *frames* from *peer*, waiting while there is no room."""
        for frame in frames:
            await self._take(frame, peer)

    async def _take(self, frame: Frame, peer: Peer) -> None:
        self.received += 1
        if frame.cut:
            self._meters.truncated(1)
        try:
            message = self._parse(frame.data)
        except ParseError as error:
            self._complain(frame.problem or str(error), peer)
            await self._put(peer.labels, self._now_ns(), frame.data, peer)
            return
        if frame.problem:
            self._complain(frame.problem, peer)
        if not message.text:
            self._meters.empty_messages(1)
            return
        labels = message_labels(
            message, structured_data=self._config.label_structured_data
        )
        await self._put(
            peer.labels + labels, self._time(message), self._line(message), peer
        )

    async def _put(self, found: Labels, time_ns: int, line: bytes, peer: Peer) -> None:
        stream = self._streams.of(found)
        if stream is None:
            self._meters.filtered(1)
            return
        await self._sink.put(stream, Entry(time_ns, line), peer)
        self._meters.entries(1)

    def _time(self, message: Message) -> int:
        if self._config.use_incoming_timestamp and message.timestamp_ns is not None:
            return message.timestamp_ns
        return self._now_ns()

    def _line(self, message: Message) -> bytes:
        if self._config.use_rfc5424_message and message.version:
            return format_rfc5424(message)
        return message.text

    def _parse_rfc3164(self, data: bytes) -> Message:
        now = datetime.fromtimestamp(self._now_ns() / 1e9)  # noqa: DTZ006 -- local
        return parse_rfc3164(data, now)

    def _complain(self, reason: str, peer: Peer) -> None:
        self.unparsed += 1
        self._meters.parsing_errors(1)
        repeated = self._quiet.may_say("unparsed")
        if repeated is not None:
            log.warning(
                "error parsing syslog stream, shipped as it came",
                extra={
                    "fields": {"err": reason, "peer": peer.ip, "repeated": repeated}
                },
            )

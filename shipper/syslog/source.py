"""One ``syslog`` job as a source: a listener, and what it hands over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

from exporters.toolkit.listen import format_address, open_listener
from shipper.binding import Binding, open_datagram
from shipper.config.syslog import SyslogConfig
from shipper.pipeline.entry import Sink
from shipper.source import Target
from shipper.syslog.hostnames import Hostnames
from shipper.syslog.intake import Intake
from shipper.syslog.labels import Relabel
from shipper.syslog.meters import Meters
from shipper.syslog.tcp import TcpServer
from shipper.syslog.udp import UdpServer
from shipper.tls import server_context


log = logging.getLogger(__name__)


class SyslogSource:
    """Listens for the messages of one job; implements `shipper.source.Source`."""

    def __init__(
        self,
        job: str,
        config: SyslogConfig,
        relabel: Relabel,
        sink: Sink,
        meters: Meters,
        *,
        hostnames: Hostnames | None = None,
    ) -> None:
        """Read the certificates of *config*. Raises StartError when that fails."""
        self.address = ""
        self.listening = asyncio.Event()
        self._job = job
        self._config = config
        self._intake = Intake(job, config, relabel, sink, meters)
        names = hostnames or Hostnames()
        is_udp = config.protocol == "udp"
        self._server: TcpServer | UdpServer
        if is_udp:
            self._server = UdpServer(config, self._intake, meters, names)
        else:
            tls = server_context(config.tls_config)
            self._server = TcpServer(config, tls, self._intake, meters, names)
        self._binding = Binding(
            f"job {job}: syslog",
            config.listen_address,
            open_datagram if is_udp else open_listener,
        )
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Listen until `stop_reading`; hand over what was received, then return."""
        sock = await self._binding.until_open(self._stopping)
        if sock is None:
            return
        self.address = format_address(sock)
        log.info(
            "syslog listening on address",
            extra={
                "fields": {"address": self.address, "protocol": self._config.protocol}
            },
        )
        self.listening.set()
        with sock:
            await self._server.serve(sock, self._stopping)

    def stop_reading(self) -> None:
        """Stop accepting and reading at once."""
        self._stopping.set()

    def not_ready(self) -> str | None:
        """Return why nothing can be received, or None."""
        return self._binding.reason

    def targets(self) -> Iterator[Target]:
        """Return the listener."""
        config, intake = self._config, self._intake
        shown = {k: v for k, v in config.labels.items() if not k.startswith("__")}
        yield Target(
            job=self._job,
            kind="syslog",
            name=self.address or config.listen_address,
            discovered=config.labels,
            streams={config.protocol: tuple(sorted(shown.items()))},
            error=self._binding.reason or "",
            details={
                "protocol": config.protocol,
                "format": config.syslog_format,
                "connections": str(self._server.connections),
                "messages": str(intake.received),
                "unparsed": str(intake.unparsed),
            },
        )

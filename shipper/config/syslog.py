"""The section ``syslog`` of a job (promtail scrapeconfig.go SyslogTargetConfig)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from exporters.toolkit.decode import Problem, Scalar
from exporters.toolkit.errors import StartError
from exporters.toolkit.listen import split_address
from shipper.config.duration import GoDuration
from shipper.config.tls import TlsConfig
from shipper.relabel import label_problems


Protocol = Literal["tcp", "udp"]
SyslogFormat = Literal["rfc5424", "rfc3164"]


def _protocol(text: str) -> str:
    if text not in {"", "tcp", "udp"}:
        raise ValueError(
            f"invalid transport protocol. expected 'tcp' or 'udp', got '{text}'"
        )
    return text or "tcp"


def _format(text: str) -> str:
    if text not in {"", "rfc5424", "rfc3164"}:
        raise ValueError(
            f"invalid syslog_format. expected 'rfc5424' or 'rfc3164', got '{text}'"
        )
    return text or "rfc5424"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyslogConfig:
    """Where to listen for messages, and what becomes of them.

    0 for *idle_timeout* (seconds) and *max_message_length* (bytes) means promtail's
    defaults. *tls_config*: a certificate and its key, and a ``ca`` to ask clients for
    one that it has signed.
    """

    listen_address: str = ""
    listen_protocol: Annotated[Protocol, Scalar("Protocol", _protocol, null="")] = "tcp"
    idle_timeout: GoDuration = 0.0
    label_structured_data: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    use_incoming_timestamp: bool = False
    use_rfc5424_message: bool = False
    syslog_format: Annotated[SyslogFormat, Scalar("SyslogFormat", _format, null="")] = (
        "rfc5424"
    )
    max_message_length: int = 0
    tls_config: TlsConfig = field(default_factory=TlsConfig)

    @property
    def protocol(self) -> Protocol:
        """Return the transport."""
        return self.listen_protocol

    @property
    def idle_seconds(self) -> float:
        """Return after how long without a byte a connection is closed."""
        return self.idle_timeout or 120.0

    @property
    def message_bytes(self) -> int:
        """Return how much of a message is kept."""
        return self.max_message_length or 8192

    def problems(self) -> Iterator[Problem]:
        yield from _address_problems(self.listen_address)
        yield from label_problems(self.labels)
        for key in ("idle_timeout", "max_message_length"):
            if getattr(self, key) < 0:
                yield Problem(f"{key} must not be negative", (key,))
        tls = self.tls_config
        if (tls.ca or tls.ca_file) and not (tls.cert or tls.cert_file):
            yield Problem("certificate and key files are required", ("tls_config",))
        if self.listen_protocol == "udp" and tls != TlsConfig():
            yield Problem("tls_config needs listen_protocol: tcp", ("tls_config",))


def _address_problems(address: str) -> Iterator[Problem]:
    if not address:
        yield Problem("listen_address missing: where to listen, as :1514")
        return
    try:
        split_address(address)
    except StartError as error:
        yield Problem(f"listen_address: {error}", ("listen_address",))

"""The section ``loki_push_api`` of a job (promtail's PushTargetConfig)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from exporters.toolkit.decode import Problem
from shipper.config.server import ServerConfig
from shipper.config.tls import TlsConfig
from shipper.relabel import label_problems


ClientAuth = Literal[
    "",
    "NoClientCert",
    "RequestClientCert",
    "RequireAnyClientCert",
    "VerifyClientCertIfGiven",
    "RequireAndVerifyClientCert",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTls:
    """A certificate and its key, and an authority that signs those of clients."""

    cert_file: str = ""
    key_file: str = ""
    client_ca_file: str = ""
    client_auth_type: ClientAuth = ""

    @property
    def certificates(self) -> TlsConfig:
        """Return the files; without an authority when no client is to be checked."""
        asks = self.client_auth_type not in {"", "NoClientCert", "RequestClientCert"}
        return TlsConfig(
            cert_file=self.cert_file,
            key_file=self.key_file,
            ca_file=self.client_ca_file if asks else "",
        )

    def problems(self) -> Iterator[Problem]:
        if bool(self.cert_file) != bool(self.key_file):
            yield Problem("cert_file and key_file go together")
        if self.client_auth_type in {"RequireAnyClientCert", "VerifyClientCertIfGiven"}:
            text = "not supported, use RequireAndVerifyClientCert"
            yield Problem(f"{self.client_auth_type}: {text}", ("client_auth_type",))
        asks = self.client_auth_type == "RequireAndVerifyClientCert"
        if asks and not (self.client_ca_file and self.cert_file):
            yield Problem(
                "client_auth_type needs cert_file, key_file and client_ca_file"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PushServerConfig(ServerConfig):
    """Where the receiver listens; without a port the kernel chooses one.

    Only the addresses, the prefix of the paths and TLS have an effect.
    """

    http_listen_port: int = 0
    http_tls_config: ServerTls = field(default_factory=ServerTls)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushConfig:
    """A receiver of pushes; *labels* are put over those of the streams.

    Without *use_incoming_timestamp* a line is as old as its arrival.
    """

    server: PushServerConfig = field(default_factory=PushServerConfig)
    labels: Mapping[str, str] = field(default_factory=dict)
    use_incoming_timestamp: bool = False

    def problems(self) -> Iterator[Problem]:
        return label_problems(self.labels)

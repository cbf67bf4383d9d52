"""The section ``tls_config`` of every HTTP client (prometheus/common TLSConfig)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from exporters.toolkit.decode import Problem, Secret


NO_REFERENCES = "promtail has no secret manager either, use the key that ends in _file"

TlsVersion = Literal["", "TLS10", "TLS11", "TLS12", "TLS13"]

DEFAULT_MIN_VERSION: TlsVersion = "TLS12"
"""Go's for clients."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsConfig:
    """Certificates and checks for https; texts are PEM."""

    ca: str = ""
    cert: str = ""
    key: Secret = field(default_factory=Secret)
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    server_name: str = ""
    insecure_skip_verify: bool = False
    min_version: TlsVersion = ""
    max_version: TlsVersion = ""

    REFUSED: ClassVar[Mapping[str, str]] = {
        "ca_ref": NO_REFERENCES,
        "cert_ref": NO_REFERENCES,
        "key_ref": NO_REFERENCES,
    }

    @property
    def files(self) -> tuple[str, ...]:
        """Return the files it names: what they hold may change."""
        return tuple(filter(None, (self.ca_file, self.cert_file, self.key_file)))

    def problems(self) -> Iterator[Problem]:
        yield from self._sources()
        yield from self._pair()
        yield from self._versions()

    def _sources(self) -> Iterator[Problem]:
        if self.ca and self.ca_file:
            yield Problem("at most one of ca, ca_file & ca_ref must be configured")
        if self.cert and self.cert_file:
            yield Problem(
                "at most one of cert, cert_file & cert_ref must be configured"
            )
        if self.key and self.key_file:
            yield Problem("at most one of key and key_file must be configured")

    def _pair(self) -> Iterator[Problem]:
        has_cert = bool(self.cert or self.cert_file)
        has_key = bool(self.key or self.key_file)
        if has_cert and not has_key:
            yield Problem(
                "exactly one of key or key_file must be configured when a client "
                "certificate is configured"
            )
        if has_key and not has_cert:
            yield Problem(
                "exactly one of cert or cert_file must be configured when a client "
                "key is configured"
            )

    def _versions(self) -> Iterator[Problem]:
        if not self.max_version:
            return
        if self.min_version > self.max_version:  # as texts they sort as they should
            yield Problem(
                "tls_config.max_version must be greater than or equal to "
                "tls_config.min_version if both are specified",
                ("max_version",),
            )
        elif not self.min_version and self.max_version < DEFAULT_MIN_VERSION:
            yield Problem(
                f"max_version is below {DEFAULT_MIN_VERSION}, which min_version is "
                "when it is not given: give both",
                ("max_version",),
            )

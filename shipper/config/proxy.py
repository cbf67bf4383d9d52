"""The proxy keys of every HTTP client (prometheus/common ProxyConfig)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from exporters.toolkit.decode import Problem, Secret
from shipper.config.http_headers import header_problem
from shipper.config.url import ClientUrl, ProxyUrl


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyConfig:
    """Which proxy to go through; *proxy_url* None means that the key is not there."""

    proxy_url: ProxyUrl | None = None
    no_proxy: str = ""
    proxy_from_environment: bool = False
    proxy_connect_header: Mapping[str, tuple[Secret, ...]] = field(default_factory=dict)

    @property
    def proxy(self) -> ClientUrl | None:
        """Return the proxy that is given here, None when there is none."""
        return self.proxy_url if self.proxy_url and self.proxy_url.text else None

    def problems(self) -> Iterator[Problem]:
        if self.proxy_connect_header and not (
            self.proxy_from_environment or self.proxy
        ):
            yield Problem(
                "if proxy_connect_header is configured, proxy_url or "
                "proxy_from_environment must also be configured",
                ("proxy_connect_header",),
            )
        if self.proxy_from_environment and self.proxy:
            yield Problem(
                "if proxy_from_environment is configured, proxy_url must not be "
                "configured",
                ("proxy_url",),
            )
        if self.proxy_from_environment and self.no_proxy:
            yield Problem(
                "if proxy_from_environment is configured, no_proxy must not be "
                "configured",
                ("no_proxy",),
            )
        if self.proxy_url is None and self.no_proxy and not self.proxy_from_environment:
            yield Problem(
                "if no_proxy is configured, proxy_url must also be configured",
                ("no_proxy",),
            )
        for name, values in self.proxy_connect_header.items():
            if text := header_problem(name, (value.reveal() for value in values)):
                yield Problem(text, ("proxy_connect_header", name))

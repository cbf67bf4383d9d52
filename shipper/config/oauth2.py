"""The section ``oauth2``: client credentials (prometheus/common OAuth2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from exporters.toolkit.decode import Problem, Secret
from shipper.config.proxy import ProxyConfig
from shipper.config.tls import NO_REFERENCES, TlsConfig
from shipper.config.url import ClientUrl, Url


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth2(ProxyConfig):
    """Who asks which server for a token, and what for."""

    client_id: str = ""
    client_secret: Secret = field(default_factory=Secret)
    client_secret_file: str = ""
    scopes: tuple[str, ...] = ()
    token_url: Url = field(default_factory=ClientUrl)
    endpoint_params: Mapping[str, str] = field(default_factory=dict)
    tls_config: TlsConfig = field(default_factory=TlsConfig)

    REFUSED: ClassVar[Mapping[str, str]] = {"client_secret_ref": NO_REFERENCES}

    def problems(self) -> Iterator[Problem]:
        yield from ProxyConfig.problems(self)
        if not self.client_id:
            yield Problem("oauth2 client_id must be configured", ("client_id",))
        if not self.token_url.text:
            yield Problem("oauth2 token_url must be configured", ("token_url",))
        if self.client_secret and self.client_secret_file:
            yield Problem(
                "at most one of oauth2 client_secret, client_secret_file & "
                "client_secret_ref must be configured"
            )
        if self.scopes and "scope" in self.endpoint_params:
            yield Problem(
                'oauth2: cannot overwrite parameter "scope"',
                ("endpoint_params", "scope"),
            )

"""The HTTP client keys that Loki clients and Docker hosts share.

Counterpart of prometheus/common config/http_config.go, which promtail inlines into
both sections.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from exporters.toolkit.decode import Problem, Secret


NOT_YET = "known to promtail, not supported by this version"
NO_REFERENCES = "promtail has no secret manager either, use the key that ends in _file"

TlsVersion = Literal["", "TLS10", "TLS11", "TLS12", "TLS13"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicAuth:
    """User and password, each given here or read from a file."""

    username: str = ""
    username_file: str = ""
    password: Secret = field(default_factory=Secret)
    password_file: str = ""

    REFUSED: ClassVar[Mapping[str, str]] = {
        "username_ref": NO_REFERENCES,
        "password_ref": NO_REFERENCES,
    }

    def problems(self) -> Iterator[Problem]:
        if self.username and self.username_file:
            yield Problem(
                "at most one of basic_auth username, username_file & username_ref "
                "must be configured"
            )
        if self.password and self.password_file:
            yield Problem(
                "at most one of basic_auth password, password_file & password_ref "
                "must be configured"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """The Authorization header: its scheme and credentials."""

    type: str = "Bearer"
    credentials: Secret = field(default_factory=Secret)
    credentials_file: str = ""

    REFUSED: ClassVar[Mapping[str, str]] = {"credentials_ref": NO_REFERENCES}

    @property
    def scheme(self) -> str:
        """Return the scheme as sent: blanks cut off, Bearer when left empty."""
        return self.type.strip() or "Bearer"

    def problems(self) -> Iterator[Problem]:
        if self.credentials and self.credentials_file:
            yield Problem(
                "at most one of authorization credentials & credentials_file "
                "must be configured"
            )
        if self.scheme.lower() == "basic":
            yield Problem(
                'authorization type cannot be set to "basic", use "basic_auth" instead',
                ("type",),
            )


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

    def problems(self) -> Iterator[Problem]:
        if self.ca and self.ca_file:
            yield Problem("at most one of ca, ca_file & ca_ref must be configured")
        if self.cert and self.cert_file:
            yield Problem(
                "at most one of cert, cert_file & cert_ref must be configured"
            )
        if self.key and self.key_file:
            yield Problem("at most one of key and key_file must be configured")
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


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpClientConfig:
    """How to reach and to sign in at an HTTP server."""

    basic_auth: BasicAuth | None = None
    authorization: Authorization | None = None
    bearer_token: Secret = field(default_factory=Secret)
    bearer_token_file: str = ""
    tls_config: TlsConfig = field(default_factory=TlsConfig)

    ACCEPTED: ClassVar[frozenset[str]] = frozenset({"follow_redirects", "enable_http2"})
    REFUSED: ClassVar[Mapping[str, str]] = {
        "oauth2": NOT_YET,
        "proxy_url": NOT_YET,
        "no_proxy": NOT_YET,
        "proxy_from_environment": NOT_YET,
        "proxy_connect_header": NOT_YET,
        "http_headers": NOT_YET,
    }

    def problems(self) -> Iterator[Problem]:
        bearer = bool(self.bearer_token or self.bearer_token_file)
        if self.bearer_token and self.bearer_token_file:
            yield Problem(
                "at most one of bearer_token & bearer_token_file must be configured"
            )
        if self.basic_auth and bearer:
            yield Problem(
                "at most one of basic_auth, oauth2, bearer_token & bearer_token_file "
                "must be configured"
            )
        if self.authorization and bearer:
            yield Problem(
                "authorization is not compatible with bearer_token & bearer_token_file"
            )
        if self.authorization and self.basic_auth:
            yield Problem(
                "at most one of basic_auth, oauth2 & authorization must be configured"
            )

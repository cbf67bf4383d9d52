"""The HTTP client keys that Loki clients and Docker hosts share.

Counterpart of prometheus/common config/http_config.go, which promtail inlines into
both sections. The sections inside it have modules of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, ClassVar

from exporters.toolkit.decode import Problem, Secret
from shipper.config.http_headers import HttpHeader, header_problem, reserved_problem
from shipper.config.oauth2 import OAuth2
from shipper.config.proxy import ProxyConfig
from shipper.config.tls import NO_REFERENCES, TlsConfig


NOT_YET = "known to promtail, not supported by this version"


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
        if text := header_problem("x", (self.type, self.credentials.reveal())):
            yield Problem(text.removeprefix("x: "))


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpClientConfig(ProxyConfig):
    """How to reach and to sign in at an HTTP server.

    HTTP/2 promtail has disabled itself.
    """

    basic_auth: BasicAuth | None = None
    authorization: Authorization | None = None
    oauth2: OAuth2 | None = None
    bearer_token: Secret = field(default_factory=Secret)
    bearer_token_file: str = ""
    tls_config: TlsConfig = field(default_factory=TlsConfig)
    follow_redirects: bool = True
    http_headers: Mapping[str, HttpHeader] = field(default_factory=dict)

    ACCEPTED: ClassVar[frozenset[str]] = frozenset({"enable_http2"})

    @property
    def unsupported(self) -> tuple[str, ...]:
        """Return keys that are checked and then refused: not done yet for a section."""
        return ("oauth2", "proxy_url", "proxy_from_environment", "http_headers")

    def problems(self) -> Iterator[Problem]:
        yield from ProxyConfig.problems(self)
        yield from self._sign_in()
        if text := header_problem("bearer_token", (self.bearer_token.reveal(),)):
            yield Problem(text, ("bearer_token",))
        for name in self.http_headers:
            if text := reserved_problem(name) or header_problem(name, ()):
                yield Problem(text, ("http_headers", name))
        for key in self.unsupported:
            if getattr(self, key):
                yield Problem(f"{key}: {NOT_YET}", (key,))

    def _sign_in(self) -> Iterator[Problem]:
        bearer = bool(self.bearer_token or self.bearer_token_file)
        if self.bearer_token and self.bearer_token_file:
            yield Problem(
                "at most one of bearer_token & bearer_token_file must be configured"
            )
        if (self.basic_auth or self.oauth2) and bearer:
            yield Problem(
                "at most one of basic_auth, oauth2, bearer_token & bearer_token_file "
                "must be configured"
            )
        if self.authorization and bearer:
            yield Problem(
                "authorization is not compatible with bearer_token & bearer_token_file"
            )
        if sum(map(bool, (self.authorization, self.basic_auth, self.oauth2))) > 1:
            yield Problem(
                "at most one of basic_auth, oauth2 & authorization must be configured"
            )


def secrets_in(value: Any) -> Iterator[str]:
    """Yield every secret in the config *value*, however deep it lies."""
    if isinstance(value, Secret):
        yield value.reveal()
    elif is_dataclass(value):
        for item in fields(value):
            yield from secrets_in(getattr(value, item.name))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from secrets_in(item)
    elif isinstance(value, tuple):
        for item in value:
            yield from secrets_in(item)

"""The file of ``--web.config.file``: what it may say, and what is wrong with it.

Pure: bytes in, settings out. Keys and refusals are upstream's.
Upstream counterpart: exporter-toolkit ``web/tls_config.go`` and ``handler.go``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final

from .bcrypt_hash import hash_problem
from .decode import DecodeError, Problem, Scalar, Secret, decode, printable
from .duration import parse_nanoseconds
from .tls_names import (
    ASKS_WITHOUT_NEED,
    VERIFIES,
    Cipher,
    Curve,
    Version,
    client_auth_problem,
)
from .yaml_nodes import compose, follow


_HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    "Strict-Transport-Security": (),
    "X-Content-Type-Options": ("nosniff",),
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-XSS-Protection": (),
    "Content-Security-Policy": (),
}
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_NUMBER: Final = re.compile(r"[-+]?[0-9]+")


def _parse_interval(text: str) -> int:
    """Return nanoseconds: yaml.v2 takes a bare number for them."""
    return int(text) if _NUMBER.fullmatch(text) else parse_nanoseconds(text)


Interval = Annotated[int, Scalar("time.Duration", _parse_interval)]


@dataclass(frozen=True, slots=True)
class TLSConfig:
    """``tls_server_config``; a file goes before the text of the same thing."""

    cert: str = ""
    key: Secret = field(default_factory=Secret)
    client_ca: str = ""
    cert_file: str = ""
    key_file: str = ""
    client_auth_type: str = ""
    client_ca_file: str = ""
    cipher_suites: tuple[Cipher, ...] = ()
    curve_preferences: tuple[Curve, ...] = ()
    min_version: Version = "TLS12"
    max_version: Version = "TLS13"
    # Without effect upstream too: Go has its own order since 1.17.
    prefer_server_cipher_suites: bool = True
    # None allows every name, an empty list none.
    client_allowed_sans: tuple[str, ...] | None = None

    @property
    def enabled(self) -> bool:
        """Whether TLS is asked for at all."""
        return bool(
            self.cert
            or self.cert_file
            or self.key
            or self.key_file
            or self.client_ca
            or self.client_ca_file
            or self.client_auth_type
        )

    def problems_of_use(self) -> Iterator[Problem]:
        """Return why no server can be started with these settings."""
        if not self.cert and not self.cert_file:
            yield Problem("missing one of cert or cert_file")
        if not self.key and not self.key_file:
            yield Problem("missing one of key or key_file")
        asks = self.client_auth_type not in {"", "NoClientCert"}
        if problem := client_auth_problem(self.client_auth_type):
            yield Problem(problem, ("client_auth_type",))
        elif (self.client_ca or self.client_ca_file) and not asks:
            text = "client CA's have been configured without a Client Auth Policy"
            yield Problem(text)
        elif self.client_auth_type == ASKS_WITHOUT_NEED and (
            self.client_allowed_sans is not None
        ):
            text = "client_allowed_sans: expected client_auth_type to be one of"
            yield Problem(f"{text} {', '.join(VERIFIES)}", ("client_allowed_sans",))
        if self.min_version > self.max_version:
            text = f"min_version {self.min_version} is above max_version"
            yield Problem(f"{text} {self.max_version}", ("min_version",))


@dataclass(frozen=True, slots=True)
class HTTPConfig:
    """``http_server_config``; HTTP/2 is accepted and HTTP/1.1 served."""

    http2: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)

    def problems(self) -> Iterator[Problem]:
        """Return what is wrong with the headers."""
        for name, value in self.headers.items():
            if name not in _HEADERS:
                text = f'HTTP header "{name}" can not be configured'
            elif _HEADERS[name] and value not in _HEADERS[name]:
                known = " ".join(f'"{one}"' for one in _HEADERS[name])
                text = (
                    f"invalid value for {name}. Expected one of: [{known}],"
                    f' but got: "{value}"'
                )
            elif _CONTROL.search(value):
                text = f"{name}: expected a value on one line"
            else:
                continue
            yield Problem(text, ("headers", name))


@dataclass(frozen=True, slots=True)
class RateLimiterConfig:
    """``rate_limit``: *burst* requests at once, one more each *interval* (ns)."""

    burst: int = 0
    interval: Interval = 0


@dataclass(frozen=True, slots=True)
class Config:
    """The whole file."""

    tls_server_config: TLSConfig = field(default_factory=TLSConfig)
    http_server_config: HTTPConfig = field(default_factory=HTTPConfig)
    rate_limit: RateLimiterConfig = field(default_factory=RateLimiterConfig)
    basic_auth_users: Mapping[str, Secret] = field(default_factory=dict)


def parse(data: bytes, file: str) -> Config:
    """Return what *data*, the contents of *file*, says.

    Raises DecodeError: with every mistake as ``file:line:column: text``. Not looked
    at is what upstream looks at only when it starts: see :func:`check`.
    """
    return decode(data, Config, file)


def check(config: Config, data: bytes, file: str) -> None:
    """Refuse *config*, parsed from *data*, if no server can be started with it.

    Raises DecodeError: as :func:`parse`.
    """
    found = [
        Problem(problem, ("basic_auth_users", user))
        for user, hashed in config.basic_auth_users.items()
        if (problem := hash_problem(hashed.reveal()))
    ]
    _refuse([*found, *_tls_problems(config)], data, file)


def check_tls(config: Config, data: bytes, file: str) -> None:
    """Refuse *config* if no handshake can be made with it; see :func:`check`."""
    _refuse(list(_tls_problems(config)), data, file)


def _tls_problems(config: Config) -> Iterator[Problem]:
    tls = config.tls_server_config
    if tls.enabled:
        for text, path in tls.problems_of_use():
            yield Problem(text, ("tls_server_config", *path))


def _refuse(found: Sequence[Problem], data: bytes, file: str) -> None:
    if not found:
        return
    root = compose(data)
    lines = []
    for text, path in found:
        mark = follow(root, path).start_mark
        lines.append(f"{file}:{mark.line + 1}:{mark.column + 1}: {printable(text)}")
    raise DecodeError(lines)

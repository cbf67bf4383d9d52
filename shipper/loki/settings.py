"""What one Loki client needs to know, as plain values."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

from .backoff import Backoff


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are. A ``*_file`` is read before each push, as promtail does."""

    username: str = ""
    username_file: str = ""
    password: str = field(default="", repr=False)
    password_file: str = ""
    scheme: str = ""  # "Bearer" or the type of `authorization`; empty: basic or none
    token: str = field(default="", repr=False)
    token_file: str = ""


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """One entry of ``clients`` in promtail.yaml, with promtail's defaults."""

    url: str  # without user and password
    host: str  # host:port as written in the URL: the label of promtail's metrics
    name: str = ""
    tenant: str = ""
    external_labels: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    credentials: Credentials = field(default_factory=Credentials)
    tls: ssl.SSLContext | None = None
    server_name: str | None = None
    proxy: str | None = None
    follow_redirects: bool = True
    timeout_seconds: float = 10.0
    batch_size_bytes: int = 1 << 20
    batch_wait_seconds: float = 1.0
    backoff: Backoff = field(default_factory=Backoff)
    max_retries: int | None = None  # attempts, as promtail counts; None or 0: for ever
    drop_rate_limited_batches: bool = False


@dataclass(frozen=True, slots=True)
class LineLimit:
    """limits_config.max_line_size and max_line_size_truncate; 0 bytes: any length."""

    max_bytes: int = 0
    truncate: bool = False

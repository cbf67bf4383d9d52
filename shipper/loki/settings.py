"""What one Loki client needs to know, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .backoff import Backoff
from .headers import AddedHeader, Credentials
from .token import OAuth2Settings
from .trip import Trip


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """One entry of ``clients`` in promtail.yaml, with promtail's defaults."""

    url: str  # without user and password
    host: str  # host:port as written in the URL: the label of promtail's metrics
    name: str = ""
    tenant: str = ""
    external_labels: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    added_headers: tuple[AddedHeader, ...] = ()
    credentials: Credentials = field(default_factory=Credentials)
    oauth2: OAuth2Settings | None = None
    trip: Trip = field(default_factory=Trip)
    push_encoding: Literal["protobuf", "json"] = "protobuf"
    follow_redirects: bool = True
    timeout_seconds: float = 10.0
    batch_size_bytes: int = 1 << 20
    batch_wait_seconds: float = 1.0
    backoff: Backoff = field(default_factory=Backoff)
    max_retries: int | None = None  # attempts, as promtail counts; None or 0: for ever
    drop_rate_limited_batches: bool = False


@dataclass(frozen=True, slots=True)
class EntryLimits:
    """What limits_config says about entries, for each client; 0 means no limit."""

    max_streams: int = 0
    max_line_bytes: int = 0
    truncate: bool = False

"""Where a Docker daemon listens, and how long to wait for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit


if TYPE_CHECKING:
    import ssl as ssl_module


@dataclass(frozen=True, slots=True)
class DockerHost:
    """Where a daemon listens: ``unix:///path``, ``tcp://``, ``http://`` or ``https://``.

    *ssl* is used for ``https://``, and for ``tcp://`` when given; *headers* go with
    every request (a proxy may want credentials). *server_name* is what the certificate
    must be of, where that is not the host in *url*.
    """

    url: str
    ssl: ssl_module.SSLContext | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    server_name: str | None = None

    def __post_init__(self) -> None:
        """Refuse a url that cannot be connected to: ValueError with one line."""
        parts = urlsplit(self.url)
        if parts.scheme == "unix" and parts.path:
            return
        if parts.scheme in {"tcp", "http", "https"} and parts.hostname:
            return
        raise ValueError(
            f"docker host {self.url!r}: expected unix:///path, tcp://host:port, "
            "http://host:port or https://host:port"
        )

    @property
    def unix_path(self) -> str | None:
        """The path of the socket, None when the daemon is reached over TCP."""
        parts = urlsplit(self.url)
        return parts.netloc + parts.path if parts.scheme == "unix" else None

    @property
    def address(self) -> tuple[str, int]:
        """Host name and port of a daemon that is reached over TCP."""
        parts = urlsplit(self.url)
        default = {"http": 80, "https": 443}.get(parts.scheme, 2375)
        return parts.hostname or "", parts.port or default

    @property
    def tls(self) -> ssl_module.SSLContext | None:
        """The context to connect with, None for plain text."""
        if self.ssl is None and urlsplit(self.url).scheme == "https":
            import ssl as ssl_module  # noqa: PLC0415 - 4.3 MiB, for those who connect with it

            return ssl_module.create_default_context()
        return self.ssl


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long to wait for a connection, and for the headers of an answer.

    A short answer has to be there as a whole by the time of its headers.
    """

    connect_seconds: float = 5.0
    headers_seconds: float = 30.0

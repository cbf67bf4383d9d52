"""The address of a server or a proxy, its login kept apart from its text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated, Final
from urllib.parse import SplitResult, unquote, urlsplit

from exporters.toolkit.decode import Scalar, Secret
from shipper.http.url import read_url


_CONTROL: Final = re.compile("[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class ClientUrl:
    """An address; *text* has no login in it and may be shown anywhere."""

    text: str = ""
    username: str = ""
    password: Secret = field(default_factory=Secret)

    @property
    def host(self) -> str:
        """Return ``host:port`` as written: promtail's label ``host``."""
        return urlsplit(self.text).netloc

    def __str__(self) -> str:
        return self.text


def parse_client_url(text: str) -> ClientUrl:
    """Return the parts of *text*, ``user:pass@`` taken out of it.

    Go's http client sends that login as basic auth. Raises ValueError, whose text
    does not repeat the URL: it may hold a password.
    """
    if not text:
        return ClientUrl()
    expected = "http://host:port/path"
    parts = _split(text, expected)
    if parts.scheme not in {"http", "https"}:
        raise ValueError(f"not a URL, expected {expected}")
    return _apart(parts, expected)


def parse_proxy_url(text: str) -> ClientUrl:
    """Return the parts of the proxy *text*; ``host:port`` alone means ``http://``.

    Raises ValueError as `parse_client_url` does.
    """
    if not text:
        return ClientUrl()
    expected = "http://host:port or https://host:port"
    parts = _split(text if "://" in text else f"http://{text}", expected)
    if parts.scheme in {"socks5", "socks5h"}:
        raise ValueError(f"SOCKS proxies are not supported, expected {expected}")
    if parts.scheme not in {"http", "https"}:
        raise ValueError(f"not a proxy, expected {expected}")
    return _apart(parts, expected)


def _split(text: str, expected: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(f"not a URL, expected {expected}") from None
    unfit = " " in parts.netloc or _CONTROL.search(text)
    if not parts.hostname or port == 0 or unfit:
        raise ValueError(f"not a URL, expected {expected}")
    return parts


def _apart(parts: SplitResult, expected: str) -> ClientUrl:
    login, _, host = parts.netloc.rpartition("@")
    username, _, password = login.partition(":")
    shown = parts._replace(netloc=host).geturl().replace(" ", "%20")
    try:
        read_url(shown)  # as it will be asked for
    except ValueError:
        raise ValueError(f"not a URL, expected {expected}") from None
    return ClientUrl(shown, unquote(username), Secret(unquote(password)))


Url = Annotated[ClientUrl, Scalar("URLValue", parse_client_url)]
ProxyUrl = Annotated[ClientUrl, Scalar("URL", parse_proxy_url)]

"""The address of a Loki client, its login kept apart from its text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import unquote, urlsplit

from exporters.toolkit.decode import Scalar, Secret


@dataclass(frozen=True, slots=True)
class ClientUrl:
    """A push address; *text* has no login in it and may be shown anywhere."""

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
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("not a URL, expected http://host:port/path") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise ValueError("not a URL, expected http://host:port/path")
    login, _, host = parts.netloc.rpartition("@")
    username, _, password = login.partition(":")
    shown = parts._replace(netloc=host).geturl()
    return ClientUrl(shown, unquote(username), Secret(unquote(password)))


Url = Annotated[ClientUrl, Scalar("URLValue", parse_client_url)]

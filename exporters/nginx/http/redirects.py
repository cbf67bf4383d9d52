"""Decide what is asked for, and what again after a redirect: values in, values out.

The statuses and the count are those of Go's net/http ``client.go``. What a request
carries beside them stays with the first server: Go takes headers to other ports and
subdomains, but drops the credentials of the URI even where the server stays the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from exporters.nginx.errors import ScrapeError
from exporters.nginx.http.headers import Headers
from exporters.nginx.http.pool import Server
from exporters.nginx.http.url import Url, joined, read_url
from exporters.nginx.targets import Target


STATUSES = frozenset({301, 302, 303, 307, 308})

# The usual redirect from http to https.
_UPGRADE = (("http", 80), ("https", 443))

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One GET.

    *public* is what any server may know, *own* what only the one at *first* may:
    credentials and the user's headers, with Host in front if that is one of them.
    *server_name* is for TLS, None for the host.
    """

    url: Url
    first: Url
    public: Fields
    own: Fields = field(default=(), repr=False)
    server_name: str | None = None

    @property
    def headers(self) -> Fields:
        """Return all that is sent, beside the Host of the URL."""
        return self.public + self.own

    @property
    def server(self) -> Server:
        """Return which connections may carry this."""
        return self.url.scheme, self.url.host, self.url.port, self.server_name

    def head(self, *, keep: bool) -> bytes:
        """Return what is sent. Without *keep* the connection ends with the answer."""
        url, own = self.url, self.own
        if not own or own[0][0].lower() != "host":
            own = (("Host", url.authority), *own)
        if not keep:
            own = (*own, ("Connection", "close"))
        host, *rest = own
        lines = [f"{name}: {value}\r\n" for name, value in (host, *self.public, *rest)]
        return f"GET {url.path} HTTP/1.1\r\n{''.join(lines)}\r\n".encode("ascii")


def first_request(
    target: Target, suffix: str, user_agent: str, headers: Headers
) -> Request:
    """Return the request for *target*, *suffix* put after the path of its URL.

    The credentials of a URI win over an Authorization in *headers*, and a User-Agent
    in *headers* over *user_agent*.
    """
    url = read_url(target.url)
    if suffix:
        path, mark, query = url.path.partition("?")
        suffix, more, fields = suffix.partition("?")
        query = "&".join(part for part in (query, fields) if part)
        path = path.rstrip("/") + suffix
        url = url._replace(path=path + (mark or more) + query)
    own = headers.fields
    if target.authorization is not None:
        kept = [pair for pair in own if pair[0].lower() != "authorization"]
        own = (*kept, ("Authorization", target.authorization))
    if headers.host is not None:
        own = (("Host", headers.host), *own)
    # No compression: the page is 110 bytes, and a body is bounded as it is read.
    usual = (("User-Agent", user_agent), ("Accept-Encoding", "identity"))
    named = {name.lower() for name, _ in own}
    public = tuple(pair for pair in usual if pair[0].lower() not in named)
    return Request(url, url, public, own, headers.server_name)


def redirected(request: Request, location: str) -> Request:
    """Return what to ask for after *request* was answered with *location*.

    Raises ScrapeError, which does not show it, for a location that cannot be asked.
    """
    try:
        url = joined(request.url, location)
    except ValueError as error:
        text = "redirected to something that is not an http URL"
        raise ScrapeError(text) from error
    if _same_server(request.first, url):
        return replace(request, url=url)
    # Once elsewhere, nothing is sent again even if the way leads back.
    return replace(request, url=url, own=(), server_name=None)


def _same_server(first: Url, url: Url) -> bool:
    if first.host != url.host:
        return False
    ports = (first.scheme, first.port), (url.scheme, url.port)
    return ports[0] == ports[1] or ports == _UPGRADE

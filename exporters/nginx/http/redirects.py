"""Decide what is asked for, and what again after a redirect: values in, values out.

The statuses and the count are those of Go's net/http ``client.go``. What a request
carries beside them stays with the first server: Go takes headers to other ports and
subdomains, but drops the credentials of the URI even where the server stays the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from yarl import URL

from exporters.nginx.errors import ScrapeError
from exporters.nginx.http.headers import Headers
from exporters.nginx.targets import Target


STATUSES = frozenset({301, 302, 303, 307, 308})

# The usual redirect from http to https.
_UPGRADE = (("http", 80), ("https", 443))

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One GET.

    *public* is what any server may know, *own* what only the one at *first* may:
    credentials and the user's headers. *server_name* is for TLS, None for the host.
    """

    url: URL
    first: URL
    public: Fields
    own: Fields = field(default=(), repr=False)
    server_name: str | None = None

    @property
    def headers(self) -> Fields:
        """Return all that is sent."""
        return self.public + self.own


def first_request(
    target: Target, suffix: str, user_agent: str, headers: Headers
) -> Request:
    """Return the request for *target*, *suffix* put after the path of its URL.

    The credentials of a URI win over an Authorization in *headers*, and a User-Agent
    in *headers* over *user_agent*.
    """
    url = URL(target.url)
    if suffix:
        path = url.raw_path.rstrip("/") + suffix
        url = url.with_path(path, encoded=True, keep_query=True)
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
        url = request.url.join(URL(location))
        usable = url.scheme in {"http", "https"} and bool(url.host)
    except ValueError:
        usable = False
    if not usable:
        raise ScrapeError("redirected to something that is not an http URL")
    url = url.with_user(None)
    if _same_server(request.first, url):
        return replace(request, url=url)
    # Once elsewhere, nothing is sent again even if the way leads back.
    return replace(request, url=url, own=(), server_name=None)


def _same_server(first: URL, url: URL) -> bool:
    if first.host != url.host:
        return False
    ports = (first.scheme, first.port), (url.scheme, url.port)
    return ports[0] == ports[1] or ports == _UPGRADE

"""Read URLs, as Go's net/url does where a request is made of them: text in, values out.

What is asked for is what was written. Only what no request line can hold is encoded;
the normal form of RFC 3986 is for comparing.
"""

from __future__ import annotations

import re
import socket
from typing import NamedTuple
from urllib.parse import SplitResult, quote, urlsplit


PORTS = {"http": 80, "https": 443}

# RFC 3986 appendix A: what may stand in a path and a query as it is.
_UNRESERVED = r"A-Za-z0-9._~\-"
_SENDABLE = "!$%&'()*+,/:;=?@[]~"
_HOST = re.compile(rf"[{_UNRESERVED}!$&'()*+,;=%]+")

_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})|%|[\[\]]")
# Escapes of these are needless, but not those that tell them from separators.
_NEEDLESS_IN_PATH = re.compile(rf"[{_UNRESERVED}!$&'()*,;=:@]")
_NEEDLESS_IN_QUERY = re.compile(rf"[{_UNRESERVED}!$'()*,:@/?]")


class Url(NamedTuple):
    """A server and what to ask it for.

    *host* is in lower case and as DNS has it, an IPv6 address without brackets.
    *path* begins with a slash and has the query, all of it as it is sent.
    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def name(self) -> str:
        """Return *host* as servers know themselves: no zone, no dot at its end."""
        return self.host.partition("%")[0].removesuffix(".")

    @property
    def authority(self) -> str:
        """Return host and port as the header Host has them."""
        host = f"[{self.name}]" if ":" in self.host else self.name
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        """Return the URL; a secret may stand in its query."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"


def read_url(text: str) -> Url:
    """Return the URL that *text* is, less credentials and fragment.

    Raises ValueError, without a text for the user, for what is not http or https and
    for what names no host.
    """
    parts = urlsplit(text)
    if parts.scheme not in PORTS or not parts.hostname:
        raise ValueError(text)
    port = parts.port
    path = quote(parts.path, safe=_SENDABLE)
    if path[:1] != "/":
        path = f"/{path}"
    if parts.query:
        path += "?" + quote(parts.query, safe=_SENDABLE)
    return Url(
        parts.scheme,
        _host(parts),
        PORTS[parts.scheme] if port is None else port,
        path,
    )


def joined(base: Url, reference: str) -> Url:
    """Return what *reference* means to who read it at *base* (RFC 3986 §5.2.2).

    Raises ValueError where that is no URL.
    """
    parts = urlsplit(reference)
    if parts.scheme or parts.netloc:
        url = read_url(reference if parts.scheme else f"{base.scheme}:{reference}")
        return url._replace(path=without_dots(url.path))
    path = quote(parts.path, safe=_SENDABLE)
    if path[:1] != "/":
        folder, _, name = base.path.partition("?")[0].rpartition("/")
        path = f"{folder}/{path or name}"
    if parts.query:
        path += "?" + quote(parts.query, safe=_SENDABLE)
    return base._replace(path=without_dots(path))


def without_dots(path: str) -> str:
    """Return *path* without ``.`` and ``..`` (RFC 3986 §5.2.4), its query as it is."""
    plain, mark, query = path.partition("?")
    segments: list[str] = []
    for segment in (given := plain.split("/")[1:]):
        if segment == "..":
            del segments[-1:]
        elif segment != ".":
            segments.append(segment)
    if given[-1] in {".", ".."}:
        segments.append("")
    return f"/{'/'.join(segments)}{mark}{query}"


def normal_path(path: str) -> str:
    """Return *path*, which may have a query, in its one form (RFC 3986 §6.2.2)."""
    plain, mark, query = without_dots(path).partition("?")
    plain = _ESCAPE.sub(lambda found: _normal(found, _NEEDLESS_IN_PATH), plain)
    query = _ESCAPE.sub(lambda found: _normal(found, _NEEDLESS_IN_QUERY), query)
    return f"{plain}{mark}{query}"


def to_ascii(name: str) -> str:
    """Return *name* with its labels as DNS knows them: ``xn--…`` (UTS 46).

    Raises ValueError for what cannot be one.
    """
    if name.isascii():
        return name
    import idna  # noqa: PLC0415 -- 1 MiB of tables that hardly anybody needs

    return idna.encode(name, uts46=True).decode()


def is_address(host: str) -> bool:
    """Return whether *host* is an IP address; an IPv6 one may have a zone."""
    return _packs(socket.AF_INET, host) or _packs(
        socket.AF_INET6, host.partition("%")[0]
    )


def _packs(family: int, text: str) -> bool:
    try:
        socket.inet_pton(family, text)
    except (OSError, ValueError):
        return False
    return True


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if "[" in parts.netloc:
        return _ipv6(host)
    host = to_ascii(host)
    if _HOST.fullmatch(host) is None:
        raise ValueError(host)
    return host


def _ipv6(text: str) -> str:
    address, percent, zone = text.partition("%")
    try:
        packed = socket.inet_pton(socket.AF_INET6, address)
    except OSError as error:
        raise ValueError(text) from error
    # In a URI the sign in front of a zone is escaped (RFC 6874).
    zone = zone.removeprefix("25") if percent else ""
    plain = socket.inet_ntop(socket.AF_INET6, packed)
    return f"{plain}%{zone}" if zone else plain


def _normal(found: re.Match[str], needless: re.Pattern[str]) -> str:
    if found[1] is None:
        return quote(found[0], safe="")
    character = chr(int(found[1], 16))
    if needless.fullmatch(character):
        return character
    return found[0].upper()

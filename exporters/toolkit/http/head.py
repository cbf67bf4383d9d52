"""Read the head of a request: its first line and its headers, all at once.

Upstream counterpart: Go's ``net/http``, readRequest of ``request.go`` and
``server.go``, and ``net/textproto``; what is refused is answered in their words.
"""

from __future__ import annotations

import re

from .request import Headers, Request


MAX_LINE_BYTES = 8190

# A field's name; one with a blank gets an answer of its own.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z -]+")
_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VERSION = re.compile(r"HTTP/([0-9])\.([0-9])", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9!$%&'()*+,\-.:;=\[\]_~]*")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_FOLD = re.compile(r"[ \t]*\n[ \t]+")
_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)
_LARGEST = (1 << 63) - 1

_BAD = "400 Bad Request"
TOO_LARGE = "431 Request Header Fields Too Large"
_VERSION_UNKNOWN = "505 HTTP Version Not Supported: unsupported protocol version"


class Refused(Exception):  # noqa: N818 -- an answer to the client, not a fault
    """The request is answered with *status* and the connection closed."""

    def __init__(self, status: str = _BAD, text: str = "") -> None:
        super().__init__(status)
        self.status = status
        self.text = text or status


def parse_head(head: bytes) -> Request:
    """Return the request whose first line and headers are *head*.

    Raises Refused.
    """
    text = head.decode("utf-8", "surrogateescape").replace("\r\n", "\n").rstrip("\n")
    if _CONTROL.search(text):
        raise Refused
    first, _, fields = text.partition("\n")
    method, target, version = _first_line(first)
    headers = _headers(fields)
    try:
        minor = version[1] if version[0] == 1 else 1
        request = Request(method, target, Headers(headers), minor)
    except ValueError:
        raise Refused from None
    if len(headers.get("host", ())) > 1:
        raise Refused
    request.length = _body_length(request)
    _check(request, version[0])
    request.keep_alive = _keeps_alive(request)
    return request


def check_first_line(line: bytes) -> None:
    """Raise Refused if *line* cannot begin a request."""
    text = line.decode("utf-8", "surrogateescape").removesuffix("\r")
    if _CONTROL.search(text):
        raise Refused
    _first_line(text)


def _first_line(line: str) -> tuple[str, str, tuple[int, int]]:
    method, _, rest = line.partition(" ")
    target, _, version = rest.partition(" ")
    known = _VERSION.fullmatch(version)
    if known is None or _METHOD.fullmatch(method) is None or not target:
        raise Refused
    if "\t" in target:
        raise Refused
    return method, target, (int(known[1]), int(known[2]))


def _headers(text: str) -> dict[str, list[str]]:
    """Return the values of each name in lower case."""
    if text.startswith((" ", "\t")):
        raise Refused
    if "\n " in text or "\n\t" in text:  # a long one on several lines
        text = _FOLD.sub(" ", text)
    found: dict[str, list[str]] = {}
    for line in text.split("\n") if text else ():
        name, colon, value = line.partition(":")
        if not colon or _NAME.fullmatch(name) is None:
            raise Refused
        found.setdefault(name.lower(), []).append(value.strip(" \t"))
    return found


def _body_length(request: Request) -> int | None:
    codings = request.headers.getall("transfer-encoding")
    if codings and request.minor > 0:
        if len(codings) > 1 or codings[0].lower() != "chunked":
            text = "Unsupported transfer encoding"
            raise Refused("501 Not Implemented", text)
        return None
    lengths = set(request.headers.getall("content-length"))
    if len(lengths) > 1:
        raise Refused
    length = lengths.pop() if lengths else ""
    if not length:
        return 0
    if _LENGTH.fullmatch(length.lstrip("0") or "0") is None or int(length) > _LARGEST:
        raise Refused
    return int(length)


def _check(request: Request, major: int) -> None:
    """Raise Refused for what Go finds only when all has been read."""
    upgrade = (request.method, request.target) == ("PRI", "*")  # to HTTP/2
    if major != 1 and not upgrade:
        raise Refused(_VERSION_UNKNOWN)
    hosts = request.headers.getall("host")
    needed = request.minor > 0 and request.method != "CONNECT" and not upgrade
    if needed and not hosts:
        raise Refused(f"{_BAD}: missing required Host header")
    if hosts and _HOST.fullmatch(hosts[0]) is None:
        raise Refused(f"{_BAD}: malformed Host header")
    if request.headers.have_blanks():
        raise Refused(f"{_BAD}: invalid header name")


def _keeps_alive(request: Request) -> bool:
    if request.method == "CONNECT":
        return False
    words = request.headers.tokens("connection")
    return "close" not in words and (request.minor > 0 or "keep-alive" in words)

"""Read what a request asks for: the target of its first line, its path and query.

Upstream counterpart: Go's ``net/url``: ParseRequestURI, ParseQuery, and String for
the path of a redirect. Bytes that are no UTF-8 are kept as surrogates.
"""

from __future__ import annotations

import posixpath
import re
from typing import NamedTuple


# A scheme, then what is not the path: user, host and port.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_AUTHORITY = re.compile(
    r"(?:[^/@%<>\"\s]*@)?(?:\[[^\]/%]*\]|[^/\[\]@%:<>\"\s\\^`{|}]*)(?::[0-9]*)?"
)
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_ESCAPED_IN_PATH = re.compile(rb"[^A-Za-z0-9$&+,/:;=@._~-]")


class Target(NamedTuple):
    """The path, percent signs undone, and the query as it was sent.

    The path is empty where a target has none: ``http://host``, a CONNECT.
    """

    path: str
    query: str


def parse_target(text: str, *, connect: bool = False) -> Target:
    """Return what *text* asks for; with *connect* it may be a host alone.

    Raises:
        ValueError: it is neither an absolute path nor an absolute URI.
    """
    if text == "*":
        return Target("*", "")
    if connect and not text.startswith("/"):
        text = f"http://{text}"
    path, _, query = text.partition("?")
    if not path.startswith("/"):
        path = _behind_authority(path)
    return Target(unescape(path), query)


def _behind_authority(uri: str) -> str:
    scheme = _SCHEME.match(uri)
    if scheme is None:
        raise ValueError("invalid URI for request")
    rest = uri[scheme.end() :]
    if not rest.startswith("//"):
        return rest if rest.startswith("/") else ""  # "mailto:x" has no path
    authority, slash, path = rest[2:].partition("/")
    if _AUTHORITY.fullmatch(authority) is None:
        raise ValueError("invalid host")
    return slash + path


def unescape(text: str) -> str:
    """Return *text* with each ``%XX`` as its byte; raises ValueError for half ones."""
    if "%" not in text:
        return text
    if _BAD_PERCENT.search(text):
        raise ValueError("invalid URL escape")
    data = _PERCENT.sub(_byte, text.encode("utf-8", "surrogateescape"))
    return data.decode("utf-8", "surrogateescape")


def _byte(match: re.Match[bytes]) -> bytes:
    return bytes((int(match[1], 16),))


def parse_query(text: str) -> dict[str, list[str]]:
    """Return the values of each name in the query *text*.

    As Go: what has a semicolon or a broken escape is left out.
    """
    found: dict[str, list[str]] = {}
    for pair in text.split("&") if text else ():
        if not pair or ";" in pair:
            continue
        name, _, value = pair.replace("+", " ").partition("=")
        try:
            found.setdefault(unescape(name), []).append(unescape(value))
        except ValueError:
            continue
    return {name: values for name, values in found.items() if values}


def clean_path(path: str) -> str:
    """Return *path* without ``//``, ``.`` and ``..``; a slash at its end stays."""
    clean = "/" + posixpath.normpath(path).lstrip("/") if path else "/"
    if path.endswith("/") and clean != "/":
        clean += "/"
    return clean


def escape_path(path: str) -> str:
    """Return *path* as a URI has it."""
    data = path.encode("utf-8", "surrogateescape")
    return _ESCAPED_IN_PATH.sub(_percent, data).decode("ascii")


def _percent(match: re.Match[bytes]) -> bytes:
    return b"%%%02X" % ord(match[0])


def escape_non_ascii(text: str) -> str:
    """Return *text* with ``%xx`` for the bytes that no header may have."""
    data = text.encode("utf-8", "surrogateescape")
    return "".join([chr(byte) if byte < 0x80 else f"%{byte:02x}" for byte in data])

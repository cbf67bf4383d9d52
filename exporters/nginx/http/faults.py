"""Say in one line why nginx could not be read: exceptions in, text out.

No text holds a URL: that of a redirect may carry credentials.
"""

from __future__ import annotations

import os
import re
import socket
import ssl  # only used where an error is one of its: it may not be loaded
from typing import TypeGuard

from exporters.nginx.errors import ScrapeError


# What a server sends may be a line without an end.
MAX_CHARACTERS = 200

# "[Errno 111] Connect call failed ('::1', 80)", one for each address of a name.
_ERRNO = re.compile(r"\[Errno (\d+)\]")

# A place in the source of Python, which tells nobody anything.
_SSL_SOURCE = re.compile(r" ?\(_ssl\.c:\d+\)")
# What OpenSSL says where the other side does not speak TLS.
_NO_TLS = ("WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG")

# What most often is behind a status. nginx (ngx_http_special_response.c) says 400 for
# HTTP where it expects TLS.
_STATUS_HINTS = {
    403: "are this exporter's addresses allowed there?",
    404: "is there a location with stub_status?",
}
_EXPECTS_TLS = b"The plain HTTP request was sent to HTTPS port"


def unreachable(where: str, error: OSError) -> ScrapeError:
    """Return the error that *error* is, met while *where* ("host:80") was reached."""
    if isinstance(error, socket.gaierror):
        return ScrapeError(f"look up host {where.rpartition(':')[0]}: {reason(error)}")
    return ScrapeError(f"connect to {where}: {reason(error)}")


def refusal(status: int, body: bytes) -> str:
    """Return what to say of an answer with *status* that is not 200."""
    hint = _STATUS_HINTS.get(status, "")
    if status == 400 and _EXPECTS_TLS in body:
        hint = "is this port https://?"
    text = f"expected 200 response, got {status}"
    return f"{text}: {hint}" if hint else text


def reason(error: Exception) -> str:
    """Return what the system said, in the words of strerror(3)."""
    if _is_tls(error):
        return _tls(error)
    if not isinstance(error, OSError):
        return f"{type(error).__name__} while asking, expected an HTTP response"
    if isinstance(error, socket.gaierror):
        return _line(error.strerror or str(error))
    # asyncio replaces the kernel's text by "Connect call failed ('::1', 80)".
    if error.errno is not None:
        return os.strerror(error.errno)
    if isinstance(error, ConnectionResetError) and not error.args:
        return "connection closed during the TLS handshake"  # asyncio/sslproto.py
    text = error.strerror or str(error) or type(error).__name__
    # A name with several addresses: each may have failed in its own way.
    numbers = dict.fromkeys(int(number) for number in _ERRNO.findall(text))
    return ", ".join(map(os.strerror, numbers)) or _line(text)


def _is_tls(error: Exception) -> TypeGuard[ssl.SSLError]:
    return type(error).__module__ == "ssl" and isinstance(error, ssl.SSLError)


def _tls(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        text = error.verify_message or str(error)
        return f"certificate verify failed: {_line(text)}"
    text = _line(_SSL_SOURCE.sub("", error.strerror or str(error)))
    if any(name in text for name in _NO_TLS):
        return f"{text}: expected TLS, is this port http://?"
    return text


def _line(text: str) -> str:
    line = " ".join(text.split())
    return f"{line[:MAX_CHARACTERS]}..." if len(line) > MAX_CHARACTERS else line

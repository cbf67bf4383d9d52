"""What a request is answered with, and its bytes as Go's server writes them."""

from __future__ import annotations

import time

from .dates import http_date
from .head import Refused
from .request import Request


_TEXT = "text/plain; charset=utf-8"
# The words of Go's StatusText.
WORDS = {
    200: "OK",
    204: "No Content",
    301: "Moved Permanently",
    303: "See Other",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    417: "Expectation Failed",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


class Response:
    """An answer: *headers* as they are to be spelled, and all of the *body*.

    *closes*: no other request is read behind this one.
    """

    __slots__ = ("body", "closes", "headers", "status")

    def __init__(
        self,
        status: int = 200,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        *,
        closes: bool = False,
    ) -> None:
        self.status = status
        self.headers = {} if headers is None else headers
        self.body = body
        self.closes = closes


def text_response(
    text: str, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """Return *text* as plain text; bytes that were no UTF-8 are themselves again."""
    body = text.encode("utf-8", "surrogateescape")
    return Response(status, {"Content-Type": _TEXT, **(headers or {})}, body)


def text_answer(status: int, text: str) -> Response:
    """Return *text* as Go's ``http.Error`` answers it."""
    return text_response(text, status, {"X-Content-Type-Options": "nosniff"})


def encode(response: Response, request: Request, *, keep_alive: bool) -> bytes:
    """Return *response* to *request* in one piece, to be sent by one call."""
    status = response.status
    words = WORDS.get(status) or f"status code {status}"
    lines = [
        f"HTTP/1.{1 if request.minor else 0} {status} {words}",
        *[f"{name}: {value}" for name, value in response.headers.items()],
        f"Date: {http_date(int(time.time()))}",
    ]
    if status != 204:
        lines.append(f"Content-Length: {len(response.body)}")
    if keep_alive != (request.minor > 0):  # not what goes without saying
        lines.append(f"Connection: {'keep-alive' if keep_alive else 'close'}")
    head = "\r\n".join([*lines, "\r\n"]).encode("utf-8", "surrogateescape")
    return head if request.method == "HEAD" else head + response.body


def encode_refusal(refusal: Refused) -> bytes:
    """Return the answer to what is no request."""
    head = f"HTTP/1.1 {refusal.status}\r\nContent-Type: {_TEXT}\r\nConnection: close"
    return f"{head}\r\n\r\n{refusal.text}".encode()

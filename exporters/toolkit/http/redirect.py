"""Send a client to where the page is (net/http, ``Redirect``)."""

from __future__ import annotations

from .request import Request
from .response import WORDS, Response
from .target import escape_non_ascii


_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"}
)


def redirect(request: Request, target: str, status: int = 301) -> Response:
    """Answer *request* with *status* and *target*, to which its query is added."""
    if request.raw_query:
        target = f"{target}?{request.raw_query}"
    headers = {"Location": escape_non_ascii(target)}
    if request.method not in {"GET", "HEAD"}:
        return Response(status, headers)
    page = f'<a href="{target.translate(_ESCAPES)}">{WORDS[status]}</a>.\n\n'
    headers = {"Content-Type": "text/html; charset=utf-8", **headers}
    return Response(status, headers, page.encode("utf-8", "surrogateescape"))

"""What the server says before any handler is asked (net/http ``server.go``)."""

from __future__ import annotations

from .request import Request
from .response import Response


def by_itself(request: Request) -> Response | None:
    """Return the answer to *request* that is no handler's business."""
    expected = request.headers.get("expect")
    if expected and "100-continue" not in request.headers.tokens("expect"):
        return Response(417, closes=True)
    if request.target != "*":
        return None
    return Response() if request.method == "OPTIONS" else Response(400, closes=True)

"""Take a CGI response apart: bytes in, status and body out (RFC 3875, section 6)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from exporters.nginx.fpm.errors import FpmError
from exporters.nginx.stub_status import excerpt


_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"^Status:([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_CODE = re.compile(rb"[ \t]*([0-9]{3})(?![0-9])")


@dataclass(frozen=True, slots=True)
class Response:
    """What a script answered: a body and an HTTP status, 200 unless it says another."""

    status: int
    body: bytes


def parse_response(output: bytes) -> Response:
    """Return the status and the body in *output*, what a script wrote to stdout.

    Raises FpmError, and nothing else, where there are no headers.
    """
    blank = _BLANK_LINE.search(output)
    if blank is None:
        raise FpmError(f"expected CGI headers and a body, got {excerpt(output)}")
    return Response(_status(output[: blank.start()]), output[blank.end() :])


def _status(headers: bytes) -> int:
    header = _STATUS.search(headers)
    if header is None:
        return 200
    code = _CODE.match(header[1])
    if code is None:
        raise FpmError(f"header Status: expected a number, got {excerpt(header[1])}")
    return int(code[1])

"""Take JSON documents apart as Go's encoding/json does: bytes in, values out.

``null`` leaves the zero value wherever it stands, a key nobody asks for is ignored,
and a value of another type is an error that says where it stands.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from exporters.nginx.errors import ScrapeError
from exporters.nginx.stub_status import EXCERPT_BYTES, excerpt


# Keys and positions on the way to a value.
Where = tuple[str | int, ...]


class DocumentError(ScrapeError):
    """Report the *value* that stands at *where* in a document."""

    def __init__(self, where: Where, expected: str, value: object) -> None:
        super().__init__(f"{_path(where)}: expected {expected}, got {_shown(value)}")


def parse(body: bytes) -> object:
    """Return the document in *body*.

    Bytes that are not UTF-8 become U+FFFD, as in Go. Raises ScrapeError, and nothing
    else, for what is not JSON.
    """
    try:
        return json.loads(body.decode("utf-8", "replace"), parse_constant=_no_number)
    except RecursionError:
        reason = "nested too deeply"
    except json.JSONDecodeError as error:
        reason = f"{error.msg} at character {error.pos}"
    except ValueError as error:  # an integer of more digits than int() reads
        reason = str(error)
    raise ScrapeError(f"expected JSON, got {excerpt(body)}: {reason}")


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a JSON number")


def mapping(value: object, where: Where) -> dict[str, object]:
    """Return *value*, an object; raise DocumentError if it is something else."""
    if isinstance(value, dict):
        return value
    if value is None:
        return {}
    raise DocumentError(where, "an object", value)


def items(value: object, where: Where) -> list[Any]:
    """Return *value*, a list; raise DocumentError if it is something else."""
    if isinstance(value, list):
        return value
    if value is None:
        return []
    raise DocumentError(where, "a list", value)


def text(value: object, where: Where) -> str:
    """Return *value*, a string in valid Unicode; raise DocumentError if it is none."""
    if isinstance(value, str):
        return value if value.isascii() else _without_surrogates(value)
    if value is None:
        return ""
    raise DocumentError(where, "a string", value)


def _without_surrogates(value: str) -> str:
    # "\ud800" alone is legal JSON and no text: Go reads it as U+FFFD, too.
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _path(where: Where) -> str:
    return "".join(map(_step, where)).removeprefix(".") or "document"


def _step(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    if part.isprintable() and 0 < len(part) <= EXCERPT_BYTES:
        return f".{part}"
    return f".{excerpt(part.encode('utf-8', 'surrogatepass'))}"


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return excerpt(json.dumps(value).encode())

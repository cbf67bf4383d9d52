"""What kind of query a text is: LogQL for lines, LogQL for numbers, or a bare word."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Sequence
from typing import Final, NamedTuple


NAME_LABELS: Final = (
    "container_name", "container", "compose_service", "service", "service_name",
    "app", "job",
)  # fmt: skip
"""Labels that may hold the name people know, the likeliest first."""

_BARE: Final = re.compile(r"\s*([\w./-]+)\s*((?:\|=|\|~|!=|!~|\|)[\s\S]*)?")
_COMMENT: Final = re.compile(r"#[^\n]*")


class Bare(NamedTuple):
    """A name, and the filters behind it."""

    name: str
    rest: str

    def query(self, label: str) -> str:
        """Return the LogQL for lines whose *label* is the name."""
        text = f"{{{label}={json.dumps(self.name, ensure_ascii=False)}}}"
        return f"{text} {self.rest}" if self.rest else text


def parse_bare(query: str) -> Bare | None:
    """Return *query* as a bare word with filters (``nginx |= "x"``), or None."""
    found = _BARE.fullmatch(query)
    return Bare(found[1], (found[2] or "").strip()) if found else None


def is_metric(query: str) -> bool:
    """Return whether *query* asks for numbers: lines are asked for with ``{``."""
    bare = _COMMENT.sub("", query) if query.lstrip().startswith("#") else query
    return not bare.lstrip(" \t\r\n(").startswith("{")


def unknown_name(name: str, known: Sequence[str]) -> str:
    """Return the hint for a *name* that is none of *known*."""
    if not known:
        return "nothing was logged in this time; --since 24h looks further back"
    near = difflib.get_close_matches(name, known, 5) or sorted(known)[:15]
    return f"there are: {', '.join(near)}{', ...' if len(known) > len(near) else ''}"

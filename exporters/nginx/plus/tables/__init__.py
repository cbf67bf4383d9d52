"""What is in the records of the API: names, types and HELP texts are upstream's."""

from __future__ import annotations


# The labels that a record has of its own; "code" is not among them because upstream
# lets a constant label of that name stand.
LABELS = frozenset(
    {
        "id",
        "location_zone",
        "pid",
        "resolver",
        "server",
        "server_zone",
        "upstream",
        "zone",
    }
)

"""The values of a metric query as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .errors import LogsError
from .lines import NOT_LOKI
from .paint import label_text, to_json
from .safe import escaped


def parse_values(data: Mapping[str, Any]) -> list[tuple[dict[str, str], str]]:
    """Return (labels, value) of an instant query's *data*, in its order.

    Raises:
        LogsError: *data* is no vector and no scalar.
    """
    kind, result = data.get("resultType"), data.get("result")
    try:
        if kind == "scalar":
            return [({}, str(result[1]))]  # type: ignore[index] # TypeError is caught
        if kind == "vector":
            return [
                (dict(sample["metric"]), str(sample["value"][1]))
                for sample in result or ()
            ]
    except (TypeError, ValueError, LookupError):
        pass
    raise LogsError(f"{NOT_LOKI}: {str(kind)[:40]!r} instead of values")


def rows(values: list[tuple[dict[str, str], str]], output: str) -> Iterator[str]:
    """Yield a line for each value: a right-aligned number and its labels."""
    width = max((len(value) for _, value in values), default=0)
    for labels, value in values:
        if output == "jsonl":
            yield to_json({"labels": labels, "value": value}) + "\n"
        elif output == "raw":
            yield escaped(value) + "\n"
        else:
            text = label_text(labels) if labels else ""
            yield escaped(f"{value.rjust(width)}  {text}".rstrip()) + "\n"

"""A rate in a stage's keys; it may be quoted (mapstructure's WeakDecode)."""

from __future__ import annotations

from typing import Annotated

from exporters.toolkit.decode import Scalar
from exporters.toolkit.gotext import parse_float


def _rate(text: str) -> float:
    try:
        return parse_float(text.replace("_", ""))
    except ValueError:
        raise ValueError(f"expected a number, got {text[:40]!r}") from None


Rate = Annotated[float, Scalar("float64", _rate)]

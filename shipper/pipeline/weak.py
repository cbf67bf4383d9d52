"""Numbers and switches that may be quoted (mapstructure's WeakDecode).

promtail reads the keys of its stages so: ``max_lines: "64"``, ``rate: "0.5"``.
"""

from __future__ import annotations

from typing import Annotated

from exporters.toolkit.decode import Scalar
from exporters.toolkit.gotext import parse_bool, parse_float, parse_int
from exporters.toolkit.yaml_nodes import FALSE, TRUE


def _count(text: str) -> int:
    plain = text.replace("_", "")
    try:
        return int(plain, 0) if plain[:2].lower() in {"0x", "0b"} else parse_int(plain)
    except ValueError:
        raise ValueError(f"expected a whole number, got {text[:40]!r}") from None


def _rate(text: str) -> float:
    try:
        return parse_float(text.replace("_", ""))
    except ValueError:
        raise ValueError(f"expected a number, got {text[:40]!r}") from None


def _flag(text: str) -> bool:
    if text.lower() in TRUE | FALSE:
        return text.lower() in TRUE
    return parse_bool(text)


Count = Annotated[int, Scalar("int", _count)]
Rate = Annotated[float, Scalar("float64", _rate)]
Flag = Annotated[bool, Scalar("bool", _flag)]

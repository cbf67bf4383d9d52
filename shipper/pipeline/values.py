"""Extracted values and how Go spells them (promtail logentry/stages/util.go).

A value is what JSON can hold: text, number, bool, nothing, or a list or map of these.
"""

from __future__ import annotations

from decimal import Decimal
from math import isinf, isnan
from typing import Any


def text_of(value: Any) -> str | None:
    """Return *value* as text (upstream getString), None when it has none.

    A number has no exponent: ``1.50`` is "1.5", ``1e21`` "1000000000000000000000".
    Null, lists and maps are not text.
    """
    if type(value) is str:  # nearly always
        return value
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return format_float(value)
    return None


def format_float(value: float) -> str:
    """Return *value* with as few digits as tell it apart: Go's FormatFloat 'f', -1."""
    if isnan(value):
        return "NaN"
    if isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = repr(value)
    if "e" in text:
        text = format(Decimal(text), "f")
    return text.removesuffix(".0")


def is_utf8(text: str) -> bool:
    """Say whether *text* holds no byte that was no UTF-8: else it can be no label."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

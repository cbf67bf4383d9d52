r"""JSON as promtail reads and writes it (json-iterator): numbers are float64.

Text keeps bytes that are no UTF-8 as surrogates when it is read; written, each is
U+FFFD. Half a surrogate pair (``\ud800``) is read as U+FFFD.
"""

from __future__ import annotations

import json
import re
from math import isinf
from typing import Any, Final, NoReturn

from .values import format_float


class MalformedError(ValueError):
    """Report text that is no JSON object."""


_HALF_PAIR: Final = re.compile(r"\\u[dD][89a-fA-F]")
_ESCAPES: Final = re.compile(
    r"\\(?:u([dD][89a-fA-F][0-9a-fA-F]{2})(?:\\u([0-9a-fA-F]{4}))?|.)", re.DOTALL
)
_PAIR: Final = re.compile(r"[dD][89abAB]..[dD][c-fC-F]..")
_UNSAFE: Final = re.compile("[\x00-\x1f<>&\u2028\u2029\ud800-\udfff]")
_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def parse_object(text: str) -> dict[str, Any]:
    """Return the JSON object that *text* is; ``null`` is an empty one.

    Raises MalformedError.
    """
    if _HALF_PAIR.search(text):
        text = _ESCAPES.sub(_whole, text)
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"malformed json: {error}") from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedError("malformed json: it is no object")
    return value


def marshal(value: Any) -> str:
    """Return *value* as compact JSON, the keys sorted.

    Go escapes what HTML would take for markup; promtail's order of keys is random.
    """
    match value:
        case str():
            # Quotes are many where JSON is in JSON: a call for each was ten times this.
            quoted = value.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{_UNSAFE.sub(_escape, quoted)}"'
        case None | bool():
            return "null" if value is None else str(value).lower()
        case int() | float():
            return _number_text(float(value))
        case dict():
            pairs = sorted(value.items())
            return f"{{{','.join(f'{marshal(k)}:{marshal(v)}' for k, v in pairs)}}}"
        case list():
            return f"[{','.join(map(marshal, value))}]"
    raise TypeError(f"cannot write {type(value).__name__} as JSON")


def _number(text: str) -> float:
    value = float(text)
    if isinf(value):
        raise MalformedError(f"value out of range: {text}")
    return value


def _no_number(text: str) -> NoReturn:
    raise MalformedError(f"{text} is not JSON")


_DECODER: Final = json.JSONDecoder(
    parse_float=_number, parse_int=_number, parse_constant=_no_number
)


def _whole(escape: re.Match[str]) -> str:
    """Replace what is half a pair; an escape that follows it goes with it, as in Go."""
    first, second = escape.groups()
    if first is None or (second and _PAIR.fullmatch(first + second)):
        return escape[0]
    if second and not _HALF_PAIR.match(f"\\u{second}"):
        return f"\\ufffd\\u{second}"
    return "\\ufffd" * (2 if second else 1)


def _number_text(value: float) -> str:
    """Return *value* with an exponent where JavaScript would have one."""
    if value and not 1e-6 <= abs(value) < 1e21:
        return repr(value)
    return format_float(value)


def _escape(found: re.Match[str]) -> str:
    char = found[0]
    code = ord(char)
    if 0xD800 <= code <= 0xDFFF:
        return "\\ufffd"
    return _SHORT.get(char) or f"\\u{code:04x}"

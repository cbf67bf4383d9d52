"""promtail's functions on text, and those of sprig that count bytes.

A byte that is no UTF-8 is a surrogate here; where Go would leave half a character, so
does this.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from shipper.pipeline.text import to_bytes, to_text

from .bounds import check


# Go's unicode.IsSpace; str.strip() would take four control characters more.
_SPACE: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    "\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
# What Unicode maps to one character where Python has several.
_UPPER: Final = {"\u0149": "\u0149", "\u01f0": "\u01f0", "\u0390": "\u0390"}


def to_upper(text: str) -> str:
    """Return *text* with each character's own capital, ß as it is (ToUpper)."""
    if text.isascii():
        return text.upper()
    return "".join(map(_upper, text))


def to_lower(text: str) -> str:
    """Return *text* with each character's own small letter (ToLower)."""
    if text.isascii():
        return text.lower()
    return "".join(map(_lower, text))


def _replace(text: str, old: str, new: str, count: int) -> str:
    check(len(new) * text.count(old))
    return text.replace(old, new, count)


def _sprig_replace(old: str, new: str, text: str) -> str:
    return _replace(text, old, new, -1)


def _trim(text: str, cutset: str) -> str:
    return text.strip(cutset)


def _trim_left(text: str, cutset: str) -> str:
    return text.lstrip(cutset)


def _trim_right(text: str, cutset: str) -> str:
    return text.rstrip(cutset)


def _trim_prefix(text: str, prefix: str) -> str:
    return text.removeprefix(prefix)


def _trim_suffix(text: str, suffix: str) -> str:
    return text.removesuffix(suffix)


def _trim_space(text: str) -> str:
    return text.strip(_SPACE)


def _hash(salt: str, text: str) -> str:
    return hashlib.sha3_256(to_bytes(salt + text)).hexdigest()


def _sha2_hash(salt: str, text: str) -> str:
    return hashlib.sha256(to_bytes(salt + text)).hexdigest()


def _sum(kind: str) -> Callable[[str], str]:
    def digest(text: str) -> str:
        return hashlib.new(kind, to_bytes(text)).hexdigest()

    return digest


def _b64enc(text: str) -> str:
    return base64.b64encode(to_bytes(text)).decode()


def _trunc(count: int, text: str) -> str:
    data = to_bytes(text)
    if count < 0:
        return to_text(data[count:])
    return to_text(data[:count])


def _substr(start: int, end: int, text: str) -> str:
    data = to_bytes(text)
    if start < 0:
        return to_text(data[: max(end, 0)])
    if end < 0 or end > len(data):
        end = len(data)
    if start > end:
        raise ValueError(f"slice bounds out of range [{start}:{end}]")
    return to_text(data[start:end])


def _no_space(text: str) -> str:
    return "".join(char for char in text if char not in _SPACE)


def _length(value: Any) -> int:
    if isinstance(value, str):
        return len(to_bytes(value))
    return len(value)


def _upper(char: str) -> str:
    upper = _UPPER.get(char) or char.upper()
    if len(upper) > 1:
        title = char.title()
        return title if len(title) == 1 else char
    return _valid(upper)


def _lower(char: str) -> str:
    lower = char.lower()
    return _valid(lower if len(lower) == 1 else lower[0])


def _valid(char: str) -> str:
    return "\ufffd" if "\udc80" <= char <= "\udcff" else char


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "Hash": _hash,
    "Replace": _replace,
    "Sha2Hash": _sha2_hash,
    "ToLower": to_lower,
    "ToUpper": to_upper,
    "Trim": _trim,
    "TrimLeft": _trim_left,
    "TrimPrefix": _trim_prefix,
    "TrimRight": _trim_right,
    "TrimSpace": _trim_space,
    "TrimSuffix": _trim_suffix,
    "b64enc": _b64enc,
    "len": _length,
    "lower": to_lower,
    "nospace": _no_space,
    "replace": _sprig_replace,
    "sha1sum": _sum("sha1"),
    "sha256sum": _sum("sha256"),
    "sha512sum": _sum("sha512"),
    "substr": _substr,
    "trunc": _trunc,
    "upper": to_upper,
}

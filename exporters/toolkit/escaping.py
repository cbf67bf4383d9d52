"""Write names that were illegal before UTF-8 names, as a scraper asks for them.

Upstream counterpart: prometheus/common ``model/metric.go``, EscapeName. Names that
were always legal look the same in every scheme.
"""

from __future__ import annotations

import enum
import functools
import re


class Escaping(enum.Enum):
    """What ``escaping=`` of an Accept header may ask for."""

    UTF8 = "allow-utf-8"
    UNDERSCORES = "underscores"
    DOTS = "dots"
    VALUES = "values"


_LEGAL = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)
_ILLEGAL = re.compile(r"[^a-zA-Z0-9_:]", re.ASCII)
# What a byte that is no UTF-8 becomes in Go: U+FFFD.
_REPLACEMENT = 0xFFFD


def is_legal(name: str) -> bool:
    """Tell whether *name* was legal before UTF-8 names."""
    return _LEGAL.fullmatch(name) is not None


@functools.lru_cache(maxsize=4096)
def legal_name(name: str) -> str:
    """Return *name* with ``_`` for what was illegal before UTF-8 names."""
    plain = _ILLEGAL.sub("_", name)
    return f"_{plain[1:]}" if plain[:1].isdecimal() else plain


@functools.lru_cache(maxsize=4096)
def escape_name(name: str, escaping: Escaping) -> str:
    """Return *name* as the scheme *escaping* writes it."""
    if escaping is Escaping.UNDERSCORES:
        return legal_name(name)
    if escaping is Escaping.UTF8 or not name or is_legal(name):
        return name
    if escaping is Escaping.DOTS:
        return "".join([_dotted(char, place) for place, char in enumerate(name)])
    return "U__" + "".join([_coded(char, place) for place, char in enumerate(name)])


def _dotted(char: str, place: int) -> str:
    if char == ".":
        return "_dot_"
    return char if char != "_" and _stays(char, place) else "__"


def _coded(char: str, place: int) -> str:
    if char == "_":
        return "__"
    if _stays(char, place):
        return char
    code = ord(char)
    return f"_{_REPLACEMENT if 0xD800 <= code < 0xE000 else code:x}_"


def _stays(char: str, place: int) -> bool:
    return not _ILLEGAL.match(char) and (place > 0 or not char.isdecimal())

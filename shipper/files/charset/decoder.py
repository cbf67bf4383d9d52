"""From the name of an encoding to what reads one line of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from shipper.files.charset import single
from shipper.files.charset.double import DOUBLE
from shipper.files.charset.escapes import decode_hz, decode_iso_2022_jp
from shipper.files.charset.names import canonical
from shipper.files.charset.wide import decode_utf8


Decode = Callable[[bytes], bytes]
"""A line as it is in the file, without its newline, to UTF-8; never raises."""


def is_utf16(name: str) -> bool:
    """Say whether *name* is one whose newlines have two bytes."""
    return canonical(name).startswith("utf-16")


def decoder(name: str) -> Decode:
    """Return what reads a line in the encoding *name*.

    Raises ValueError for one that is unknown, or UTF-16, of which a line alone does
    not tell the order of its bytes (see `shipper.files.utf16`).
    """
    known = canonical(name)
    if known in DOUBLE:
        return DOUBLE[known].decode
    others: dict[str, Decode] = {
        "utf-8": decode_utf8,
        "iso-2022-jp": decode_iso_2022_jp,
        "hz-gb-2312": decode_hz,
    }
    if known in others:
        return others[known]
    if is_utf16(known):
        raise ValueError(f"{known} has no lines that can be read one by one")
    return partial(single.decode, characters=single.table(known))

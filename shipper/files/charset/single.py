"""Encodings with one byte per character, EBCDIC among them (x/text/encoding/charmap).

The tables are Python's, with what Go's have otherwise.
"""

from __future__ import annotations

import codecs
from functools import cache
from typing import Final


_CODECS: Final = {
    "us-ascii": "ascii",
    "iso-8859-1": "latin-1",
    "koi8-r": "koi8_r",
    "koi8-u": "koi8_u",
    "macintosh": "mac_roman",
    "windows-874": "cp874",
    "ibm1047": "cp037",
    "ibm00858": "cp858",
    "ibm01140": "cp1140",
}

_OTHERWISE: Final = {
    "koi8-u": {0xAE: "ў", 0xBE: "Ў"},
    "windows-1255": {0xCA: "\u05ba"},
    # Where the two EBCDICs for Latin-1 differ.
    "ibm1047": {0x5F: "^", 0xAD: "[", 0xB0: "¬", 0xBA: "Ý", 0xBB: "¨", 0xBD: "]"},
}

_C1: Final = range(0x80, 0xA0)
# These alone read their C1 controls; in the other parts of ISO 8859 Go has none.
_WITH_C1: Final = frozenset({"iso-8859-1", "iso-8859-9"})


@cache
def table(name: str) -> str:
    """Return the 256 characters of the encoding *name*.

    U+FFFD stands for a byte that means nothing.
    """
    codec = _CODECS.get(name) or name.replace("windows-", "cp").replace("ibm", "cp")
    characters = list(bytes(range(256)).decode(codec, "replace"))
    if name.startswith("iso-8859-") and name not in _WITH_C1:
        for byte in _C1:
            characters[byte] = "\ufffd"
    for byte, character in _OTHERWISE.get(name, {}).items():
        characters[byte] = character
    return "".join(characters)


def decode(line: bytes, characters: str) -> bytes:
    """Return *line* as UTF-8; *characters* is its `table`."""
    text, _ = codecs.charmap_decode(line, "replace", characters)
    return text.encode()

"""Encodings that switch by escape sequences: ISO-2022-JP and HZ (golang.org/x/text).

Each line begins in ASCII, as each of promtail's does.
"""

from __future__ import annotations

from typing import Final

from shipper.files.charset.double import BROKEN, jis0208, jis0212, lookup


_ASCII, _KANA, _JIS0208, _JIS0212 = range(4)

_ESCAPES: Final = {
    b"\x1b$@": _JIS0208,
    b"\x1b$B": _JIS0208,
    b"\x1b(B": _ASCII,
    b"\x1b(J": _ASCII,
    b"\x1b(I": _KANA,
    b"\x1b$(D": _JIS0212,
}


def decode_iso_2022_jp(line: bytes) -> bytes:
    """Return *line* as UTF-8."""
    characters, index, state = [], 0, _ASCII
    while index < len(line):
        escape = _escape(line, index) if line[index] == 0x1B else None
        if escape is not None:
            state = _ESCAPES[escape]
            index += len(escape)
            continue
        character, size = _japanese(line, index, state)
        characters.append(character)
        index += size
    return "".join(characters).encode()


def _escape(line: bytes, index: int) -> bytes | None:
    for size in (3, 4):
        if line[index : index + size] in _ESCAPES:
            return line[index : index + size]
    return None


def _japanese(line: bytes, index: int, state: int) -> tuple[str, int]:
    first = line[index]
    if first >= 0x80 or first == 0x1B:
        return BROKEN, 1
    if state == _ASCII:
        return chr(first), 1
    if state == _KANA:
        kana = 0x21 <= first < 0x60
        return (chr(first - 0x21 + 0xFF61) if kana else BROKEN), 1
    if index + 1 == len(line):
        return BROKEN, 1
    # Go looks a cell that does not exist up in one of the rows that follow.
    row, cell = divmod((first - 0x21) % 256 * 94 + (line[index + 1] - 0x21) % 256, 94)
    if row >= 94:
        return BROKEN, 2
    return (jis0208 if state == _JIS0208 else jis0212)(row, cell), 2


def decode_hz(line: bytes) -> bytes:
    """Return *line* as UTF-8."""
    characters, index, chinese = [], 0, False
    while index < len(line):
        pair = line[index : index + 2]
        if pair in {b"~{", b"~}"}:
            chinese = pair == b"~{"
            index += 2
            continue
        character, size = _hz(pair, chinese=chinese)
        characters.append(character)
        index += size
    return "".join(characters).encode()


def _hz(pair: bytes, *, chinese: bool) -> tuple[str, int]:
    if pair[0] >= 0x80:
        return BROKEN, 1
    if pair[0] == 0x7E:
        return ("~" if pair == b"~~" else BROKEN), len(pair)
    if not chinese:
        return chr(pair[0]), 1
    if len(pair) < 2:
        return BROKEN, 1
    if 0x21 <= pair[0] < 0x7E and 0x21 <= pair[1] < 0x7F:
        return lookup(bytes((pair[0] | 0x80, pair[1] | 0x80)), "gb18030"), 2
    return BROKEN, 1 if pair[1] > 0x80 else 2

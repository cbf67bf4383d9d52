"""Encodings with one or two bytes per character, some with three or four.

A line goes through Python's codec. When that refuses it, or when it may have read
what Go reads otherwise, the line is taken character by character, by the rules of
golang.org/x/text for how much a broken one takes with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from shipper.files.charset.big5 import EXTRA as BIG5_EXTRA


BROKEN: Final = "\ufffd"

Step = Callable[[bytes, int], tuple[str, int]]
"""What stands in a line at an index, and how many bytes it takes there."""

_PRIVATE: Final = re.compile("[\ue000-\uf8ff]")
_NEVER: Final = re.compile("(?!)")


@dataclass(frozen=True, slots=True)
class Double:
    """One encoding. *doubtful* in a text means that Python's reading is not Go's."""

    codec: str
    step: Step
    doubtful: re.Pattern[str] = _NEVER

    def decode(self, line: bytes) -> bytes:
        """Return *line* as UTF-8."""
        if line.isascii():
            return line
        try:
            text = line.decode(self.codec)
        except UnicodeDecodeError:
            return spell(line, self.step).encode()
        if self.doubtful.search(text):
            text = spell(line, self.step)
        return text.encode()


def spell(line: bytes, step: Step) -> str:
    """Return *line* read character by character with *step*."""
    characters = []
    index = 0
    while index < len(line):
        character, size = (
            (chr(line[index]), 1) if line[index] < 0x80 else step(line, index)
        )
        characters.append(character)
        index += size
    return "".join(characters)


@lru_cache(maxsize=65536)
def lookup(pair: bytes, codec: str) -> str:
    """Return what the bytes *pair* mean, U+FFFD if nothing."""
    try:
        text = pair.decode(codec)
    except UnicodeDecodeError:
        return BROKEN
    return BROKEN if _PRIVATE.search(text) else text


# -- Japanese. Both encodings share the table of JIS X 0208 with NEC's and IBM's rows.


def jis0208(row: int, cell: int) -> str:
    """Return the character at *row* and *cell*, counted from 0."""
    lead = row // 2 + (0x81 if row < 62 else 0xC1)
    trail = cell + (0x9F if row % 2 else 0x40 if cell < 63 else 0x41)
    return lookup(bytes((lead, trail)), "cp932") if lead < 0xFD else BROKEN


def jis0212(row: int, cell: int) -> str:
    """Return the character of JIS X 0212 at *row* and *cell*, counted from 0."""
    if (row, cell) == (1, 22):
        return "～"
    return lookup(bytes((0x8F, 0xA1 + row, 0xA1 + cell)), "euc_jp")


def _shift_jis(line: bytes, index: int) -> tuple[str, int]:
    first = line[index]
    if first == 0x80:
        return "\x80", 1
    if 0xA1 <= first < 0xE0:
        return chr(first - 0xA1 + 0xFF61), 1
    second = line[index + 1] if index + 1 < len(line) else 0
    # A second byte that is ASCII is read once more, as itself.
    if first in {0xA0, 0xFD, 0xFE, 0xFF} or second < 0x40 or second == 0x7F:
        return BROKEN, 1
    return lookup(line[index : index + 2], "cp932"), 2


def _in_94(line: bytes, index: int) -> bool:
    return index < len(line) and 0xA1 <= line[index] <= 0xFE


def _euc_jp(line: bytes, index: int) -> tuple[str, int]:
    first = line[index]
    if first == 0x8F:
        if not _in_94(line, index + 1):
            return BROKEN, 1
        if not _in_94(line, index + 2):
            # At the end Go takes a lone 0xFE for nothing that belongs here.
            at_end = index + 2 >= len(line) and line[index + 1] == 0xFE
            return BROKEN, 1 if at_end else 2
        return jis0212(line[index + 1] - 0xA1, line[index + 2] - 0xA1), 3
    if (first != 0x8E and not 0xA1 <= first <= 0xFE) or not _in_94(line, index + 1):
        return BROKEN, 1
    if first == 0x8E:
        kana = line[index + 1]
        return (chr(kana - 0xA1 + 0xFF61) if kana <= 0xDF else BROKEN), 2
    return jis0208(first - 0xA1, line[index + 1] - 0xA1), 2


# Python's EUC-JP draws these otherwise, or could mean one of two by "~".
_EUC_JP_DOUBTFUL: Final = re.compile("[〜‖−¢£¬~]")


# -- Korean


def _euc_kr(line: bytes, index: int) -> tuple[str, int]:
    pair = line[index : index + 2]
    if line[index] in {0x80, 0xFF} or len(pair) < 2:
        return BROKEN, 1
    character = lookup(pair, "cp949")
    return character, 1 if character == BROKEN and pair[1] < 0x80 else 2


# -- Chinese


def _gbk(line: bytes, index: int) -> tuple[str, int]:
    if line[index] == 0x80:
        return "€", 1
    pair = line[index : index + 2]
    if line[index] == 0xFF or len(pair) < 2 or pair[1] < 0x40 or pair[1] in b"\x7f\xff":
        return BROKEN, 1
    return ("\u3000" if pair == b"\xa3\xa0" else lookup(pair, "gb18030")), 2


def _gb18030(line: bytes, index: int) -> tuple[str, int]:
    four = line[index : index + 4]
    if 0x81 <= four[0] <= 0xFE and len(four) > 1 and 0x30 <= four[1] < 0x40:
        character = _four(four)
        return character, 1 if character == BROKEN else 4
    return _gbk(line, index)


def _four(four: bytes) -> str:
    if len(four) < 4 or not (0x81 <= four[2] <= 0xFE and 0x30 <= four[3] <= 0x39):
        return BROKEN
    # As Go: a second byte over 9 is taken for ten and more.
    number = (four[0] - 0x81) * 10 + four[1] - 0x30
    first, second = divmod(number, 10)
    if first > 0xFE - 0x81:
        return BROKEN
    try:
        return bytes((first + 0x81, second + 0x30, *four[2:])).decode("gb18030")
    except UnicodeDecodeError:
        return BROKEN


def _big5(line: bytes, index: int) -> tuple[str, int]:
    pair = line[index : index + 2]
    if line[index] in {0x80, 0xFF} or len(pair) < 2 or pair[1] < 0x40:
        return BROKEN, 1
    return BIG5_EXTRA.get(pair) or lookup(pair, "big5hkscs"), 2


DOUBLE: Final = {
    "shift_jis": Double("cp932", _shift_jis, _PRIVATE),
    "euc-jp": Double("euc_jp", _euc_jp, _EUC_JP_DOUBTFUL),
    "euc-kr": Double("cp949", _euc_kr),
    "gbk": Double("gbk", _gbk),
    "gb18030": Double("gb18030", _gb18030, _PRIVATE),
    "big5": Double("big5hkscs", _big5, re.compile("[•､‾∼♁☉／＼¥¢£]")),
}

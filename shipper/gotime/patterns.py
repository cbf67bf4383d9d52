"""What a text has to look like to fit a layout, as a regular expression.

Go's parser goes from left to right and never back. So must the expression: whatever
could give something back is atomic (``(?>…)``) or possessive (``++``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from shipper.gotime.chunks import Chunk


MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August",
    "September", "October", "November", "December",
)  # fmt: skip
WEEKDAYS: Final = (
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
)  # fmt: skip


def _names(names: Sequence[str]) -> str:
    return f"(?i:{'|'.join(names)})"


# A number that may be short is as long as it can be: 24 is no hour 2.
_PATTERNS: Final = {
    "2006": "[0-9]{4}",
    "06": "[-+0-9][0-9]",  # Go reads "+7" as 2007, "-5" as 1995
    "January": _names(MONTHS),
    "Jan": _names([name[:3] for name in MONTHS]),
    "01": "0[1-9]|1[0-2]",
    "1": "0[1-9]|1[0-2]|[1-9](?![0-9])",
    "Monday": _names(WEEKDAYS),
    "Mon": _names([name[:3] for name in WEEKDAYS]),
    "02": "[0-9]{2}",
    "2": "[0-9]{1,2}",
    "_2": " ?[0-9]{1,2}",
    "002": "[0-9]{3}",
    "__2": " {0,2}[0-9]{1,3}",
    "15": "[01][0-9]|2[0-3]|[0-9](?![0-9])",
    "03": "0[0-9]|1[0-2]",
    "3": "0[0-9]|1[0-2]|[0-9](?![0-9])",
    "04": "[0-5][0-9]",
    "4": "[0-5][0-9]|[0-9](?![0-9])",
    "05": "[0-5][0-9]",
    "5": "[0-5][0-9]|[0-9](?![0-9])",
    "PM": "PM|AM",
    "pm": "pm|am",
}
_HOURS, _SIXTY = "(?:[01][0-9]|2[0-4])", "(?:[0-5][0-9]|60)"
_OFFSETS: Final = {
    "07": _HOURS,
    "0700": _HOURS + _SIXTY,
    "070000": _HOURS + _SIXTY + _SIXTY,
    "07:00": f"{_HOURS}:{_SIXTY}",
    "07:00:00": f"{_HOURS}:{_SIXTY}:{_SIXTY}",
}
_SIGNED_HOURS: Final = "[-+]0*(?:2[0-3]|1?[0-9])(?![0-9])"
# UTC and GMT come first whatever follows; a run of capitals is taken as a whole. With
# less than three characters left, Go sees no zone, not even in "+3".
_ZONE: Final = (
    f"(?=...)(?:UTC|ChST|MeST|GMT(?:{_SIGNED_HOURS})?|{_SIGNED_HOURS}"
    "|(?:[A-Z]{4}T|[A-Z]{3}T|WITA|[A-Z]{3})(?![A-Z]))"
)
_ANY_FRACTION: Final = "[.,][0-9]+|"


def compile_layout(
    chunks: Sequence[Chunk],
) -> tuple[re.Pattern[str], Mapping[str, list[int]]]:
    """Return the expression for *chunks* and the numbers of the groups per field.

    It is made for `re.Pattern.fullmatch`. The last group is always empty.
    """
    parts: list[str] = []
    groups: dict[str, list[int]] = {}
    count = 0
    for index, (field, text) in enumerate(chunks):
        parts.append(_pattern(field, text))
        if not field:
            continue
        count += 1
        groups.setdefault(field, []).append(count)
        if field == "second" and not _fraction_follows(chunks[index + 1 :]):
            parts.append(_atomic(_ANY_FRACTION))  # taken though no layout asks for it
            count += 1
            groups.setdefault("fraction", []).append(count)
    return re.compile("".join((*parts, "()")), re.ASCII | re.DOTALL), groups


def _fraction_follows(chunks: Sequence[Chunk]) -> bool:
    return next((chunk.field for chunk in chunks if chunk.field), "") == "fraction"


def _pattern(field: str, text: str) -> str:
    if not field:
        return _literal(text)
    if field == "fraction":
        return _atomic(_fraction(text))
    if field == "offset":
        digits = _OFFSETS[text[1:]]
        return _atomic(f"Z|[-+]{digits}" if text[0] == "Z" else f"[-+]{digits}")
    return _atomic(_ZONE if field == "zone" else _PATTERNS[text])


def _atomic(pattern: str) -> str:
    return f"((?>{pattern}))"


def _literal(text: str) -> str:
    """Match *text*; a run of spaces is one of any length, or none at the very end."""
    parts = re.split("( +)", text)
    return "".join(
        r"(?: ++|\Z)" if part[:1] == " " else re.escape(part) for part in parts
    )


def _fraction(text: str) -> str:
    """Match a fraction: of zeros it has to be as long, of nines it is optional.

    Go reads at most nine digits, and a sign as one of them.
    """
    length = len(text) - 1
    if text[1] == "9":
        return _ANY_FRACTION
    digits = min(length, 9)
    signed = rf"\+[0-9]{{{digits - 1}}}|-0{{{digits - 1}}}"
    return f"[.,](?:[0-9]{{{digits}}}|{signed}).{{{length - digits}}}"

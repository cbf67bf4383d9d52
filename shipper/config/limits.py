"""The section ``limits_config`` (promtail clients/pkg/promtail/limit/config.go)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final

from exporters.toolkit.decode import Problem, Scalar


_SIZE: Final = re.compile(r"([0-9]+)\s*([A-Z]*)\s*", re.ASCII)
_UNITS: Final = {
    **dict.fromkeys(("", "B", "BYTE"), 0),
    **dict.fromkeys(("K", "KB", "KILO", "KILOBYTE", "KILOBYTES"), 1),
    **dict.fromkeys(("M", "MB", "MEGA", "MEGABYTE", "MEGABYTES"), 2),
    **dict.fromkeys(("G", "GB", "GIGA", "GIGABYTE", "GIGABYTES"), 3),
    **dict.fromkeys(("T", "TB", "TERA", "TERABYTE", "TERABYTES"), 4),
    **dict.fromkeys(("P", "PB", "PETA", "PETABYTE", "PETABYTES"), 5),
    **dict.fromkeys(("E", "EB"), 6),
}


def parse_byte_size(text: str) -> int:
    """Return the bytes of *text* as dskit's ByteSize reads it: ``256kb``, ``2M``.

    Whole numbers and units of 1024 only. Raises ValueError.
    """
    found = _SIZE.fullmatch(text.upper())
    if found is None or len(text) > 40 or found[2] not in _UNITS:
        raise ValueError(
            f'datasize.UnmarshalText: parsing "{text.upper()[:40]}": invalid syntax, '
            "expected a whole number and a unit: 256kb, 2M"
        )
    size = int(found[1]) * int(1024 ** _UNITS[found[2]])
    if size >= 1 << 63:
        raise ValueError(
            f'datasize.UnmarshalText: parsing "{text}": value out of range'
        )
    return size


ByteSize = Annotated[int, Scalar("ByteSize", parse_byte_size)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsConfig:
    """How much may be read and sent. Rates are lines per second; 0 streams: any."""

    readline_rate: float = 10000.0
    readline_burst: int = 10000
    readline_rate_enabled: bool = False
    readline_rate_drop: bool = True
    max_streams: int = 0
    max_line_size: ByteSize = 0
    max_line_size_truncate: bool = False

    def problems(self) -> Iterator[Problem]:
        if not self.readline_rate_enabled:
            return
        for key in ("readline_rate", "readline_burst"):
            if not getattr(self, key) > 0:  # nor NaN
                text = f"{key} must be greater than 0: no line would ever pass"
                yield Problem(text, (key,))

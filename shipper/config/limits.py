"""The section ``limits_config`` (promtail clients/pkg/promtail/limit/config.go)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from exporters.toolkit.datasize import parse_byte_size
from exporters.toolkit.decode import Problem, Scalar


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

"""What was done to the shipper and when: it makes a failure readable."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass
class Diary:
    """Events in their order, with seconds since the beginning."""

    lines: list[str] = field(default_factory=list)
    _begun: float = field(default_factory=time.monotonic)

    def __call__(self, text: str) -> None:
        """Write *text* down."""
        self.lines.append(f"{time.monotonic() - self._begun:7.2f} {text}")

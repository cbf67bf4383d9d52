"""How long to wait before Docker is asked again."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retry:
    """Exponential waiting, capped, with jitter so that tailers do not march in step."""

    first_seconds: float = 0.1
    cap_seconds: float = 15.0

    def delay(self, failures: int) -> float:
        """Return seconds to wait after *failures* (from 1) in a row."""
        ceiling = min(self.cap_seconds, self.first_seconds * 2.0 ** min(failures, 32))
        return ceiling * random.uniform(0.5, 1.0)  # noqa: S311  # not a secret

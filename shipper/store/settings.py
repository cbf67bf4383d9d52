"""What the command line decides."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from shipper.store.limits import Limits


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """How long lines stay and how large the file may be; 0 is without limit."""

    age_ns: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Settings:
    """One store: its file, its addresses, its limits. *clock* is in nanoseconds."""

    path: str
    listen: tuple[str, ...] = (":3100",)
    auth_enabled: bool = False
    limits: Limits = field(default_factory=Limits)
    policy: RetentionPolicy = RetentionPolicy()
    clock: Callable[[], int] = time.time_ns

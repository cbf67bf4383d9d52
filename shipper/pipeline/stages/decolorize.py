"""``decolorize``: take terminal colours off (promtail stages/decolorize.go)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from shipper.pipeline.record import Record
from shipper.pipeline.stage import Filter, Workshop


# What terminals take for a command: ESC or its one-character twin, then text that a
# bell ends, or numbers that a letter ends. The possessive parts could match in one way
# only anyhow; without them a line of semicolons would take time by its square.
_COMMAND: Final = re.compile(
    r"[\x1b\x9b][\[\]()#;?]*+"
    r"(?:[a-zA-Z0-9]*+(?:;[a-zA-Z0-9]*+)*+\x07"
    r"|(?:[0-9]{1,4}(?:;[0-9]{0,4})*)?[0-9A-PRZcf-ntqry=><~])"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Nothing to say."""

    def build(self, _: Workshop) -> Filter:
        """Return the stage."""
        return _Decolorize()


class _Decolorize(Filter):
    """Cuts every command out of the line."""

    def apply(self, record: Record) -> bool:
        line = record.line
        if "\x1b" in line or "\x9b" in line:
            record.line = _COMMAND.sub("", line)
        return True

"""``cri``: lines as containerd and CRI-O write them (stages/extensions.go).

``2016-10-06T00:17:09.669794202Z stdout P text``: time, stream, flag, and the text. A
runtime writes a long line in parts of 16 KiB, all but the last flagged ``P``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from shipper.config.limits import ByteSize
from shipper.pipeline.container_line import ContainerLine
from shipper.pipeline.held import Block, Joiner, Key
from shipper.pipeline.record import Record
from shipper.pipeline.stage import Workshop
from shipper.pipeline.text import to_bytes, to_text
from shipper.pipeline.weak import Count, Flag


MAX_WAIT_SECONDS: Final = 30.0
"""A line whose rest does not come is handed on as it is; promtail waits for ever."""

_DEFAULT_PARTIAL_LINES: Final = 100
_LINE: Final = re.compile(
    r"([^\t\n\f\r ]+) (stdout|stderr) ([^\t\n\f\r ]+) (.*)", re.DOTALL
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How many streams may have unfinished lines, and how long a line may be.

    A size of 0 is none, also where ``max_partial_line_size_truncate`` is set, with
    which promtail makes every line of several parts an empty one.
    """

    max_partial_lines: Count = 0
    max_partial_line_size: ByteSize = 0
    max_partial_line_size_truncate: Flag = False

    def build(self, workshop: Workshop) -> Cri:
        """Return the stage."""
        stage = Cri(self, workshop)
        workshop.holders.append(stage)
        return stage


class Cri(Joiner):
    """Unwraps lines and joins the parts of each stream.

    The whole line has time, labels and metadata of its last part. At the limit all
    that is unfinished is handed on as it is, and the next part begins a new line.
    """

    def __init__(self, config: Config, workshop: Workshop) -> None:
        super().__init__(MAX_WAIT_SECONDS)
        self._max_lines = config.max_partial_lines or _DEFAULT_PARTIAL_LINES
        truncates = config.max_partial_line_size_truncate
        self._max_bytes = config.max_partial_line_size if truncates else 0
        self._now = workshop.monotonic
        self._line = ContainerLine("time", "content", workshop)

    def _step(self, record: Record) -> None:
        record.seed()
        found = _LINE.fullmatch(record.line)
        if found:
            names = ("time", "stream", "flags", "content")
            record.extracted.update(zip(names, found.groups(), strict=True))
        self._line.unwrap(record)
        key = record.stream
        if found and found[3] == "P":
            self._hold(key, record)
        elif self._held.get(key) is None:
            self._emit(record)
        else:
            self._append(key, record)
            self._finish(key)

    def _hold(self, key: Key, record: Record) -> None:
        if len(self._held) >= self._max_lines:
            self.release(None)
        if self._held.get(key) is None:
            self._held.start(key, record, self._now())
        else:
            self._append(key, record)
        self._make_room()

    def _append(self, key: Key, record: Record) -> None:
        """Add a part; it stands for the whole line from now on."""
        block = self._held.get(key)
        assert block is not None  # the callers looked
        is_full = self._max_bytes and block.size >= self._max_bytes
        self._held.add(key, "" if is_full else record.line, self._now())
        block.record.absorb(record)
        record.slots = block.record.slots
        block.record = record

    def _whole(self, block: Block) -> Record:
        record = block.joined("")
        if 0 < self._max_bytes < 4 * len(record.line):
            record.line = to_text(to_bytes(record.line)[: self._max_bytes])
        return record

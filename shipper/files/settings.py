"""What all tails of a job share."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from shipper.files.archive import ArchiveFile
from shipper.files.clock import LineClock
from shipper.files.disk import Disk
from shipper.files.meters import Meters, NoMeters
from shipper.files.reader import Budget, LogFile, OpenFile
from shipper.files.splitter import MAX_LINE_BYTES
from shipper.files.text import MakeSplitter, splitters
from shipper.files.unpack import Format
from shipper.pipeline.entry import BoundedSink


DRAIN_SECONDS = 5.0
RETRY_SECONDS = 10.0
SETTLE_SECONDS = 30.0
MAX_OPEN_FILES = 512


@dataclass(frozen=True, slots=True)
class Archives:
    """The files are compressed; each is read *initial_delay* seconds after it came."""

    form: Format
    initial_delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Settings:
    """How files are read and where their lines go.

    *budget* bounds the files that stay open. Nothing for *drain_seconds* is the end of
    a file that lost its name, nothing for *settle_seconds* that of an archive which
    breaks off in a line.
    """

    sink: BoundedSink
    disk: Disk
    meters: Meters = field(default_factory=NoMeters)
    clock: LineClock = field(default_factory=LineClock)
    budget: Budget = field(default_factory=lambda: Budget(MAX_OPEN_FILES))
    make_splitter: MakeSplitter = field(default_factory=splitters)
    archives: Archives | None = None
    max_line_bytes: int = MAX_LINE_BYTES
    drain_seconds: float = DRAIN_SECONDS
    retry_seconds: float = RETRY_SECONDS
    settle_seconds: float = SETTLE_SECONDS

    @property
    def open_file(self) -> OpenFile:
        """What makes a file that can be read."""
        if self.archives is None:
            return LogFile
        return partial(ArchiveFile, form=self.archives.form)

"""How files are found and read: sections and keys of promtail's config file.

Upstream: prometheus discovery/file, promtail scrapeconfig.go (DecompressionConfig),
targets/file/filetarget.go (WatchConfig), config/config.go (GlobalConfig).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Final, get_args

from exporters.toolkit.decode import Problem, Scalar
from shipper.config.duration import GoDuration, PrometheusDuration
from shipper.files.charset.names import canonical
from shipper.files.unpack import Format


_TARGET_FILE: Final = re.compile(
    r"[^*]*(\*[^/]*)?\.(json|yml|yaml|JSON|YML|YAML)", re.DOTALL
)


def _known_encoding(text: str) -> str:
    if text:
        canonical(text)
    return text


Encoding = Annotated[str, Scalar("string", _known_encoding, null="")]
"""The IANA name of an encoding; none: lines go to Loki as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSDConfig:
    """Files with groups of targets. Times are seconds."""

    files: tuple[str, ...] = ()
    refresh_interval: PrometheusDuration = 300.0

    def problems(self) -> Iterator[Problem]:
        if not self.files:
            yield Problem(
                "file service discovery config must contain at least one path name"
            )
        for index, name in enumerate(self.files):
            if not _TARGET_FILE.fullmatch(name):
                text = (
                    f'path name "{name}" is not valid for file discovery: expected '
                    "*.json, *.yml or *.yaml, with one * at most, in the last name"
                )
                yield Problem(text, ("files", index))
        if self.refresh_interval <= 0:
            text = "refresh_interval must be greater than 0"
            yield Problem(text, ("refresh_interval",))


@dataclass(frozen=True, slots=True, kw_only=True)
class DecompressionConfig:
    """All files of the job are compressed. Times are seconds.

    promtail takes any *format* and then reads nothing.
    """

    enabled: bool = False
    initial_delay: GoDuration = 0.0
    format: str = ""

    def problems(self) -> Iterator[Problem]:
        formats = get_args(Format)
        if self.enabled and self.format not in formats:
            text = f'format: expected {", ".join(formats)}, got "{self.format}"'
            yield Problem(text, ("format",))


@dataclass(frozen=True, slots=True, kw_only=True)
class FileWatchConfig:
    """How often to look at a file, in seconds: one that does not change less often."""

    min_poll_frequency: GoDuration = 0.25
    max_poll_frequency: GoDuration = 0.25

    @property
    def pace(self) -> tuple[float, float]:
        """The shortest and the longest time between two looks; 0, 0: the defaults."""
        if not self.min_poll_frequency and not self.max_poll_frequency:
            return (0.25, 0.25)
        return (self.min_poll_frequency, self.max_poll_frequency)

    def problems(self) -> Iterator[Problem]:
        shortest, longest = self.pace
        if shortest <= 0 or longest <= 0:
            yield Problem(
                "min_poll_frequency and max_poll_frequency must be greater than 0"
            )
        elif longest < shortest:
            text = "max_poll_frequency must not be less than min_poll_frequency"
            yield Problem(text, ("max_poll_frequency",))


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalConfig:
    """What holds for all jobs."""

    file_watch_config: FileWatchConfig = field(default_factory=FileWatchConfig)

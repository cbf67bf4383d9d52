from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from exporters.toolkit.decode import DecodeError, decode
from shipper.config.files import (
    DecompressionConfig,
    Encoding,
    FileSDConfig,
    FileWatchConfig,
    GlobalConfig,
)


@dataclass(frozen=True, kw_only=True)
class Job:
    encoding: Encoding = ""


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (Job, "encoding: Shift_JIS", Job(encoding="Shift_JIS")),
        (Job, "encoding:", Job()),
        (Job, 'encoding: ""', Job()),
        (
            DecompressionConfig,
            "{enabled: true, initial_delay: 10s, format: gz}",
            DecompressionConfig(enabled=True, initial_delay=10.0, format="gz"),
        ),
        (DecompressionConfig, "{format: zip}", DecompressionConfig(format="zip")),
        (
            FileSDConfig,
            "{files: [/a/*.json, b.yml], refresh_interval: 1d}",
            FileSDConfig(files=("/a/*.json", "b.yml"), refresh_interval=86400.0),
        ),
        (
            GlobalConfig,
            "file_watch_config: {min_poll_frequency: 1s, max_poll_frequency: 5s}",
            GlobalConfig(
                file_watch_config=FileWatchConfig(
                    min_poll_frequency=1.0, max_poll_frequency=5.0
                )
            ),
        ),
    ],
)
def test_what_is_right(kind: type[Any], text: str, expected: object) -> None:
    assert decode(text.encode(), kind, "c.yaml") == expected


def test_no_pace_is_the_default_one() -> None:
    config = FileWatchConfig(min_poll_frequency=0.0, max_poll_frequency=0.0)
    assert config.pace == FileWatchConfig().pace == (0.25, 0.25)


@pytest.mark.parametrize(
    ("kind", "text", "error"),
    [
        (Job, "encoding: utf8", 'c.yaml:1:11: unknown encoding "utf8"'),
        (Job, "encoding: [x]", "c.yaml:1:11: "),
        (
            DecompressionConfig,
            "{enabled: true, format: zip}",
            'c.yaml:1:25: format: expected gz, z, bz2, got "zip"',
        ),
        (DecompressionConfig, "enabled: true", "format: expected gz, z, bz2"),
        (FileSDConfig, "{}", "must contain at least one path name"),
        (FileSDConfig, "files: [a.txt]", 'c.yaml:1:9: path name "a.txt" is not'),
        (FileSDConfig, "files: [/*/a.yml]", 'path name "/*/a.yml" is not'),
        (
            FileSDConfig,
            "{files: [a.yml], refresh_interval: 0s}",
            "refresh_interval must be greater than 0",
        ),
        (FileWatchConfig, "min_poll_frequency: 0s", "must be greater than 0"),
        (
            FileWatchConfig,
            "min_poll_frequency: 1s",
            "max_poll_frequency must not be less than min_poll_frequency",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    kind: type[Any], text: str, error: str
) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(text.encode(), kind, "c.yaml")
    (message,) = caught.value.errors
    assert message.startswith("c.yaml:1:")
    assert error in message

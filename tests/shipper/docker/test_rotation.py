from __future__ import annotations

from typing import Any

import pytest

from shipper.docker.rotation import LOCAL_BYTES, file_bytes, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("10m", 10_000_000),
        ("100k", 100_000),
        ("1g", 1_000_000_000),
        ("1.5m", 1_500_000),
        ("20MB", 20_000_000),
        ("20MiB", 20_000_000),
        ("4096", 4096),
        ("512b", 512),
        ("-1", None),
        ("0", None),
        ("", None),
        ("much", None),
    ],
)
def test_sizes_as_docker_takes_them(text: str, size: int | None) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("driver", "options", "size"),
    [
        ("json-file", {}, None),
        ("json-file", None, None),
        ("json-file", {"max-size": "10m", "max-file": "3"}, 10_000_000),
        ("local", {}, LOCAL_BYTES),
        ("local", {"max-size": "1m"}, 1_000_000),
        ("fluentd", {"max-size": "1m"}, LOCAL_BYTES),
        ("fluentd", {"cache-max-size": "5m"}, 5_000_000),
        ("journald", {}, None),
        ("none", {}, None),
    ],
)
def test_which_logs_rotate(
    driver: str, options: dict[str, str] | None, size: int | None
) -> None:
    config: dict[str, Any] = {"Type": driver, "Config": options}
    assert file_bytes(config) == size

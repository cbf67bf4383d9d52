from __future__ import annotations

import socket
from pathlib import Path

import pytest

from exporters.node.check.serving import Serving, check


FREE = "127.0.0.1:0"


async def told(serving: Serving) -> list[str]:
    found = await check(serving)
    assert all(finding.wrong for finding in found)
    return [finding.text for finding in found]


async def test_nothing_is_said_of_free_addresses() -> None:
    assert await told(Serving((FREE, FREE))) == []


async def test_an_address_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        (text,) = await told(Serving((FREE, address)))
        reason = f"listen tcp {address}: bind: address already in use"
        assert text == f"The exporter does not start: {reason}."
        # systemd listens there itself.
        assert await told(Serving((address,), systemd_socket=True)) == []


async def test_an_address_that_is_none() -> None:
    (text,) = await told(Serving(("9100",)))
    assert "missing port in address" in text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("bogus: 1\n", "field bogus not found"),
        ("basic_auth_users: {a: plain}\n", "bcrypt"),
        (None, "no such file or directory"),
    ],
)
async def test_a_wrong_web_configuration(
    text: str | None, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "web.yml"
    if text is not None:
        path.write_text(text)
    (found,) = await told(Serving((FREE,), config_file=str(path)))
    assert found.startswith(f"The exporter does not start: --web.config.file={path}: ")
    assert reason in found


async def test_a_good_web_configuration(tmp_path: Path) -> None:
    path = tmp_path / "web.yml"
    path.write_text("http_server_config:\n  http2: true\n")
    assert await told(Serving((FREE,), config_file=str(path))) == []

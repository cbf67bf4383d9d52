from __future__ import annotations

import pytest

from exporters.nginx.access_log.sources.listen import EXPECTED, Listen, parse_listen


@pytest.mark.parametrize(
    ("text", "listen", "shown"),
    [
        ("udp://127.0.0.1:8514", Listen("udp", "127.0.0.1", 8514), None),
        ("udp://:5514", Listen("udp", "", 5514), None),
        ("udp://0.0.0.0:5514/", Listen("udp", "0.0.0.0", 5514), "udp://0.0.0.0:5514"),
        ("tcp://exporter:601", Listen("tcp", "exporter", 601), None),
        ("udp://[::1]:514", Listen("udp", "::1", 514), None),
        ("unix:/run/a.sock", Listen("unix", path="/run/a.sock"), None),
        ("unix:///run/a.sock", Listen("unix", path="/run/a.sock"), "unix:/run/a.sock"),
        # Go's url.Parse takes the first part for the host; upstream joins them again.
        ("unix://run/a.sock", Listen("unix", path="run/a.sock"), "unix:run/a.sock"),
    ],
)
def test_address(text: str, listen: Listen, shown: str | None) -> None:
    assert parse_listen(text) == listen
    assert str(listen) == (shown or text)
    assert parse_listen(str(listen)) == listen


@pytest.mark.parametrize(
    "text",
    [
        *("", "5514", "127.0.0.1:5514", "udp:127.0.0.1:5514", "udp://127.0.0.1"),
        *("udp://127.0.0.1:65536", "udp://127.0.0.1:x", "udp://::1:514", "UDP://:1"),
        *("http://127.0.0.1:80", "unix:", "unix://", "unix:/run/", "udp://a/b:1"),
        *("unix:/a\0b", "udp://:\u0661"),
    ],
)
def test_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="cannot read syslog address") as caught:
        parse_listen(text)
    assert str(caught.value) == f"cannot read syslog address '{text}': {EXPECTED}"


def test_a_path_that_no_socket_can_have() -> None:
    assert parse_listen("unix:/" + "é" * 53).path == "/" + "é" * 53
    with pytest.raises(ValueError, match="at most 107 bytes, got 109"):
        parse_listen("unix:/" + "é" * 54)

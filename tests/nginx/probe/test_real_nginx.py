"""A real nginx, probed: what /metrics would say of it alone."""

from __future__ import annotations

import re

import pytest

from tests.nginx.conftest import RealNginx
from tests.nginx.probe.conftest import exporter


pytestmark = pytest.mark.oracle

NAMES = [
    "nginx_connections_accepted",
    "nginx_connections_active",
    "nginx_connections_handled",
    "nginx_connections_reading",
    "nginx_connections_waiting",
    "nginx_connections_writing",
    "nginx_http_requests_total",
    "nginx_up",
    "probe_duration_seconds",
    "probe_success",
]


async def test_over_tcp_and_its_socket(real_nginx: RealNginx) -> None:
    targets = [
        f"{real_nginx.url}/stub_status",
        f"unix:{real_nginx.socket}:/stub_status",
    ]
    async with exporter("127.0.0.1", f"unix:{real_nginx.socket.parent}/*") as prober:
        for requests, target in enumerate(targets, 1):
            _, text = await prober.get(target)
            assert re.findall(r"(?m)^(\w+) ", text) == NAMES
            assert f"\nnginx_http_requests_total {requests}\n" in text
            assert "\nprobe_success 1\n" in text


@pytest.mark.parametrize("path", ["/moved", "/loop", "/forbidden", "/html", "/nothing"])
async def test_other_pages_are_down(real_nginx: RealNginx, path: str) -> None:
    async with exporter("127.0.0.1") as prober:
        _, text = await prober.get(f"{real_nginx.url}{path}")
    assert "\nnginx_up 0\n" in text
    assert "\nprobe_success 0\n" in text

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp.test_utils import TestClient, TestServer

from shipper.config.server import ServerConfig
from shipper.metrics import ShipperMetrics
from shipper.web import Target, View, shipper_app


TARGET = Target(
    "docker",
    "0123456789abcdef",
    {"__meta_docker_container_name": "/<web>"},
    {"stdout": (("container_name", "<web>"), ("stream", "stdout"))},
)


class Site:
    """The routes over a client that does not follow redirects."""

    def __init__(self) -> None:
        self.reason: str | None = None

    @asynccontextmanager
    async def open(self, **settings: object) -> AsyncIterator[Site]:
        view = View(
            ShipperMetrics().registry,
            lambda: self.reason,
            lambda: [TARGET],
            "clients: <secret>",
        )
        app = shipper_app(ServerConfig(**settings), view)  # type: ignore[arg-type]  # the tests' own keywords
        async with TestClient(TestServer(app)) as self.client:
            yield self

    async def get(self, path: str) -> tuple[int, str]:
        response = await self.client.get(path, allow_redirects=False)
        return response.status, await response.text()


async def test_ready_in_promtails_words() -> None:
    async with Site().open() as site:
        assert await site.get("/ready") == (200, "Ready")
        site.reason = "Loki at loki:3100: cannot connect"
        status, text = await site.get("/ready")
        assert (status, text) == (500, f"Not ready: {site.reason}\n")
        assert (await site.get("/-/ready"))[0] == 503
        assert (await site.get("/-/healthy"))[0] == 200


async def test_health_check_target_off_is_always_ready() -> None:
    async with Site().open(health_check_target=False) as site:
        site.reason = "down"
        assert await site.get("/ready") == (200, "Ready")


async def test_metrics_and_their_switch() -> None:
    async with Site().open() as site:
        status, text = await site.get("/metrics")
        assert status == 200
        assert "\npromtail_docker_target_entries_total 0\n" in text
        assert "\npromtail_build_info{" in text
    async with Site().open(register_instrumentation=False) as site:
        assert (await site.get("/metrics"))[0] == 404


async def test_pages_escape_what_they_show() -> None:
    async with Site().open() as site:
        for path in ("/targets", "/service-discovery", "/config"):
            status, text = await site.get(path)
            assert status == 200
            assert "<web>" not in text
            assert "<secret>" not in text
            assert "&lt;" in text


async def test_the_front_page_leads_to_the_targets() -> None:
    async with Site().open() as site:
        response = await site.client.get("/", allow_redirects=False)
        assert (response.status, response.headers["Location"]) == (303, "/targets")


async def test_a_prefix_is_before_every_route() -> None:
    async with Site().open(http_path_prefix="/logs/") as site:
        assert await site.get("/logs/ready") == (200, "Ready")
        assert (await site.get("/logs/metrics"))[0] == 200
        assert (await site.get("/ready"))[0] == 404
        response = await site.client.get("/logs/", allow_redirects=False)
        assert response.headers["Location"] == "/logs/targets"

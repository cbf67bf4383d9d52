from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry

from exporters.toolkit.web import answer_errors
from shipper.instrument import HttpMetrics


class Measured:
    """A small application, and what is measured of it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.middleware = HttpMetrics(self.registry).middleware()

    def app(self) -> web.Application:
        async def hello(request: web.Request) -> web.Response:
            await request.read()
            return web.Response(text="hello")

        async def away(_: web.Request) -> web.Response:
            raise web.HTTPSeeOther("/x")

        async def broken(_: web.Request) -> web.Response:
            raise RuntimeError("x")

        app = web.Application(middlewares=[self.middleware, answer_errors])
        for path, handler in (
            ("/", away), ("/service-discovery", hello), ("/a/{b}", hello),
            ("/broken", broken),
        ):  # fmt: skip
            app.router.add_route("*", path, handler)
        return app

    def count(self, method: str, route: str, status: str) -> float | None:
        return self.registry.get_sample_value(
            "request_duration_seconds_count",
            {"method": method, "route": route, "status_code": status, "ws": "false"},
        )

    def size(self, name: str, method: str, route: str) -> float | None:
        labels = {"method": method, "route": route}
        return self.registry.get_sample_value(f"{name}_message_bytes_sum", labels)


@pytest.mark.parametrize(
    ("path", "method", "series"),
    [
        ("/", "GET", ("GET", "root", "303")),
        ("/service-discovery", "POST", ("POST", "service_discovery", "200")),
        ("/a/c", "GET", ("GET", "a_b", "200")),
        ("/nowhere", "GET", ("GET", "other", "404")),
        ("/service-discovery", "PROPFIND", ("other", "service_discovery", "200")),
    ],
)
async def test_routes_methods_and_codes(
    path: str, method: str, series: tuple[str, str, str]
) -> None:
    measured = Measured()
    async with TestClient(TestServer(measured.app())) as client:
        await client.request(method, path, allow_redirects=False)
    assert measured.count(*series) == 1


async def test_a_failing_handler_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    measured = Measured()
    async with TestClient(TestServer(measured.app())) as client:
        assert (await client.get("/broken")).status == 500
    assert measured.count("GET", "broken", "500") == 1
    labels = {"method": "GET", "route": "broken"}
    assert measured.registry.get_sample_value("inflight_requests", labels) == 0


async def test_sizes() -> None:
    measured = Measured()
    async with TestClient(TestServer(measured.app())) as client:
        await client.post("/service-discovery", data=b"x" * 100)
        await client.get("/nowhere")
    assert measured.size("request", "POST", "service_discovery") == 100
    assert measured.size("response", "POST", "service_discovery") == 5
    assert measured.size("request", "GET", "other") == 0
    assert measured.size("response", "GET", "other") == len("404 page not found\n")


async def test_open_connections() -> None:
    measured = Measured()

    def connections() -> float | None:
        return measured.registry.get_sample_value(
            "tcp_connections", {"protocol": "http"}
        )

    assert connections() == 0
    async with TestClient(TestServer(measured.app())) as client:
        await client.get("/service-discovery")
        await client.get("/service-discovery")
        assert connections() == 1
    assert connections() == 0


def test_buckets_are_promtails() -> None:
    registry = CollectorRegistry()
    metrics = HttpMetrics(registry)
    metrics._duration.labels("GET", "x", "200", "false")
    metrics._sent.labels("GET", "x")
    found = {
        family.name: [s.labels["le"] for s in family.samples if "le" in s.labels]
        for family in registry.collect()
    }
    assert found["request_duration_seconds"] == [
        "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0",
        "10.0", "25.0", "50.0", "100.0", "+Inf",
    ]  # fmt: skip
    assert [float(le) for le in found["response_message_bytes"]] == [
        1048576, 2621440, 5242880, 10485760, 26214400, 52428800, 104857600, 262144000,
        float("inf"),
    ]  # fmt: skip

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession
from prometheus_client import CollectorRegistry

from exporters.toolkit.http.server import Server
from exporters.toolkit.web import Application, Request, Response
from shipper.instrument import HttpMetrics
from tests.served import listening


class Measured:
    """A small application, and what is measured of it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.metrics = HttpMetrics(self.registry, lambda: len(self.server))

    @asynccontextmanager
    async def client(self) -> AsyncIterator[ClientSession]:
        async def hello(_: Request) -> Response:
            return Response(body=b"hello")

        async def away(_: Request) -> Response:
            return Response(303, {"Location": "/x"})

        async def broken(_: Request) -> Response:
            raise RuntimeError("x")

        app = Application()
        app.wrap(self.metrics.middleware(app.route))
        app.add("/", away)
        app.add("/service-discovery", hello)
        app.add("/broken", broken)
        self.server = Server(app.answer)
        async with (
            listening(self.server) as port,
            ClientSession(f"http://127.0.0.1:{port}") as session,
        ):
            yield session

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
        ("/nowhere", "GET", ("GET", "other", "404")),
        ("/service-discovery", "PROPFIND", ("other", "service_discovery", "200")),
    ],
)
async def test_routes_methods_and_codes(
    path: str, method: str, series: tuple[str, str, str]
) -> None:
    measured = Measured()
    async with measured.client() as client:
        await client.request(method, path, allow_redirects=False)
    assert measured.count(*series) == 1


async def test_a_failing_handler_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    measured = Measured()
    async with measured.client() as client:
        assert (await client.get("/broken")).status == 500
    assert measured.count("GET", "broken", "500") == 1
    labels = {"method": "GET", "route": "broken"}
    assert measured.registry.get_sample_value("inflight_requests", labels) == 0


async def test_sizes() -> None:
    measured = Measured()
    async with measured.client() as client:
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

    async with measured.client() as client:
        assert connections() == 0
        await client.get("/service-discovery")
        await client.get("/service-discovery")
        assert connections() == 1
    assert connections() == 0


def test_buckets_are_promtails() -> None:
    registry = CollectorRegistry()
    metrics = HttpMetrics(registry, int)
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

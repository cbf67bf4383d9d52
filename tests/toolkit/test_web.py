from __future__ import annotations

import asyncio
import gzip
import logging
import os
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession
from prometheus_client.parser import text_string_to_metric_families

from exporters.toolkit import web
from exporters.toolkit.errors import StartError
from exporters.toolkit.exposition import CONTENT_TYPE
from exporters.toolkit.metric import GaugeMetricFamily, Metric

from .conftest import Running, running
from .test_negotiation import PROMETHEUS_3, PROTOBUF


class Source:
    """A gather function that remembers what it was asked and can be held up."""

    def __init__(self) -> None:
        self.scrapes: list[web.Scrape] = []
        self.entered = asyncio.Semaphore(0)
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.error: Exception | None = None
        self.metrics: list[Metric] = [GaugeMetricFamily("up", "Up.", 1)]

    async def __call__(self, scrape: web.Scrape) -> Iterable[Metric]:
        self.scrapes.append(scrape)
        self.entered.release()
        await self.go_on.wait()
        if self.error is not None:
            raise self.error
        return self.metrics


def make_app(source: Source, **options: object) -> web.Application:
    settings: dict[str, object] = {
        "name": "demo_exporter",
        "title": "Demo <Exporter>",
        "description": "For tests",
        "gather": source,
        **options,
    }
    return web.exporter_app(**settings)  # type: ignore[arg-type] # checked per call


@asynccontextmanager
async def client(
    source: Source, **options: object
) -> AsyncIterator[tuple[Running, ClientSession]]:
    async with (
        running(make_app(source, **options)) as server,
        ClientSession(server.url, auto_decompress=False) as session,
    ):
        yield server, session


def samples(text: str) -> dict[str, float]:
    return {
        sample.name + "".join(sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_metrics() -> None:
    async with (
        client(Source()) as (_, session),
        session.get("/metrics") as response,
    ):
        assert response.status == 200
        assert response.headers["Content-Type"] == CONTENT_TYPE
        assert "Server" not in response.headers


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PATCH"])
async def test_any_method_is_served(method: str) -> None:
    async with (
        client(Source()) as (_, session),
        session.request(
            method, "/metrics", headers={"Accept-Encoding": "identity"}
        ) as response,
    ):
        assert response.status == 200
        assert "# TYPE up gauge\nup 1\n" in await response.text()


async def test_head_has_no_body() -> None:
    async with (
        client(Source()) as (_, session),
        session.head("/metrics") as response,
    ):
        assert response.status == 200
        assert await response.read() == b""


@pytest.mark.parametrize(
    ("header", "packed"), [("gzip", True), ("gzip;q=0", False), ("identity", False)]
)
async def test_gzip_only_when_asked(header: str, packed: bool) -> None:
    async with client(Source()) as (_, session):
        headers = {"Accept-Encoding": header}
        async with session.get("/metrics", headers=headers) as response:
            body = await response.read()
            assert (response.headers.get("Content-Encoding") == "gzip") is packed
    assert b"up 1\n" in (gzip.decompress(body) if packed else body)


async def fetch(session: ClientSession, path: str) -> tuple[int, str]:
    headers = {"Accept-Encoding": "identity"}
    async with session.get(path, headers=headers) as response:
        return response.status, await response.text()


async def test_promhttp_metrics_count_finished_requests() -> None:
    async with client(Source()) as (_, session):
        first = samples((await fetch(session, "/metrics"))[1])
        second = samples((await fetch(session, "/metrics"))[1])
    assert first["promhttp_metric_handler_requests_total200"] == 0
    assert first["promhttp_metric_handler_requests_in_flight"] == 1
    assert second["promhttp_metric_handler_requests_total200"] == 1
    assert second["promhttp_metric_handler_errors_totalgathering"] == 0
    assert second["process_open_fds"] > 0


async def test_exporter_metrics_can_be_left_out() -> None:
    async with client(Source(), exporter_metrics=False) as (_, session):
        _, text = await fetch(session, "/metrics")
    names = {family.name for family in text_string_to_metric_families(text)}
    assert names == {"up", "demo_exporter_build_info"}


async def test_query_and_timeout_reach_gather() -> None:
    source = Source()
    async with client(source) as (_, session):
        for header in ("9.5", "-1", "nan", "inf", "soon"):
            headers = {"X-Prometheus-Scrape-Timeout-Seconds": header}
            path = "/metrics?collect[]=cpu&collect[]=stat&x="
            async with session.get(path, headers=headers):
                pass
        await fetch(session, "/metrics")
    assert [s.timeout_seconds for s in source.scrapes] == [9.5] + [None] * 5
    assert source.scrapes[0].query == {"collect[]": ["cpu", "stat"], "x": [""]}


async def test_name_filter() -> None:
    async with client(Source()) as (_, session):
        _, text = await fetch(session, "/metrics?name[]=up")
    assert text == "# HELP up Up.\n# TYPE up gauge\nup 1\n"


async def test_refused_scrape_is_400_and_not_counted() -> None:
    source = Source()
    async with client(source) as (_, session):
        source.error = web.ScrapeRefused("missing collector: bogus")
        async with session.get("/metrics") as response:
            # Upstream writes this one by hand and not as its other errors.
            assert "X-Content-Type-Options" not in response.headers
        assert await fetch(session, "/metrics") == (400, "missing collector: bogus")
        source.error = None
        values = samples((await fetch(session, "/metrics"))[1])
    assert "promhttp_metric_handler_requests_total400" not in values
    assert values["promhttp_metric_handler_requests_in_flight"] == 1


@pytest.mark.parametrize(
    "error", [ValueError("two\nlines"), TimeoutError("inner"), OSError(5, "EIO")]
)
async def test_exception_in_gather_is_500_in_one_line(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    source = Source()
    async with client(source) as (_, session):
        source.error = error
        status, text = await fetch(session, "/metrics")
        assert status == 500
        assert text.count("\n") == 1
        assert text.startswith(
            f"An error has occurred while serving metrics: {type(error).__name__}: "
        )
        source.error = None
        values = samples((await fetch(session, "/metrics"))[1])
    assert values["promhttp_metric_handler_requests_total500"] == 1
    assert values["promhttp_metric_handler_errors_totalgathering"] == 1
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR] == [
        "error gathering metrics"
    ]


async def test_duplicates_are_dropped_and_counted() -> None:
    source = Source()
    source.metrics *= 2
    async with client(source) as (_, session):
        status, _ = await fetch(session, "/metrics")
        values = samples((await fetch(session, "/metrics"))[1])
    assert status == 200
    assert values["promhttp_metric_handler_errors_totalgathering"] == 1


async def test_a_gather_that_hangs_is_503() -> None:
    source = Source()
    source.go_on.clear()
    async with client(source, gather_seconds=0.05) as (_, session):
        assert await fetch(session, "/metrics") == (
            503,
            "Exceeded configured timeout of 0.05s.\n",
        )


async def test_max_requests() -> None:
    source = Source()
    source.go_on.clear()
    async with client(source, max_requests=1) as (_, session):
        first = asyncio.create_task(fetch(session, "/metrics"))
        await source.entered.acquire()
        assert await fetch(session, "/metrics") == (
            503,
            "Limit of concurrent requests reached (1), try again later.\n",
        )
        source.go_on.set()
        assert (await first)[0] == 200
        values = samples((await fetch(session, "/metrics"))[1])
    assert values["promhttp_metric_handler_requests_total503"] == 1


async def test_no_limit() -> None:
    source = Source()
    source.go_on.clear()
    async with client(source, max_requests=0) as (_, session):
        requests = [asyncio.create_task(fetch(session, "/metrics")) for _ in range(50)]
        for _ in requests:
            await source.entered.acquire()
        source.go_on.set()
        assert {status for status, _ in await asyncio.gather(*requests)} == {200}


async def test_a_client_that_leaves_gives_its_place_back() -> None:
    source = Source()
    source.go_on.clear()
    async with client(source, max_requests=1) as (server, session):
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        await source.entered.acquire()
        writer.close()
        await writer.wait_closed()
        source.go_on.set()
        # The server notices within a few turns of its loop, each a request here.
        for _ in range(1000):
            status, _text = await fetch(session, "/metrics")
            if status == 200:
                break
        assert status == 200


async def test_a_slow_client_does_not_hold_up_others() -> None:
    source = Source()
    big = GaugeMetricFamily("big", "Big.", labels=["l"])
    for number in range(40_000):
        big.add_metric([f"{number:0100d}"], number)
    source.metrics = [big]
    async with client(source) as (server, session):
        # Asks for megabytes and reads none of them.
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as slow:
            slow.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            await source.entered.acquire()
            source.metrics = []
            status, _ = await fetch(session, "/-/healthy")
            assert status == 200
            assert (await fetch(session, "/metrics"))[0] == 200


async def test_landing_page() -> None:
    async with client(Source(), telemetry_path="/probe") as (_, session):
        status, text = await fetch(session, "/")
        assert status == 200
        assert "<title>Demo &lt;Exporter&gt;</title>" in text
        assert '<a href="/probe">Metrics</a>' in text
        assert "Version: (version=" in text
        assert (await fetch(session, "/probe"))[0] == 200
        assert await fetch(session, "/metrics") == (404, "404 page not found\n")


async def test_metrics_at_the_root_leave_no_landing_page() -> None:
    async with client(Source(), telemetry_path="/") as (_, session):
        assert "up 1\n" in (await fetch(session, "/"))[1]


@pytest.mark.parametrize("path", ["/metrics/", "/nope", "/-/", "/-/nope"])
async def test_not_found(path: str) -> None:
    async with client(Source()) as (_, session):
        assert await fetch(session, path) == (404, "404 page not found\n")


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("//metrics?name[]=up", "/metrics?name[]=up"),
        ("/x/..//metrics", "/metrics"),
        ("//evil.example.org/%0d%0aX:%20y", "/evil.example.org/%0D%0AX:%20y"),
        ("/<b>/../<i>", "/%3Ci%3E"),
    ],
)
async def test_an_unclean_path_is_redirected(path: str, location: str) -> None:
    async with client(Source()) as (server, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
    lines = head.decode().split("\r\n")
    assert lines[0] == "HTTP/1.0 301 Moved Permanently"
    (told,) = [line for line in lines if line.startswith("Location: ")]
    assert told == f"Location: {location}"
    assert body.decode() == f'<a href="{location}">Moved Permanently</a>.\n\n'


async def test_formats_by_accept() -> None:
    kinds = {}
    async with client(Source()) as (_, session):
        for accept in (
            "text/plain",
            "application/openmetrics-text;version=1.0.0",
            PROMETHEUS_3,
            f"{PROTOBUF}delimited",
            f"{PROTOBUF}text",
            f"{PROTOBUF}compact-text",
        ):
            headers = {"Accept": accept, "Accept-Encoding": "identity"}
            async with session.get("/metrics?name[]=up", headers=headers) as response:
                kind = response.headers["Content-Type"].partition(";")[0]
                kinds[accept] = kind, await response.read()
    assert list(kinds.values()) == [
        ("text/plain", b"# HELP up Up.\n# TYPE up gauge\nup 1\n"),
        (
            "application/openmetrics-text",
            b"# HELP up Up.\n# TYPE up gauge\nup 1.0\n# EOF\n",
        ),
        ("text/plain", b"# HELP up Up.\n# TYPE up gauge\nup 1\n"),
        (
            "application/vnd.google.protobuf",
            b'\x18\n\x02up\x12\x03Up.\x18\x01"\x0b\x12\t\t\0\0\0\0\0\0\xf0?',
        ),
        (
            "application/vnd.google.protobuf",
            (
                b'name: "up"\nhelp: "Up."\ntype: GAUGE\nmetric: {\n  gauge: {\n'
                b"    value: 1\n  }\n}\n\n"
            ),
        ),
        (
            "application/vnd.google.protobuf",
            b'name:"up" help:"Up." type:GAUGE metric:{gauge:{value:1}}\n',
        ),
    ]


async def test_openmetrics_switched_on() -> None:
    async with client(Source(), openmetrics=True) as (_, session):
        headers = {"Accept": PROMETHEUS_3, "Accept-Encoding": "identity"}
        async with session.get("/metrics", headers=headers) as response:
            assert response.headers["Content-Type"] == (
                "application/openmetrics-text; version=1.0.0; charset=utf-8;"
                " escaping=allow-utf-8"
            )
            assert (await response.read()).endswith(b"# EOF\n")


async def test_health() -> None:
    reasons: list[str | None] = [None, "nginx cannot be reached"]
    async with client(Source(), ready=lambda: reasons.pop(0)) as (_, session):
        healthy = await fetch(session, "/-/healthy")
        assert healthy == (200, "Demo <Exporter> is Healthy.\n")
        assert await fetch(session, "/-/ready") == (200, "Demo <Exporter> is Ready.\n")
        assert await fetch(session, "/-/ready") == (503, "nginx cannot be reached\n")


async def test_an_error_elsewhere_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> str | None:
        raise KeyError("secret")

    async with client(Source(), ready=broken) as (_, session):
        assert await fetch(session, "/-/ready") == (500, "Internal Server Error\n")
    assert "error serving request" in caplog.messages


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 9_000 + b"\r\n", b"431"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"400"),  # TLS
    ],
    ids=["line", "field", "fields", "tls"],
)
async def test_oversized_and_odd_requests_are_refused(
    head: bytes, status: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with client(Source()) as (server, session):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        try:
            writer.write(head)
            assert (await reader.readline())[9:].startswith(status)
            assert b"\r\nServer:" not in await reader.read()
        finally:
            writer.close()
        assert (await fetch(session, "/metrics"))[0] == 200
    assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []


async def test_several_addresses() -> None:
    app = make_app(Source())
    async with running(app, "127.0.0.1:0", "localhost:0", ":0") as server:
        ports = {address.rpartition(":")[2] for address in server.addresses}
        assert len(ports) == 3
        async with ClientSession() as session:
            for port in ports:
                status, _ = await fetch(session, f"http://localhost:{port}/metrics")
                assert status == 200


async def test_a_busy_address_opens_none_of_the_others() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with socket.create_server(("127.0.0.1", 0)) as free:
            free_port = free.getsockname()[1]
        busy = f"127.0.0.1:{taken.getsockname()[1]}"
        listen = (f"127.0.0.1:{free_port}", busy)
        with pytest.raises(
            StartError, match=f"listen tcp {busy}: bind: address already"
        ):
            await web.serve(make_app(Source()), listen, asyncio.Event())
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", free_port)


async def test_stop_with_an_idle_keep_alive_connection_is_immediate() -> None:
    loop = asyncio.get_running_loop()
    async with (
        running(make_app(Source())) as server,
        ClientSession(server.url) as session,
    ):
        await fetch(session, "/metrics")
        started = loop.time()
        server.stop.set()
        await server.stopped.wait()
    assert loop.time() - started < 1.0


async def test_ready_is_told_to_systemd(
    tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = os.path.join(tmp_path, "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(path)
        systemd.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", path)
        async with running(make_app(Source())):
            # The log lines come first; let the server go on to its next await.
            await asyncio.sleep(0)
            assert systemd.recv(64) == b"READY=1"


def test_flags() -> None:
    assert web.listen_address(":9113", "LISTEN_ADDRESS").default == (":9113",)
    assert web.telemetry_path("TELEMETRY_PATH").env == "TELEMETRY_PATH"
    assert web.MAX_REQUESTS.default == 40
    assert web.config_file("CONFIG_FILE").env == "CONFIG_FILE"
    assert web.systemd_socket("SYSTEMD_SOCKET").default is False
    assert web.ENABLE_OPENMETRICS.default is False

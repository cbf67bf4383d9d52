from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession

from shipper.config.server import ServerConfig
from shipper.metrics import ShipperMetrics
from shipper.source import Target
from shipper.web import View, shipper_app
from tests.served import served


TARGET = Target(
    job="docker",
    kind="docker",
    name="<web>",
    discovered={"__meta_docker_container_name": "/<web>"},
    streams={"stdout": (("container_name", "<web>"), ("stream", "stdout"))},
    lag_seconds=0.5,
    error="<lost>",
    details={"<id>": "0123"},
)
DROPPED = Target(
    job="docker", kind="docker", name="noise", discovered={"__address__": "x"}
)
PAGES = ("/targets", "/service-discovery", "/config")
JSON = {"Accept": "application/json"}


class Site:
    """The routes over a client that does not follow redirects."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self.targets: Iterable[Target] = [TARGET, DROPPED]
        self.reload_error: str | None = None
        self.reloads = 0

    async def _reload(self) -> str | None:
        self.reloads += 1
        await asyncio.sleep(0)
        return self.reload_error

    @asynccontextmanager
    async def open(self, **settings: Any) -> AsyncIterator[Site]:
        view = View(
            registry=ShipperMetrics().registry,
            ready=lambda: self.reason,
            targets=lambda: self.targets,
            config=lambda: "clients: <secret>",
            reload=self._reload,
        )
        app = shipper_app(ServerConfig(**settings), view)
        async with served(app) as url, ClientSession(url) as self.client:
            yield self

    async def get(
        self, path: str, method: str = "GET", **headers: str
    ) -> tuple[int, str]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.client.request(
            method, path, allow_redirects=False, headers=named
        ) as response:
            return response.status, await response.text()

    async def json(self, path: str) -> Any:
        status, text = await self.get(path, **JSON)
        assert status == 200
        return json.loads(text)


async def test_ready_in_promtails_words() -> None:
    async with Site().open() as site:
        assert await site.get("/ready") == (200, "Ready")
        site.reason = "Loki at loki:3100: cannot connect"
        status, text = await site.get("/ready")
        assert (status, text) == (500, f"Not ready: {site.reason}\n")
        assert (await site.get("/-/ready"))[0] == 503
        assert (await site.get("/-/healthy"))[0] == 200
        status, text = await site.get("/ready?format=json")
        assert status == 500
        assert json.loads(text) == {"ready": False, "reason": site.reason}


async def test_health_check_target_off_is_always_ready() -> None:
    async with Site().open(health_check_target=False) as site:
        site.reason = "down"
        assert await site.get("/ready") == (200, "Ready")
        assert "Not ready" not in (await site.get("/targets"))[1]


async def test_metrics_and_their_switch() -> None:
    async with Site().open() as site:
        status, text = await site.get("/metrics")
        assert status == 200
        assert "\npromtail_docker_target_entries_total 0\n" in text
        assert "\npromtail_build_info{" in text
        assert 'inflight_requests{method="GET",route="metrics"} 1\n' in text
    async with Site().open(register_instrumentation=False) as site:
        assert (await site.get("/metrics"))[0] == 404
        assert 'href="metrics"' not in (await site.get("/targets"))[1]


@pytest.mark.parametrize("path", PAGES)
async def test_pages_escape_what_they_show(path: str) -> None:
    async with Site().open() as site:
        site.reason = "<down>"
        status, text = await site.get(path)
        assert status == 200
        for raw in ("<web>", "<secret>", "<lost>", "<id>", "<down>"):
            assert raw not in text
        assert "&lt;down&gt;" in text


@pytest.mark.parametrize("path", PAGES)
async def test_pages_run_nothing_but_their_own(path: str) -> None:
    async with Site().open() as site:
        async with site.client.get(path) as response:
            policy = response.headers["Content-Security-Policy"]
            text = await response.text()
            assert "Server" not in response.headers
            assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        for word in ("http://", "https://", " style=", " onclick="):
            assert word not in text


async def test_the_same_as_json() -> None:
    async with Site().open() as site:
        found = await site.json("/targets")
        assert found["ready"] is True
        assert found["counts"] == {"error": 1, "lagging": 0, "ok": 0, "dropped": 1}
        (read,), (dropped,) = found["targets"], found["dropped"]
        assert read == {
            "job": "docker",
            "kind": "docker",
            "name": "<web>",
            "state": "error",
            "lag_seconds": 0.5,
            "error": "<lost>",
            "details": {"<id>": "0123"},
            "streams": {"stdout": {"container_name": "<web>", "stream": "stdout"}},
        }
        assert (dropped["name"], dropped["state"]) == ("noise", "dropped")
        (job,) = (await site.json("/service-discovery"))["jobs"]
        assert (job["total"], job["active"], job["dropped"]) == (2, 1, 1)
        assert job["targets"][1]["discovered"] == {"__address__": "x"}
        assert await site.json("/config") == {"yaml": "clients: <secret>"}


async def test_a_name_that_is_no_text_breaks_no_page() -> None:
    async with Site().open() as site:
        site.targets = [
            Target(job="f", kind="file", name="\udcff", streams={"\udcff": ()})
        ]
        for path in PAGES:
            assert (await site.get(path))[0] == 200
            assert (await site.get(path, **JSON))[0] == 200


async def test_any_method_as_promtail() -> None:
    async with Site().open() as site:
        for path in (*PAGES, "/ready", "/metrics"):
            assert (await site.get(path, "POST"))[0] == 200
            assert await site.get(path, "HEAD") == (200, "")


async def test_the_front_page_leads_to_the_targets() -> None:
    async with Site().open() as site:
        response = await site.client.get("/", allow_redirects=False)
        assert (response.status, response.headers["Location"]) == (303, "/targets")
        response = await site.client.get("/?format=json", allow_redirects=False)
        assert response.headers["Location"] == "/targets?format=json"
        assert await site.get("/nothing") == (404, "404 page not found\n")
        assert (await site.get("/loglevel"))[0] == 404  # nor has promtail


@pytest.mark.parametrize(
    ("external_url", "location"),
    [
        ("", "/logs/targets"),
        ("https://host/shipper/", "/shipper/logs/targets"),
        ("http://[", "/logs/targets"),
    ],
)
async def test_a_prefix_is_before_every_route(external_url: str, location: str) -> None:
    settings = {"http_path_prefix": "/logs/", "external_url": external_url}
    async with Site().open(**settings) as site:
        assert await site.get("/logs/ready") == (200, "Ready")
        assert (await site.get("/logs/metrics"))[0] == 200
        assert (await site.get("/ready"))[0] == 404
        response = await site.client.get("/logs/", allow_redirects=False)
        assert response.headers["Location"] == location


async def test_reload_only_where_it_is_enabled() -> None:
    async with Site().open() as site:
        assert (await site.get("/reload", "POST"))[0] == 404
        assert site.reloads == 0
    async with Site().open(enable_runtime_reload=True) as site:
        assert await site.get("/reload", "POST") == (200, "")
        assert await site.get("/reload") == (200, "")
        site.reload_error = "config has not changed"
        assert await site.get("/reload") == (
            500, "failed to reload config: config has not changed\n",
        )  # fmt: skip
        assert site.reloads == 3
        status, _ = await site.get("/reload", Sec_Fetch_Site="cross-site")
        assert (status, site.reloads) == (403, 3)


async def test_reloads_do_not_overlap() -> None:
    running = most = 0

    async def reload() -> str | None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return None

    view = View(
        registry=ShipperMetrics().registry,
        ready=lambda: None,
        targets=list,
        config=str,
        reload=reload,
    )
    app = shipper_app(ServerConfig(enable_runtime_reload=True), view)
    async with served(app) as url, ClientSession(url) as client:
        answers = await asyncio.gather(*(client.post("/reload") for _ in range(5)))
    assert [answer.status for answer in answers] == [200] * 5
    assert most == 1

"""GET /probe: what is answered, with which status, and what that leaves behind."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest

from exporters.nginx.http.resolver import Lookup
from exporters.nginx.probe import add_probe, handler
from exporters.nginx.probe.modules import Module, plus
from exporters.toolkit.errors import StartError
from exporters.toolkit.metric import GaugeMetricFamily, Metric
from exporters.toolkit.web import Application, Request, Response
from tests.nginx.conftest import always, fake_nginx, page, response
from tests.nginx.probe.conftest import exporter, network


LOCAL = "127.0.0.1"

PROBED = """\
# HELP nginx_connections_accepted Accepted client connections
# TYPE nginx_connections_accepted counter
nginx_connections_accepted{env="x"} 16
# HELP nginx_connections_active Active client connections
# TYPE nginx_connections_active gauge
nginx_connections_active{env="x"} 7
# HELP nginx_connections_handled Handled client connections
# TYPE nginx_connections_handled counter
nginx_connections_handled{env="x"} 15
# HELP nginx_connections_reading Connections where NGINX is reading the request header
# TYPE nginx_connections_reading gauge
nginx_connections_reading{env="x"} 1
# HELP nginx_connections_waiting Idle client connections
# TYPE nginx_connections_waiting gauge
nginx_connections_waiting{env="x"} 4
# HELP nginx_connections_writing \
Connections where NGINX is writing the response back to the client
# TYPE nginx_connections_writing gauge
nginx_connections_writing{env="x"} 2
# HELP nginx_http_requests_total Total http requests
# TYPE nginx_http_requests_total counter
nginx_http_requests_total{env="x"} 31
# HELP nginx_up Status of the last metric scrape
# TYPE nginx_up gauge
nginx_up{env="x"} 1
# HELP probe_duration_seconds Returns how long the probe took to complete in seconds
# TYPE probe_duration_seconds gauge
probe_duration_seconds N
# HELP probe_success Displays whether or not the probe was a success
# TYPE probe_success gauge
probe_success 1
"""

DOWN = """\
# HELP nginx_up Status of the last metric scrape
# TYPE nginx_up gauge
nginx_up 0
# HELP probe_duration_seconds Returns how long the probe took to complete in seconds
# TYPE probe_duration_seconds gauge
probe_duration_seconds N
# HELP probe_success Displays whether or not the probe was a success
# TYPE probe_success gauge
probe_success 0
"""


def timeless(text: str) -> str:
    return re.sub(r"(?m)^(probe_duration_seconds) .*", r"\1 N", text)


def samples(families: list[Metric]) -> dict[str, float]:
    return {
        f"{sample.name}{list(sample.labels.values())}": sample.value
        for family in families
        for sample in family.samples
    }


async def test_nothing_but_the_target() -> None:
    async with (
        fake_nginx(always(response(page()))) as (_, uri),
        exporter(LOCAL, labels={"env": "x"}) as prober,
    ):
        status, text = await prober.get(uri)
    assert (status, timeless(text)) == (200, PROBED)


async def test_over_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "nginx.sock"
    async with (
        fake_nginx(always(response(page())), path=path) as (_, uri),
        exporter(f"unix:{tmp_path}/*.sock:/stub_status") as prober,
    ):
        assert "probe_success 1\n" in (await prober.get(uri))[1]


async def test_by_name_with_a_dot_at_its_end() -> None:
    async with (
        fake_nginx(always(response(page()))) as (fake, uri),
        exporter(
            "*.example:*", "127.0.0.0/8", answers={"a.example.": [LOCAL]}
        ) as prober,
    ):
        _, text = await prober.get(uri.replace(LOCAL, "a.example."))
        assert "probe_success 1\n" in text
        assert prober.names.asked == ["a.example."]
        assert "Host: a.example:" in fake.requests[0]  # nginx takes it either way


async def test_each_probe_has_its_own_connection() -> None:
    """Nothing is kept: a thousand targets leave a thousand descriptors free."""
    async with (
        fake_nginx(always(response(page()))) as (fake, uri),
        exporter(LOCAL) as prober,
    ):
        for _ in range(3):
            fake.closed.clear()
            await prober.get(uri)
            await fake.closed.wait()
    assert fake.connections == 3


async def test_the_same_target_twice_at_once() -> None:
    both = asyncio.Barrier(2)

    async def slow(writer: asyncio.StreamWriter) -> None:
        await both.wait()
        writer.write(response(page()))

    async with fake_nginx(slow) as (_, uri), exporter(LOCAL) as prober:
        for _, text in await asyncio.gather(prober.get(uri), prober.get(uri)):
            assert "probe_success 1\n" in text


DEAD = {
    "not found": response(b"<html>", "404 Not Found"),
    "no stub_status": response(b"<html>hello</html>"),
    "redirect": response(b"", "302 Found", "Location: /stub_status"),
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
}


@pytest.mark.parametrize("answer", DEAD.values(), ids=DEAD)
async def test_what_is_no_nginx_is_down(answer: bytes) -> None:
    async with (
        fake_nginx(always(answer, close=True)) as (fake, uri),
        exporter(LOCAL) as prober,
    ):
        status, text = await prober.get(uri)
    assert (status, timeless(text)) == (200, DOWN)
    assert len(fake.requests) == 1


async def test_nobody_listens() -> None:
    with socket.socket() as free:  # bound and not listening: refused
        free.bind((LOCAL, 0))
        async with exporter(LOCAL) as prober:
            uri = f"http://{LOCAL}:{free.getsockname()[1]}/s"
            status, text = await prober.get(uri)
    assert (status, timeless(text)) == (200, DOWN)


async def test_an_unknown_name_is_down(caplog: pytest.LogCaptureFixture) -> None:
    async with exporter("web1") as prober:
        status, text = await prober.get("http://web1/s")
    assert (status, timeless(text)) == (200, DOWN)
    errors = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert errors[0].__dict__["fields"] == {
        "uri": "http://web1/s",
        "error": "look up host web1: Name or service not known",
    }


@pytest.mark.parametrize(
    ("configured", "header", "limit"), [(0.2, "100", "0.2"), (60.0, "0.2", "0.18")]
)
async def test_a_hung_nginx_is_down_in_time(
    configured: float, header: str, limit: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def hung(_: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    headers = {"X-Prometheus-Scrape-Timeout-Seconds": header}
    async with (
        fake_nginx(hung) as (_, uri),
        exporter(LOCAL, timeout_seconds=configured) as prober,
    ):
        answer = await prober.ask(uri, headers=headers)
    assert (answer.status, timeless(await answer.text())) == (200, DOWN)
    (record,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    said = record.__dict__["fields"]["error"]
    # What the gate took of the time is not the module's any more.
    assert re.fullmatch(r"no complete answer within ([\d.]+)s", said)
    assert float(said.split()[-1][:-1]) <= float(limit)


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ({}, 400, "Target parameter is missing"),
        ({"target": ""}, 400, "Target parameter is missing"),
        ({"target": "http://h\r\n/"}, 400, "Target 'http://h\\r\\n/' cannot be read"),
        ({"target": "http://u:sekret@h/"}, 400, "Target has credentials"),
        (
            {"target": "http://h/", "module": "no"},
            400,
            'Unknown module "no", known: stub',
        ),
        ({"target": "h", "module": "\n"}, 400, 'Unknown module "\\n"'),
        ({"target": "tcp://h/"}, 400, "module stub_status asks http, https, unix"),
        (
            {"target": "http://10.0.0.1/"},
            403,
            "Target 'http://10.0.0.1/' is not allowed",
        ),
        ({"target": "unix:/run/docker.sock:/"}, 403, "not allowed by --probe.allow"),
    ],
)
async def test_refusals_are_one_line(
    query: Mapping[str, str], status: int, said: str
) -> None:
    async with exporter(LOCAL) as prober:
        answer = await prober.ask(query=query)
    text = await answer.text()
    assert answer.status == status
    assert said in text
    assert text.count("\n") == 1
    assert "sekret" not in text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.content_type == "text/plain"


async def test_without_an_allow_list_it_says_how_to_allow() -> None:
    async with exporter() as prober:
        status, text = await prober.get("http://127.0.0.1/")
    assert status == 403
    assert "--probe.allow=10.0.0.0/8" in text
    assert text.count("\n") == 1


async def test_of_several_parameters_the_first_counts() -> None:
    async with (
        fake_nginx(always(response(page()))) as (_, uri),
        exporter(LOCAL) as prober,
        prober.session.get(
            "/probe", params=[("target", uri), ("target", "http://evil/")]
        ) as answer,
    ):
        assert "probe_success 1\n" in await answer.text()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_any_method(method: str) -> None:
    async with (
        fake_nginx(always(response(page()))) as (_, uri),
        exporter(LOCAL) as prober,
    ):
        answer = await prober.ask(uri, method=method)
    assert "probe_success 1\n" in await answer.text()


async def test_head() -> None:
    async with (
        fake_nginx(always(response(page()))) as (fake, uri),
        exporter(LOCAL) as prober,
    ):
        answer = await prober.ask(uri, method="HEAD")
        # Over the same connection: a body would be in the way.
        status, _ = await prober.get(uri)
    assert (answer.status, status) == (200, 200)
    assert len(fake.requests) == 2


async def test_formats_and_names() -> None:
    async with (
        fake_nginx(always(response(page()))) as (_, uri),
        exporter(LOCAL) as prober,
    ):
        plain = await prober.ask(uri, headers={"Accept-Encoding": "identity"})
        packed = await prober.ask(uri, headers={"Accept-Encoding": "gzip"})
        one = await prober.get(uri, **{"name[]": "nginx_up"})
    assert plain.headers["Content-Type"] == (
        "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
    )
    assert packed.headers["Content-Encoding"] == "gzip"
    assert timeless(await plain.text()) == timeless(await packed.text())
    assert re.findall("^[a-z_]+", one[1], re.MULTILINE) == ["nginx_up"]


def _module(up: float, held: asyncio.Event | None = None) -> Module:
    async def ask(_: str, __: float, ___: Lookup) -> list[Metric]:
        if held is not None:
            await held.wait()
        return [GaugeMetricFamily("phpfpm_up", "Up.", up)]

    return Module(ask, ("tcp", "unix"))


async def test_modules() -> None:
    modules = {"fpm": _module(1.0), "other": _module(0.0)}
    async with exporter(LOCAL, modules=modules) as prober:
        assert "probe_success 1\n" in (await prober.get(f"{LOCAL}:9000"))[1]
        _, text = await prober.get(LOCAL, module="other")
        assert "probe_success 0\n" in text
        status, _ = await prober.get(f"http://{LOCAL}/", module="fpm")
        assert status == 400


async def test_more_than_the_maximum() -> None:
    held = asyncio.Event()
    modules = {"fpm": _module(1.0, held)}
    async with exporter(LOCAL, modules=modules, max_concurrent=1) as prober:
        first = asyncio.create_task(prober.get(LOCAL))
        second = asyncio.create_task(prober.get(LOCAL))
        done, (waiting,) = await asyncio.wait(
            {first, second}, return_when=asyncio.FIRST_COMPLETED
        )
        assert [task.result() for task in done] == [
            (503, "Limit of concurrent probes reached (1), try again later.\n")
        ]
        held.set()
        assert (await waiting)[0] == 200
        assert (await prober.get(LOCAL))[0] == 200


async def test_a_module_that_keeps_no_time(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(handler, "_GRACE_SECONDS", 0.0)
    modules = {"fpm": _module(1.0, asyncio.Event())}
    async with exporter(LOCAL, modules=modules, timeout_seconds=0.1) as prober:
        assert await prober.get(LOCAL) == (500, "Internal Server Error\n")
        assert prober.prober is not None
        assert prober.prober.counts.in_flight == 0
    assert "error serving request" in caplog.messages


async def test_counts() -> None:
    modules = {"fpm": _module(1.0), "down": _module(0.0)}
    async with exporter(LOCAL, modules=modules) as prober:
        for query in (
            {"target": LOCAL},
            {"target": LOCAL, "module": "down"},
            {"target": LOCAL, "module": "none"},
            {"target": "10.0.0.1"},
            {"target": "0x7f.1"},
            {},
        ):
            await prober.ask(query=query)
        assert prober.prober is not None
        families = await prober.prober.counts.collect(None)
    counted = {name: value for name, value in samples(families).items() if value}
    assert counted == {
        "nginx_exporter_probes_total['fpm', 'success']": 1,
        "nginx_exporter_probes_total['down', 'failure']": 1,
        "nginx_exporter_probes_refused_total['module']": 1,
        "nginx_exporter_probes_refused_total['not_allowed']": 1,
        "nginx_exporter_probes_refused_total['target']": 2,
    }


async def test_credentials_of_a_pattern_are_sent_and_not_shown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    refused = always(response(b"", "401 Unauthorized"))
    async with (
        fake_nginx(refused) as (fake, uri),
        exporter("http://u:sekret@127.0.0.1:*/stub_status") as prober,
    ):
        texts = [await prober.get(uri), await prober.get(uri, debug="true")]
        other = await prober.get(uri.replace("stub_status", "other"))
    assert other[0] == 403
    assert [each.count("Basic dTpzZWtyZXQ=") for each in fake.requests] == [1, 1]
    logged = "".join(repr(each.__dict__) for each in caplog.records)
    for secret in ("sekret", "dTpzZWtyZXQ"):
        assert secret not in repr(texts)
        assert secret not in logged


def test_the_path_of_the_metrics() -> None:
    """Who has --web.telemetry-path=/probe and probes nothing keeps it."""
    app = Application()

    async def metrics(_: Request) -> Response:
        return Response()

    app.add("/probe", metrics)
    add_probe(app, None)
    assert app.route("/probe") == "/probe"
    with pytest.raises(StartError, match=r"--web\.telemetry-path=/probe: expected"):
        add_probe(app, _Any())  # type: ignore[arg-type] # not asked


class _Any:
    """Stands for a prober."""


async def test_debug(caplog: pytest.LogCaptureFixture) -> None:
    names = {"a.example": [LOCAL]}
    async with (
        fake_nginx(always(response(page()))) as (_, uri),
        exporter("a.example", answers=names, timeout_seconds=4.5) as prober,
    ):
        named = uri.replace(LOCAL, "a.example")
        answer = await prober.ask(named, query={"debug": "true"})
    logs, metrics, module = (await answer.text()).split("\n\n\n\n")
    assert answer.content_type == "text/plain"
    assert logs.startswith("Logs for the probe:\ntime=")
    assert re.findall(r'msg="([^"]+)"', logs) == [
        "Beginning probe",
        "Resolved target address",
        "Probe succeeded",
    ]
    assert logs.count(f"module=stub_status target={named}") == 3
    assert "ip=127.0.0.1" in logs
    head, _, printed = metrics.partition("\n")
    assert head == "Metrics that would have been returned:"
    assert timeless(printed + "\n") == PROBED.replace('{env="x"}', "")
    assert module == (
        "Module configuration:\nmodule: stub_status\n"
        f"target: {named}\nallowed_by: a.example\ntimeout: 4.5s\n"
    )


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (response(b"x", "404 Not Found"), "expected 200 response, got 404"),
        (response(b"sekret"), "expected 'Active connections: N', got something else"),
        (b"sekret 1 2\r\n\r\n", "expected an HTTP response, got something else"),
        (response(b"sekret" * 99999), "at most 65536 bytes, got something else"),
    ],
)
async def test_debug_shows_nothing_of_what_a_server_sent(
    answer: bytes, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    """With a wide allow list that may be any service: its banner, its page."""
    async with (
        fake_nginx(always(answer, close=True)) as (_, uri),
        exporter(LOCAL) as prober,
    ):
        _, text = await prober.get(uri, debug="true")
    assert 'msg="error getting stats"' in text
    assert 'msg="Probe failed"' in text
    assert said in text
    assert "sekret" not in text
    assert "expected" in repr([each.__dict__ for each in caplog.records])


async def test_debug_shows_nothing_of_an_error_of_the_api() -> None:
    error = b'{"error": {"text": "sekret", "code": "sekret"}}'
    async with (
        fake_nginx(always(response(error, "403 Forbidden"))) as (_, uri),
        exporter(LOCAL, modules={"plus": plus(network(), {})}) as prober,
    ):
        _, text = await prober.get(uri, debug="true")
    assert "/9/: expected 200 response, got 403 something else" in text
    assert "sekret" not in text


async def test_debug_of_one_probe_has_no_lines_of_another() -> None:
    both = asyncio.Barrier(2)

    async def bad(writer: asyncio.StreamWriter) -> None:
        await both.wait()
        writer.write(response(b"", "404 Not Found"))

    async with fake_nginx(bad) as (_, uri), exporter(LOCAL) as prober:
        one, two = await asyncio.gather(
            prober.get(f"{uri}?1", debug="true"), prober.get(f"{uri}?2", debug="true")
        )
    for mine, other in ((one[1], "?2"), (two[1], "?1")):
        assert mine.count('msg="error getting stats"') == 1
        assert other not in mine

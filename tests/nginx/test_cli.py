from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from exporters.nginx.cli import PROGRAM
from exporters.nginx.flags import CONST_LABEL, NGINX_PLUS, SCRAPE_URI, TIMEOUT
from exporters.nginx.http.proxy_protocol import PROXY_PROTOCOL
from exporters.nginx.positive_duration import parse_positive_duration
from exporters.toolkit.errors import UsageError
from exporters.toolkit.kinds import Flag
from tests.nginx.conftest import Start, always, fake_nginx, page, response


LISTEN = "--web.listen-address=127.0.0.1:0"


def _fails(*flags: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "exporters.nginx", LISTEN, *flags],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert not done.stdout
    return [line for line in done.stderr.splitlines() if "level=INFO" not in line]


@pytest.mark.parametrize("flag", [NGINX_PLUS, PROXY_PROTOCOL])
def test_switches(flag: Flag[bool]) -> None:
    assert flag.env is not None
    assert not PROGRAM.parse([], {})[flag]
    assert PROGRAM.parse([f"--{flag.name}"], {})[flag]
    assert PROGRAM.parse([], {flag.env: "true"})[flag]
    assert not PROGRAM.parse([f"--no-{flag.name}"], {flag.env: "true"})[flag]


def test_the_command_line_goes_before_the_environment() -> None:
    environ = {"SCRAPE_URI": "http://a/\nhttp://b/", "CONST_LABELS": "a=b,c=d\ne=f"}
    values = PROGRAM.parse([], environ)
    assert values[SCRAPE_URI] == ("http://a/", "http://b/")
    assert values[CONST_LABEL] == ((("a", "b"), ("c", "d")), (("e", "f"),))
    given = ["--nginx.scrape-uri=http://c/", "--prometheus.const-label=g=h"]
    values = PROGRAM.parse(given, environ)
    assert values[SCRAPE_URI] == ("http://c/",)
    assert values[CONST_LABEL] == ((("g", "h"),),)


def test_what_is_not_the_subcommand_is_unexpected() -> None:
    assert _fails("healthcheck") == [
        "nginx-prometheus-exporter: error: unexpected healthcheck, try --help"
    ]


def test_a_usage_error_is_one_line() -> None:
    assert _fails("--prometheus.const-label=x") == [
        "nginx-prometheus-exporter: error: expected KEY=VALUE got 'x', try --help"
    ]


def test_a_start_error_is_one_line_without_credentials() -> None:
    (line,) = _fails("--nginx.scrape-uri=htp://u:sekret@h/")
    assert "level=ERROR" in line
    assert "cannot read --nginx.scrape-uri '…@h/': expected http://host" in line
    assert "sekret" not in line


@pytest.mark.parametrize(
    ("text", "seconds"), [("5s", 5), ("1m30s", 90), ("0", 0), ("1.5ms", 0.0015)]
)
def test_timeout(text: str, seconds: float) -> None:
    assert parse_positive_duration(text) == pytest.approx(seconds)
    assert PROGRAM.parse([], {"TIMEOUT": text})[TIMEOUT] == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("-1s", "negative duration -1s is not valid"),
        ("5", 'failed to parse duration "5": time: missing unit in duration "5"'),
        ("", 'failed to parse duration "": time: invalid duration ""'),
    ],
)
def test_timeout_that_is_none(text: str, error: str) -> None:
    with pytest.raises(UsageError) as caught:
        PROGRAM.parse([f"--nginx.timeout={text}"], {})
    assert str(caught.value) == error


async def test_environment(start_exporter: Start) -> None:
    async with (
        fake_nginx(always(response(page(1)))) as (fake, a),
        fake_nginx(always(response(page(2)))) as (_, b),
    ):
        exporter = await asyncio.to_thread(
            start_exporter,
            env={
                "LISTEN_ADDRESS": "127.0.0.1:0",
                "TELEMETRY_PATH": "/m",
                "SCRAPE_URI": f"{a},{b}\n{a}",
                "CONST_LABELS": "env=prod,zone=z",
            },
        )
        status, text = await exporter.get("/m")
    assert status == 200
    for uri, requests in ((a, 1), (b, 2)):
        labels = f'addr="{uri}",env="prod",zone="z"'
        assert f"nginx_http_requests_total{{{labels}}} {requests}\n" in text
    assert "\r\nUser-Agent: NGINX-Prometheus-Exporter/v" in fake.requests[0]
    assert await asyncio.to_thread(exporter.stop) == 0


async def test_starts_without_nginx_and_says_nothing_secret(
    start_exporter: Start,
) -> None:
    async with fake_nginx(always(response(b"", "401 Unauthorized"))) as (_, uri):
        secret = uri.replace("//", "//u:sekret@")
        exporter = await asyncio.to_thread(
            start_exporter,
            LISTEN,
            f"--nginx.scrape-uri={secret}",
            "--nginx.scrape-uri=http://u:sekret@nginx.invalid/",
            "--log.level=debug",
        )
        status, text = await exporter.get()
        landing = await exporter.get("/")
    assert status == 200
    assert f'nginx_up{{addr="{uri}"}} 0\n' in text
    assert 'nginx_up{addr="http://nginx.invalid/"} 0\n' in text
    assert "nginx_connections" not in text
    assert await exporter.get("/-/ready") == (
        200,
        "NGINX Prometheus Exporter is Ready.\n",
    )
    assert await asyncio.to_thread(exporter.stop) == 0
    log = "".join(exporter.log)
    assert f'uri={uri} error="expected 200 response, got 401"' in log
    assert 'uri=http://nginx.invalid/ error="look up host nginx.invalid: ' in log
    for shown in (text, landing[1], log):
        assert "sekret" not in shown
        assert "dTpzZWtyZXQ" not in shown
    assert "Traceback" not in log


@pytest.mark.parametrize(
    ("flag", "header", "limit"),
    [("--nginx.timeout=200ms", "10", "0.2s"), ("--nginx.timeout=5m", "0.3", "0.27s")],
)
async def test_a_hung_nginx_is_reported_in_time(
    start_exporter: Start, flag: str, header: str, limit: str
) -> None:
    """Upstream's bug 1: the flag has no effect, and the scrape hangs with nginx."""
    release = asyncio.Event()

    async def hung(writer: asyncio.StreamWriter) -> None:
        await release.wait()

    async with fake_nginx(hung) as (fake, uri):
        exporter = await asyncio.to_thread(
            start_exporter, LISTEN, f"--nginx.scrape-uri={uri}", flag
        )
        headers = {"X-Prometheus-Scrape-Timeout-Seconds": header}
        status, text = await exporter.get(**headers)
        assert not release.is_set()
        assert fake.asked.is_set()
        release.set()
    assert (status, "nginx_up 0\n" in text) == (200, True)
    assert await asyncio.to_thread(exporter.stop) == 0
    assert f'error="no complete answer within {limit}"' in "".join(exporter.log)

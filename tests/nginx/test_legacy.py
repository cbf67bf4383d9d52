"""The command line of 0.x: what it becomes, and beside bookworm's 0.11.0."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from exporters.nginx import legacy
from exporters.nginx.cli import PROGRAM
from exporters.nginx.flags import (
    CONFIG_FILE,
    CONST_LABEL,
    LISTEN_ADDRESS,
    NGINX_PLUS,
    SCRAPE_URI,
    TIMEOUT,
)
from exporters.nginx.http.tls import SSL_VERIFY
from exporters.toolkit.errors import StartError, UsageError
from exporters.toolkit.flags import Values
from tests.nginx.conftest import Start, always, fake_nginx, page, response
from tests.programs import program


def parse(*argv: str, **environ: str) -> Values:
    return PROGRAM.parse(tuple(legacy.modernized(argv, PROGRAM.flags)), environ)


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("-nginx.plus", "--nginx.plus"),
        ("-nginx.plus=true", "--nginx.plus"),
        ("-nginx.plus=T", "--nginx.plus"),
        ("-nginx.ssl-verify=false", "--no-nginx.ssl-verify"),
        ("--nginx.ssl-verify=0", "--no-nginx.ssl-verify"),
        ("-nginx.plus=", "--nginx.plus="),
        ("-nginx.plus=maybe", "--nginx.plus=maybe"),
        ("-nginx.timeout=true", "--nginx.timeout=true"),
        ("-web.listen-address=unix:/a=b", "--web.listen-address=unix:/a=b"),
        ("nginx.plus=true", "nginx.plus=true"),
        ("-h", "-h"),
        ("-", "-"),
        ("--", "--"),
        ("", ""),
        ("-help", "--help"),
        ("@file", "@file"),
    ],
)
def test_modernized(typed: str, wanted: str) -> None:
    assert list(legacy.modernized([typed], PROGRAM.flags)) == [wanted]


WORDS = st.one_of(
    st.text(),
    st.sampled_from(["-nginx.plus=", "--nginx.plus=", "-version", "-web", "--", "-h="]),
)


@given(st.lists(st.builds(str.__add__, WORDS, WORDS)))
def test_every_word_stays_one_word(argv: list[str]) -> None:
    modern = list(legacy.modernized(argv, PROGRAM.flags))
    assert len(modern) == len(argv)
    assert list(legacy.modernized(modern, PROGRAM.flags)) == modern


def test_a_whole_command_line_of_0x() -> None:
    values = parse(
        *("-nginx.scrape-uri", "http://a/"),
        *("-nginx.plus=false", "-nginx.ssl-verify=true", "-nginx.timeout", "3s"),
        *("-nginx.retries=0x10", "-nginx.retry-interval=1m"),
        *("-web.listen-address", "unix:/run/x.sock", "-web.secured-metrics"),
        *("-web.ssl-server-cert=c.pem", "-web.ssl-server-key", "k.pem"),
        *("-prometheus.const-labels", "a=b,c=d"),
    )
    assert values[SCRAPE_URI] == ("http://a/",)
    assert values[LISTEN_ADDRESS] == ("unix:/run/x.sock",)
    assert (values[NGINX_PLUS], values[SSL_VERIFY]) == (False, True)
    assert (values[TIMEOUT], values[legacy.RETRIES]) == (3, 16)
    assert values[legacy.RETRY_INTERVAL] == 60
    assert values[legacy.SECURED_METRICS]
    assert values[legacy.SSL_SERVER_CERT] == "c.pem"
    assert values[legacy.SSL_SERVER_KEY] == "k.pem"


def test_the_environment_of_0x() -> None:
    values = parse(
        NGINX_RETRIES="2",
        NGINX_RETRY_INTERVAL="7s",
        SECURED_METRICS="true",
        SSL_SERVER_CERT="c",
        SSL_SERVER_KEY="k",
    )
    assert values[legacy.RETRIES] == 2
    assert values[legacy.RETRY_INTERVAL] == 7
    assert legacy.protect(values, "") is not None


@pytest.mark.parametrize(
    ("argv", "environ", "wanted"),
    [
        ((), "", {}),
        ((), "a=1,b=2", {"a": "1", "b": "2"}),
        (("-prometheus.const-labels=a=3",), "a=1,b=2", {"a": "3"}),
        (("-prometheus.const-labels=",), "a=1,b=2", {}),
        (("--prometheus.const-label=a=4",), "a=1,b=2", {"a": "4"}),
        (
            ("--prometheus.const-label=a=4", "-prometheus.const-labels=a=3,c=5"),
            "b=2",
            {"a": "4", "c": "5"},
        ),
    ],
)
def test_const_labels(
    argv: tuple[str, ...], environ: str, wanted: dict[str, str]
) -> None:
    values = parse(*argv, CONST_LABELS=environ)
    lists = legacy.const_labels(values, CONST_LABEL)
    assert {name: value for pairs in lists for name, value in pairs} == wanted


@pytest.mark.parametrize(
    ("argv", "error"),
    [
        ("-nginx.retries=-1", 'expected a number of retries, got "-1"'),
        ("-nginx.retries=", 'expected a number of retries, got ""'),
        ("-nginx.retry-interval=5", 'failed to parse duration "5": time: missing'),
        ("-nginx.retry-interval=-5s", "negative duration -5s is not valid"),
        ("-prometheus.const-labels=a", "expected KEY=VALUE got 'a'"),
        ("-nginx.plus=maybe", "unexpected maybe"),
        ("-nope", "unknown long flag '--nope'"),
    ],
)
def test_refused(argv: str, error: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(argv)
    assert error in str(caught.value)


@pytest.mark.parametrize(
    ("argv", "error"),
    [
        ((), "expected --web.ssl-server-cert and --web.ssl-server-key"),
        (("-web.ssl-server-cert=c",), "expected --web.ssl-server-key"),
        (("-web.ssl-server-key=k",), "expected --web.ssl-server-cert"),
        (("-web.config.file=w",), "and --web.config.file w: expected one of them"),
    ],
)
def test_secured_metrics_that_cannot_be(argv: tuple[str, ...], error: str) -> None:
    values = parse("-web.secured-metrics", *argv)
    with pytest.raises(StartError) as caught:
        legacy.protect(values, values[CONFIG_FILE])
    assert str(caught.value).endswith(error) or f"{error};" in str(caught.value)


def test_certificates_alone_are_not_used_as_in_0x() -> None:
    assert legacy.protect(parse("-web.ssl-server-cert=c"), "") is None


@pytest.mark.parametrize("broken", ["cert", "key", "pair"])
async def test_certificates_that_cannot_be_used(
    certificate: Path, tmp_path: Path, broken: str
) -> None:
    files = {"cert": f"{certificate}.crt", "key": str(certificate)}
    if broken == "pair":
        files["key"] = files["cert"]
    else:
        files[broken] = str(tmp_path / "none")
    argv = [f"-web.ssl-server-{name}={path}" for name, path in files.items()]
    start = legacy.protect(parse("-web.secured-metrics", *argv), "")
    assert start is not None
    with pytest.raises(StartError) as caught:
        await start()
    text = str(caught.value)
    assert text.startswith("--web.ssl-server-cert, --web.ssl-server-key: failed to ")
    assert ("no such file or directory" in text) == (broken != "pair")
    assert "\n" not in text


def test_warnings_show_no_value(caplog: pytest.LogCaptureFixture) -> None:
    argv = (
        "-nginx.scrape-uri=http://u:sekret@h/",
        "-no-nginx.plus",
        "--log.level=info",
    )
    with caplog.at_level(logging.WARNING):
        legacy.warn(argv, PROGRAM.flags, parse(*argv))
    (record,) = caplog.records
    assert vars(record)["fields"] == {"flags": "nginx.scrape-uri,no-nginx.plus"}


@pytest.mark.parametrize(
    ("environ", "lines"),
    [({}, 0), ({"NGINX_RETRIES": "3"}, 1), ({"NGINX_RETRY_INTERVAL": "1s"}, 1)],
)
def test_one_line_says_that_retries_have_no_effect(
    environ: dict[str, str], lines: int, caplog: pytest.LogCaptureFixture
) -> None:
    legacy.warn((), PROGRAM.flags, parse(**environ))
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == lines
    for text in said:
        assert text.startswith("--nginx.retries and --nginx.retry-interval have no eff")


async def ask(path: Path, tls: ssl.SSLContext | None, request: str = "/metrics") -> str:
    """Return the answer at the unix socket *path*."""
    name = "localhost" if tls else None
    reader, writer = await asyncio.open_unix_connection(
        path, ssl=tls, server_hostname=name
    )
    writer.write(f"GET {request} HTTP/1.0\r\nHost: x\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer.decode()


def trusting(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=f"{certificate}.crt")
    context.check_hostname = False  # it is one for 127.0.0.1
    return context


def secured(uri: str, path: Path, certificate: Path) -> list[str]:
    """Return a command line of 0.x."""
    return [
        "-nginx.scrape-uri",
        uri,
        "-nginx.ssl-verify=false",
        "-nginx.retries=2",
        f"-web.listen-address=unix:{path}",
        "-web.secured-metrics=true",
        f"-web.ssl-server-cert={certificate}.crt",
        f"-web.ssl-server-key={certificate}",
        "-prometheus.const-labels=env=prod,zone=z",
    ]


async def test_tls_on_a_unix_socket_that_was_left_behind(
    start_exporter: Start, certificate: Path, tmp_path: Path
) -> None:
    path = tmp_path / "exporter.sock"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    async with fake_nginx(always(response(page(5)))) as (_, uri):
        argv = secured(uri, path, certificate)
        exporter = await asyncio.to_thread(start_exporter, *argv)
        text = await ask(path, trusting(certificate))
        plain = await ask(path, None)
    assert 'nginx_http_requests_total{env="prod",zone="z"} 5\n' in text
    assert "Client sent an HTTP request to an HTTPS server." in plain
    assert await asyncio.to_thread(exporter.stop) == 0
    assert not path.exists()
    log = "".join(exporter.log)
    assert "level=ERROR" not in log
    assert log.count("level=WARN") == 2, "one dash, retries"


async def test_a_socket_in_use_is_not_taken(
    start_exporter: Start, tmp_path: Path
) -> None:
    path = tmp_path / "exporter.sock"
    listen = f"--web.listen-address=unix:{path}"
    exporter = await asyncio.to_thread(start_exporter, listen)
    process = await asyncio.create_subprocess_exec(
        *exporter.process.args,  # type: ignore[misc] # a list, as conftest has it
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await process.communicate()
    assert process.returncode == 1
    assert err.decode().count("level=ERROR") == 1
    assert f"listen unix {path}: bind: address already in use" in err.decode()
    assert "Healthy" in await ask(path, None, "/-/healthy")
    assert await asyncio.to_thread(exporter.stop) == 0


@pytest.mark.oracle
async def test_the_same_command_line_beside_0x(
    start_exporter: Start, certificate: Path, tmp_path: Path
) -> None:
    debian = program("NGINX_EXPORTER", "prometheus-nginx-exporter", "/usr/bin")
    seen = []
    async with fake_nginx(always(response(page(5)))) as (_, uri):
        for command, started in (
            ((debian,), "has successfully started using https"),
            (None, "TLS is enabled."),
        ):
            path = tmp_path / "exporter.sock"
            argv = secured(uri, path, certificate)
            kwargs = {"command": command} if command else {}
            exporter = await asyncio.to_thread(
                start_exporter, *argv, started=started, **kwargs
            )
            text = await ask(path, trusting(certificate))
            mode = path.stat().st_mode & 0o777
            lines = [line for line in text.split("\n") if line.startswith("nginx_")]
            wanted = [line for line in lines if "build_info" not in line]
            # Not its exit code: 0.x leaves with 0 or 1, whichever goroutine is first.
            await asyncio.to_thread(exporter.stop)
            seen.append((sorted(wanted), mode))
            assert not path.exists()
    assert seen[0] == seen[1]
    assert len(seen[0][0]) == 8

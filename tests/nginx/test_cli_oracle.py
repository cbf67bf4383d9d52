"""The command line side by side with Debian sid's 1.5.1: what is refused, and how."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable

import pytest

from exporters.nginx import cli
from tests.programs import program


pytestmark = pytest.mark.oracle

OURS = (sys.executable, "-m", "exporters.nginx")
LISTEN = ("--web.listen-address=127.0.0.1:0",)

# Command lines and environments that both refuse with the same line and exit code 1.
SAME: tuple[tuple[tuple[str, ...], dict[str, str]], ...] = (
    (("--nope",), {}),
    (("-nope",), {}),
    (("-n=1",), {}),
    (("-x",), {}),
    (("word",), {}),
    ((*LISTEN, "healthcheck"), {}),
    (("-h", "extra"), {}),
    (("--web.listen-address",), {}),
    (("--nginx.timeout=5",), {}),
    (("--nginx.timeout=-1s",), {}),
    (("--nginx.timeout=",), {}),
    (("--nginx.timeout=1s", "--nginx.timeout=2s"), {}),
    (("--prometheus.const-label=x",), {}),
    (("--log.level=loud",), {}),
    (("--log.format=xml",), {}),
    (("--nginx.plus=maybe",), {}),
    (("@/nope",), {}),
    ((), {"SYSTEMD_SOCKET": "maybe"}),
    ((), {"NGINX_PLUS": "maybe"}),
    ((), {"SSL_VERIFY": "maybe"}),
    ((), {"PROXY_PROTOCOL": "maybe"}),
    ((), {"TIMEOUT": "x"}),
    ((), {"CONST_LABELS": "x"}),
)

# What both refuse after their first lines of log; ours in words of its own.
WORDS: dict[str, tuple[tuple[str, ...], dict[str, str], str]] = {
    # upstream: open /nope: no such file or directory
    "ca": (LISTEN, {"SSL_CA_CERT": "/nope"}, "--nginx.ssl-ca-cert /nope: No such file"),
    "ca-junk": (
        (*LISTEN, f"--nginx.ssl-ca-cert={__file__}"),
        {},
        "expected PEM certificates",
    ),
    "pair": (
        LISTEN,
        {"SSL_CLIENT_CERT": "/nope", "SSL_CLIENT_KEY": "/nope"},
        "--nginx.ssl-client-key /nope: No such file or directory",
    ),
    "config": (LISTEN, {"CONFIG_FILE": "/nope"}, "open /nope: no such file or"),
    "port": ((), {"LISTEN_ADDRESS": ":99999"}, "listen tcp: address 99999: invalid"),
    "systemd": ((), {"SYSTEMD_SOCKET": "1"}, "no socket activation file descriptors"),
}


def _run(
    command: tuple[str, ...], argv: tuple[str, ...], env: dict[str, str]
) -> tuple[int, list[str]]:
    done = subprocess.run(
        [*command, *argv],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": os.environ["PATH"]} | env,
    )
    return done.returncode, _lines(done.stderr)


def _lines(text: str) -> list[str]:
    # One is called prometheus-nginx-exporter, the other nginx-prometheus-exporter.
    name = r"^(?:nginx-prometheus|prometheus-nginx)-exporter"
    lines = [line for line in text.splitlines() if "level=INFO" not in line]
    return [re.sub(name, "exporter", line) for line in lines]


Main = Callable[..., tuple[int, str, str]]


@pytest.fixture
def main(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Main:
    """Run ours in this process: code, stdout, stderr."""

    def run(*argv: str, env: dict[str, str] | None = None) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["exporter", *argv])
        for name, value in (env or {}).items():
            monkeypatch.setenv(name, value)
        code = cli.main()
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def sid() -> tuple[str, ...]:
    return (program("NGINX_EXPORTER_SID", "prometheus-nginx-exporter-sid", ""),)


@pytest.mark.parametrize(("argv", "env"), SAME)
def test_refused_with_the_same_line(
    sid: tuple[str, ...], main: Main, argv: tuple[str, ...], env: dict[str, str]
) -> None:
    code, out, err = main(*argv, env=env)
    assert (code, _lines(err)) == _run(sid, argv, env)
    assert (code, out) == (1, "")
    assert len(_lines(err)) == 1


@pytest.mark.parametrize("case", WORDS)
def test_refused_in_other_words(sid: tuple[str, ...], case: str) -> None:
    argv, env, words = WORDS[case]
    code, lines = _run(OURS, argv, env)
    their_code, their_lines = _run(sid, argv, env)
    assert code == their_code == 1
    assert len(lines) == len(their_lines) == 1
    assert "level=ERROR" in lines[0]
    assert words in lines[0]


@pytest.mark.parametrize(
    "words",
    [
        ("--nginx.timeout", ""),
        ("--nginx.scrape-uri", ""),
        ("--log.format", "j"),
    ],
)
def test_completion_is_the_same(
    sid: tuple[str, ...], main: Main, words: tuple[str, ...]
) -> None:
    argv = ("--completion-bash", *words)
    theirs = subprocess.run([*sid, *argv], capture_output=True, text=True, check=True)
    code, out, _ = main(*argv)
    assert code == 0
    assert out.split() == theirs.stdout.split() != []


@pytest.mark.parametrize(
    "flag", ["--help", "--version", "-h", "-help", "-version", "--help-man"]
)
def test_both_answer(sid: tuple[str, ...], main: Main, flag: str) -> None:
    assert _run(sid, (flag,), {})[0] == 0
    code, out, err = main(flag)
    assert (code, err) == (0, "")
    assert "nginx" in out


def test_the_first_lines_are_the_same(sid: tuple[str, ...]) -> None:
    shown = []
    for command in (OURS, sid):
        argv = [*command, *LISTEN, "--nginx.ssl-ca-cert=/nope"]
        done = subprocess.run(
            argv, capture_output=True, text=True, check=False, timeout=60
        )
        lines = [line for line in done.stderr.splitlines() if "level=INFO" in line]
        shown.append([re.findall(r"(\w+)=", line.split("(")[0]) for line in lines])
    assert shown[0] == shown[1]
    assert len(shown[0]) == 2

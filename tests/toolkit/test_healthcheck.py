from __future__ import annotations

import re
import runpy
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from exporters.nginx.flags import LISTEN_ADDRESS as NGINX_LISTEN
from exporters.node.cli import LISTEN_ADDRESS as NODE_LISTEN
from exporters.toolkit import healthcheck
from shipper.store.cli import LISTEN as STORE_LISTEN


ROOT = Path(__file__).parents[2]
FINE = b"HTTP/1.1 200 OK\r\n\r\nfine"


@contextmanager
def answering(reply: bytes, server: socket.socket | None = None) -> Iterator[list[str]]:
    """Answer one request on *server* with *reply*; give its first line and Host."""
    listener = server or socket.create_server(("127.0.0.1", 0))
    asked: list[str] = []

    def serve() -> None:
        with listener.accept()[0] as connection:
            lines = connection.recv(4096).decode().split("\r\n")
            asked.extend(lines[:2])
            connection.sendall(reply)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield asked
    finally:
        thread.join()
        listener.close()


def ask_once(reply: bytes) -> int:
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    with answering(reply, server):
        return healthcheck.main([f":{port}/-/healthy"])


@pytest.mark.parametrize(
    ("reply", "code", "problem"),
    [
        (FINE, 0, ""),
        (b"HTTP/1.1 401 Unauthorized\r\n\r\n", 0, ""),
        (b"HTTP/1.1 429 Too Many Requests\r\n\r\n", 0, ""),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", 1, "expected 200, got 'HTTP/1.1 400"),
        (
            (
                b"HTTP/1.0 400 Bad Request\r\n\r\n"
                b"Client sent an HTTP request to an HTTPS server.\n"
            ),
            0,
            "",
        ),
        (b"SSH-2.0 200\r\n", 1, "expected 200, got 'SSH-2.0 200'"),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", 1, "expected 200, got 'HTTP/1.1"),
        (b"SSH-2.0-200\r\n", 1, "expected 200, got 'SSH-2.0-200'"),
        (b"", 1, "expected 200, got ''"),
    ],
)
def test_who_is_healthy(
    reply: bytes, code: int, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask_once(reply) == code
    err = capsys.readouterr().err
    assert problem in err
    assert err.count("\n") == code


def test_nobody_listens(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert healthcheck.main([f":{port}/"]) == 1
    assert capsys.readouterr().err == f"healthcheck: :{port}/: Connection refused\n"


def test_who_says_nothing_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(healthcheck, "TIMEOUT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert healthcheck.main([f":{port}/"]) == 1
    assert capsys.readouterr().err == f"healthcheck: :{port}/: timed out\n"


@pytest.mark.parametrize(
    "argv",
    [[], ["9100"], [":x/"], ["a", "b"], ["host/path"], [":65536"], ["unix:"]],
)
def test_bad_arguments(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert healthcheck.main(argv) == 1
    assert healthcheck.EXPECTED in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "address", "path"),
    [
        (":9100/-/healthy", ("", 9100), "/-/healthy"),
        ("store:3100", ("store", 3100), "/"),
        ("[::1]:80/x", ("::1", 80), "/x"),
        ("unix:/run/x.sock", "/run/x.sock", "/"),
        ("unix:/run/x.sock:/-/ready", "/run/x.sock", "/-/ready"),
    ],
)
def test_parse(text: str, address: healthcheck.Address, path: str) -> None:
    assert healthcheck.parse(text) == (address, path)


@given(st.builds(str.__add__, st.sampled_from(["", ":", "unix:", "[::1]:"]), st.text()))
def test_parse_never_raises_anything_else(text: str) -> None:
    try:
        address, path = healthcheck.parse(text, "/-/healthy")
    except ValueError as error:
        problem = str(error)
    else:
        assert address
        assert path.startswith("/")
        return
    assert problem == healthcheck.EXPECTED


@pytest.mark.parametrize(
    ("family", "listen", "address"),
    [
        (socket.AF_INET, "127.0.0.1", ":{port}"),
        (socket.AF_INET, "127.0.0.1", "0.0.0.0:{port}"),
        (socket.AF_INET, "127.0.0.1", "127.0.0.1:{port}"),
        (socket.AF_INET, "127.0.0.1", "localhost:{port}"),
        (socket.AF_INET6, "::1", "[::1]:{port}"),
        (socket.AF_INET6, "::1", "[::]:{port}"),
        (socket.AF_INET6, "::1", ":{port}"),
        (socket.AF_UNIX, "{path}", "unix:{path}"),
    ],
)
def test_every_kind_of_address(
    family: int, listen: str, address: str, tmp_path: Path
) -> None:
    server = socket.socket(family, socket.SOCK_STREAM)
    path = str(tmp_path / "s")
    try:
        server.bind(path if family == socket.AF_UNIX else (listen, 0))
    except OSError as error:
        server.close()
        pytest.skip(f"no {listen} here: {error}")
    server.listen()
    port = server.getsockname()[1] if family != socket.AF_UNIX else 0
    where = address.format(port=port, path=path)
    with answering(FINE, server) as asked:
        assert healthcheck.run([where], "web.listen-address", ":1") == 0
    assert asked[0] == "GET /-/healthy HTTP/1.0"
    assert re.fullmatch(r"Host: (localhost|[\d.]+|\[::1?\])", asked[1])


# --- the subcommand -----------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "listen", "where"),
    [
        ([], ":9113", ":9113"),
        ([], ":9113\n:9114", ":9113"),
        ([], "vsock://:9\n:9114", ":9114"),
        ([":1"], ":9113", ":1"),
        (["--web.listen-address=:2"], ":9113", ":2"),
        (["-web.listen-address", ":2"], ":9113", ":2"),
        (["--web.listen-address=vsock://:1", "--web.listen-address=:3"], ":1", ":3"),
        (["--web.listen-address=9080"], "", ":9080"),
    ],
)
def test_where_is_asked(
    argv: list[str], listen: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    def checked(address: str, path: str) -> int:
        asked.append((address, path))
        return 0

    monkeypatch.setattr(healthcheck, "_checked", checked)
    assert healthcheck.run(argv, "web.listen-address", listen, "/ready") == 0
    assert asked == [(where, "/ready")]


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        (["--web.listen"], "unknown flag --web.listen, expected --web.listen-address"),
        (["--web.listen-address"], "expected argument for flag --web.listen-address"),
        (["vsock://:9100"], "vsock://:9100 cannot be asked from here"),
        (["host"], healthcheck.EXPECTED),
    ],
)
def test_what_cannot_be_asked(
    argv: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert healthcheck.run(argv, "web.listen-address", ":1") == 1
    err = capsys.readouterr().err
    assert problem in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("word", ["-h", "-help", "--help"])
def test_help(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert healthcheck.run([word], "web.listen-address", ":1") == 0
    assert "--web.listen-address" in capsys.readouterr().out


Called = Callable[..., tuple[object, ...]]


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> Called:
    """Run ``python -m MODULE healthcheck`` and return what it calls run() with."""
    calls: list[tuple[object, ...]] = []

    def run(*arguments: object) -> int:
        calls.append(arguments)
        return 7

    def start(module: str, *argv: str) -> tuple[object, ...]:
        monkeypatch.setattr(healthcheck, "run", run)
        monkeypatch.setattr("sys.argv", [module, "healthcheck", *argv])
        # Another test may have imported it, which runpy warns about.
        monkeypatch.delitem(sys.modules, f"{module}.__main__", raising=False)
        with pytest.raises(SystemExit) as caught:
            runpy.run_module(module, run_name="__main__")
        assert caught.value.code == 7
        return calls.pop()

    return start


def test_each_program_asks_its_own_port(
    called: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LISTEN_ADDRESS", raising=False)
    flag = "web.listen-address"
    assert called("exporters.nginx", "a") == (["a"], flag, *NGINX_LISTEN.default)
    assert called("exporters.node") == ([], flag, *NODE_LISTEN.default)
    assert called("shipper.store") == ([], flag, *STORE_LISTEN.default, "/ready")
    assert called("shipper", "b") == (["b"], "server.http-listen-port", ":9080")
    monkeypatch.setenv("LISTEN_ADDRESS", ":1\n:2")
    assert called("exporters.nginx") == ([], flag, ":1\n:2")


PROGRAMS = ("exporters.nginx", "exporters.node", "shipper", "shipper.store")


@pytest.mark.parametrize("module", PROGRAMS)
def test_it_is_cheap(module: str) -> None:
    """What would cost more than the question itself is not imported."""
    server = socket.create_server(("127.0.0.1", 0))
    where = f":{server.getsockname()[1]}"
    with answering(FINE, server) as asked:
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", module, "healthcheck", where],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            cwd=ROOT,
        )
    assert not done.stdout
    path = "/ready" if module == "shipper.store" else "/-/healthy"
    assert asked[0] == f"GET {path} HTTP/1.0"
    loaded = set(re.findall(r"(?m)\| +([\w.]+)$", done.stderr))
    assert "exporters.toolkit.healthcheck" in loaded
    costly = {"aiohttp", "argparse", "asyncio", "encodings.idna", "logging", "ssl"}
    assert not loaded & costly
    assert {name for name in loaded if name.startswith(("exporters", "shipper"))} <= {
        "exporters",
        "exporters.nginx",
        "exporters.node",
        "exporters.toolkit",
        "exporters.toolkit.errors",
        "exporters.toolkit.healthcheck",
        "exporters.toolkit.unix_socket",
        "exporters.toolkit.whereabouts",
        "shipper",
        "shipper.store",
    }


@pytest.mark.parametrize(
    ("module", "error"),
    [
        ("exporters.nginx", "unexpected healthy, try --help"),
        ("exporters.node", "unexpected healthy, try --help"),
        ("shipper.store", "unexpected healthy, try --help"),
    ],
)
def test_other_words_are_unexpected_as_before(module: str, error: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, "healthy"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 1
    assert done.stderr.endswith(f"error: {error}\n")


def test_images_ask_with_the_subcommand() -> None:
    """An image has no shell: what it is checked with is its own program."""
    text = (ROOT / "Dockerfile").read_text()
    checks = re.findall(r'CMD \["python", "-m", "([\w.]+)", "healthcheck"\]', text)
    assert sorted(checks) == sorted(PROGRAMS)
    assert text.count("HEALTHCHECK") == len(PROGRAMS)

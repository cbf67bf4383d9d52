"""The node exporter beside the real one: flags, HTTP, TLS, users (same answers).

The binary is $NODE_EXPORTER or $NODE_EXPORTER_SID, whichever is younger than 1.5.0,
which knows neither ``escaping=`` nor ``rate_limit``.
"""

from __future__ import annotations

import base64
import http.client
import os
import random
import re
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import bcrypt
import pytest

from .certificates import SAN, Certificates
from .messages import FAMILY, read_delimited


pytestmark = pytest.mark.oracle

OURS = (sys.executable, "-m", "exporters.node")
# A salt of its own would be another test each time.
HASH = bcrypt.hashpw(b"secret", b"$2b$04$" + b"a" * 21 + b"u").decode()
ROOT = Path(__file__).parents[2]
QUIET = ("--collector.disable-defaults", "--collector.uname", "--log.level=error")


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    for variable in ("NODE_EXPORTER", "NODE_EXPORTER_SID"):
        path = os.environ.get(variable, "")
        if not os.access(path, os.X_OK):
            continue
        said = subprocess.run([path, "--version"], capture_output=True, check=False)
        if not re.search(rb"version 1\.[0-8]\.", said.stdout + said.stderr):
            # Its own name is part of what it prints.
            name = tmp_path_factory.mktemp("bin") / "node_exporter"
            name.symlink_to(Path(path).resolve())
            return (str(name),)
    pytest.skip("set NODE_EXPORTER to a node_exporter younger than 1.8")


@pytest.fixture(scope="module")
def kingpin(upstream: tuple[str, ...]) -> tuple[str, ...]:
    """Pass only who has kingpin 2.4; Debian builds with an older one."""
    if "[no-]" not in ended(upstream, "--help")[1]:
        pytest.skip("this node_exporter was built with an older kingpin")
    return upstream


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Both(NamedTuple):
    """The ports of the two."""

    ours: int
    theirs: int


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


def start(command: Sequence[str], *flags: str) -> tuple[subprocess.Popen[bytes], int]:
    port = free_port()
    process = subprocess.Popen(
        [*command, f"--web.listen-address=127.0.0.1:{port}", *QUIET, *flags],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return process, port
    process.kill()
    process.wait()
    raise AssertionError(f"{command} does not listen")


Starter = Callable[..., Both]


@pytest.fixture(scope="module")
def both(upstream: tuple[str, ...]) -> Iterator[Starter]:
    running: list[subprocess.Popen[bytes]] = []

    def run(*flags: str) -> Both:
        ports = []
        for command in (OURS, upstream):
            process, port = start(command, *flags)
            running.append(process)
            ports.append(port)
        return Both(*ports)

    yield run
    for process in running:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def plain(both: Starter) -> Both:
    return both()


def ask(
    port: int,
    path: str = "/metrics",
    method: str = "GET",
    headers: dict[str, str] | None = None,
    context: ssl.SSLContext | None = None,
) -> Answer:
    if context is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    else:
        connection = http.client.HTTPSConnection(
            "127.0.0.1", port, timeout=10, context=context
        )
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        found = {name.title(): value for name, value in answer.getheaders()}
        return Answer(answer.status, found, answer.read())
    finally:
        connection.close()


SAME = (
    "Content-Type",
    "Content-Encoding",
    "Www-Authenticate",
    "X-Content-Type-Options",
    "X-Frame-Options",
)


def seen(answer: Answer) -> tuple[object, ...]:
    """Return what must be the same; the body if it is no exposition."""
    kept = {name: answer.headers.get(name) for name in SAME}
    return answer.status, kept, b"" if answer.status == 200 else answer.body


REQUESTS: list[tuple[str, str]] = [
    *((method, "/metrics") for method in ("GET", "HEAD", "POST", "DELETE", "PUT")),
    *((method, "/metrics") for method in ("OPTIONS", "PATCH", "TRACE")),
    ("GET", "/metrics/"),
    ("GET", "/nope"),
    ("POST", "/nope"),
    ("GET", "/metrics?collect[]=uname"),
    ("GET", "/metrics?collect[]=bogus"),
    ("GET", "/metrics?collect[]="),
    ("GET", "/metrics?collect[]=cpu"),
    ("GET", "/metrics?exclude[]=bogus"),
    ("GET", "/metrics?collect[]=uname&exclude[]=uname"),
]


def test_requests(plain: Both) -> None:
    ours, theirs = plain
    for method, path in REQUESTS:
        answers = [seen(ask(port, path, method)) for port in (ours, theirs)]
        assert answers[0] == answers[1], (method, path)


HOST = "Host: h\r\n\r\n"
CHUNKED = f"POST /nope HTTP/1.1\r\nTransfer-Encoding: chunked\r\n{HOST}"


def request(
    target: str, *fields: str, method: str = "GET", version: str = "1.1"
) -> str:
    return "\r\n".join([f"{method} {target} HTTP/{version}", *fields, HOST])


def posted(length: object, body: str = "", *fields: str) -> str:
    return request("/nope", f"Content-Length: {length}", *fields, method="POST") + body


# Each is sent as it stands, then nothing more.
RAW = [
    "GET /nope HTTP/1.1\r\n\r\n",
    "GET /nope HTTP/1.1\r\nHost:\r\n\r\n",
    "GET /nope HTTP/1.1\r\nHost: a b\r\n\r\n",
    "GET /nope HTTP/1.1\r\nHost: a/b\r\n\r\n",
    request("/nope", "Host: a"),
    "GET /nope HTTP/1.0\r\n\r\n",
    request("/nope", "Connection: keep-alive", version="1.0"),
    request("/nope", "Connection: foo, Keep-Alive", version="1.0"),
    request("/nope", "Connection: close"),
    request("/nope", "Connection: x, CLOSE"),
    "GET /nope\r\n\r\n",
    *(request("/nope", version=v) for v in ("0.9", "1.9", "2.0", "3", "1.11", "1.1 ")),
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "GET /nope HTTP/1.1\nHost: h\n\n",
    f"\r\n{request('/nope')}",
    f"{posted(2, 'ab')}\r\n\r\n{request('/no')}",
    f" {request('/nope')}",
    *(request("/nope", method=m) for m in ("FOO", "get", "G@T", "G ET", "G\tT")),
    *(
        request(f"http://{h}")
        for h in ("y", "y?x=1", "y:z/", "u:p@y/nope", "[::1]:1/x")
    ),
    *(
        request(target)
        for target in ("ftp://y/nope", "mailto:foo", "nope", "*", "/a#b")
    ),
    request("*", version="1.0"),
    request("*", method="OPTIONS"),
    *(request(target, method="CONNECT") for target in ("x:80", "/nope", "//nope")),
    "CONNECT x:80 HTTP/1.1\r\n\r\n",
    *(
        request(f"/metrics?{query}")
        for query in (
            "%zz&a;b&=1&collect[]=bo%67us",
            "collect[]=a+b",
            "collect[]=%ff",
            "collect[]=%e2%82%ac",
            "collect%5b%5d=a",
            "collect[]=a=b",
            "collect[]=<x>",
            "collect[]=a%0ab",
            "collect[]",
        )
    ),
    request("/%6detrics?collect[]=x"),
    *(request(path) for path in ("/%zz", "/%", "/%2fnope", "/nope%2f", "/%00")),
    *(request(path) for path in ("//a", "//a?b=<c>&d='e", "//a%20b", "///", "/a//")),
    *(
        request(path)
        for path in ("//e.org/%0d%0aX:%20y", "/<b>/../<i>", "/./a", "/a/.")
    ),
    *(
        request(path)
        for path in ("/%2e/a", "/x/%2e%2e/a", "//a:b", "/é", "//é?é", "/..")
    ),
    request("//a!$&'()*+,;=:@-._~[]{}|^`\"\\"),
    request("//a?b", method="POST"),
    request("/a\x01"),
    request("/a\x7f"),
    *(request("/nope", f"X: a{c}b") for c in ("\x01", "\x00", "\r", "\xff", "\t")),
    *(
        request("/nope", f)
        for f in ("foo", "X : a", "X Y: a", ": a", "X(: a", "X: a\r\n b")
    ),
    request("/nope", " b: c"),
    *(posted(length, "x") for length in ("x", "-1", "+1", "1, 1", "9" * 20, "0001")),
    posted(""),
    posted(1, "x", "Content-Length: 2"),
    posted(1, "x", "Content-Length: 1"),
    posted(300_000, "x"),
    posted(262_144, "x" * 262_144),
    f"{CHUNKED}1\r\nx\r\n0\r\n\r\n",
    f"{CHUNKED}1;a=b\r\nx\r\n0;x\r\nTrailer: y\r\n\r\n",
    f"{CHUNKED}zz\r\n",
    f"{CHUNKED}1\r\nxyy\r\n",
    f"{CHUNKED}1\nx\n0\n\n",
    posted(3, "1\r\nx\r\n0\r\n\r\n", "Transfer-Encoding: CHUNKED"),
    *(
        request("/nope", f"Transfer-Encoding: {coding}", method="POST")
        for coding in ("gzip", "gzip, chunked", "identity", "")
    ),
    request("/nope", "Transfer-Encoding: gzip", method="POST", version="1.0"),
    posted(5, "12345", "Expect: 100-continue"),
    request("/nope", "Expect: 100-continue"),
    request("/nope", "Expect: foo"),
    request("/nope") + request("/no"),
    request("/nope") + "garbage\r\n\r\n",
    request("/nope", "Connection: close") + request("/no"),
    request("/nope", "Connection: Upgrade", "Upgrade: h2c", "HTTP2-Settings: x"),
    request("/nope", method="HEAD"),
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "garbage\r\n",
    "GET / HT",
    "POST /nope HTTP/1.1\r\nContent-Length: 5\r\nHost: h\r\n\r\nx",
]


def told(port: int, sent: str) -> bytes:
    """Return all that *sent* is answered; nothing more is sent."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(sent.encode("utf-8" if "é" in sent else "latin-1"))
        client.shutdown(socket.SHUT_WR)
        answer = bytearray()
        while more := client.recv(1 << 16):
            answer += more
    return bytes(answer)


def in_order(answer: bytes) -> tuple[list[bytes], bytes]:
    """Return the lines of the head in any order, and the rest; but for the date."""
    head, _, rest = re.sub(rb"Date: [^\r]*", b"Date:", answer).partition(b"\r\n\r\n")
    first, *fields = head.split(b"\r\n")
    return [first, *sorted(fields)], rest


@pytest.mark.parametrize("sent", RAW, ids=lambda sent: ascii(sent[:60]))
def test_raw_requests(plain: Both, sent: str) -> None:
    ours, theirs = [in_order(told(port, sent)) for port in plain]
    if sent.startswith("CONNECT"):  # Go 1.27 says it closes, older ones only do it
        said = b"Connection: close"
        assert said in ours[0]
        ours[0].remove(said)
        theirs = [field for field in theirs[0] if field != said], theirs[1]
    assert ours == theirs


def test_landing_page(both: Starter) -> None:
    ours, theirs = both("--web.telemetry-path=/here")
    pages = [ask(port, "/") for port in (ours, theirs)]
    assert [seen(page)[0] for page in pages] == [200, 200]
    for text in (b"<title>Node Exporter</title>", b'<a href="/here">Metrics</a>'):
        assert all(text in page.body for page in pages)
    kinds = [page.headers["Content-Type"].lower() for page in pages]
    assert kinds[0] == kinds[1]
    assert b"pprof" not in pages[0].body


WORDS = [
    "text/plain",
    "text/*",
    "*/*",
    "application/vnd.google.protobuf",
    "application/json",
]
PARAMETERS = [
    "q=0.5",
    "q=0.9",
    "q=0",
    "q=x",
    "version=0.0.4",
    "version=1.0.0",
    "escaping=allow-utf-8",
    "escaping=values",
    "escaping=bogus",
    "proto=io.prometheus.client.MetricFamily",
    "proto=io.prometheus.client.MetricFamily;encoding=delimited",
    "proto=io.prometheus.client.MetricFamily;encoding=text",
]


def some_headers() -> Iterator[str]:
    dice = random.Random(5)
    for _ in range(150):
        clauses = [
            ";".join([dice.choice(WORDS), *dice.sample(PARAMETERS, dice.randrange(4))])
            for _ in range(dice.randrange(1, 5))
        ]
        yield dice.choice([",", ", "]).join(clauses)


def test_accept(plain: Both) -> None:
    ours, theirs = plain
    for accept in some_headers():
        kinds = [
            ask(port, headers={"Accept": accept}).headers["Content-Type"]
            for port in (ours, theirs)
        ]
        assert kinds[0] == kinds[1], accept


ENCODINGS = [
    "gzip",
    "GZIP",
    "gzip;q=0",
    "gzip;q=0.5, identity;q=0.6",
    "gzip;q=0.6, identity;q=0.5",
    "*",
    "*;q=0",
    "identity;q=0",
    "br, zstd",
    "br;level=1, gzip",
    "gzip;q=1.000, *;q=0",
    "",
]


def test_accept_encoding(plain: Both) -> None:
    ours, theirs = plain
    for accepted in ENCODINGS:
        found = [
            seen(ask(port, headers={"Accept-Encoding": accepted}))
            for port in (ours, theirs)
        ]
        assert found[0] == found[1], accepted


def test_protobuf_is_the_same_bytes(plain: Both) -> None:
    accept = (
        "application/vnd.google.protobuf;encoding=delimited;"
        "proto=io.prometheus.client.MetricFamily"
    )
    messages = []
    for port in plain:
        body = ask(port, headers={"Accept": accept}).body
        found = {family.name: family for family in read_delimited(body)}
        family = found["node_uname_info"]
        assert family.SerializeToString() in body
        messages.append(family.SerializeToString())
        created = found["promhttp_metric_handler_requests_total"].metric[0].counter
        assert abs(created.created_timestamp.seconds - time.time()) < 60
    assert messages[0] == messages[1]
    assert FAMILY.FromString(messages[0]).metric[0].gauge.value == 1


USERS = f"basic_auth_users:\n  bob: {HASH}\n  eve: {HASH.replace('$2b', '$2y')}\n"
HEADERS = "http_server_config:\n  headers: {X-Frame-Options: deny}\n"
LOGINS = [None, b"bob:secret", b"bob:Secret", b"eve:secret", b"nobody:secret", b"bob"]


def test_users_and_headers(both: Starter, tmp_path: Path) -> None:
    path = tmp_path / "web.yml"
    path.write_text(USERS + HEADERS)
    ours, theirs = both(f"--web.config.file={path}")
    for login in LOGINS:
        headers = {}
        if login is not None:
            headers["Authorization"] = f"Basic {base64.b64encode(login).decode()}"
        found = [seen(ask(port, headers=headers)) for port in (ours, theirs)]
        assert found[0] == found[1], login
    path.write_text("bogus: 1\n")
    found = [seen(ask(port)) for port in (ours, theirs)]
    assert found[0] == found[1]
    assert found[0][0] == 500
    path.write_text("")
    assert [ask(port).status for port in (ours, theirs)] == [200, 200]


def test_rate_limit(both: Starter, tmp_path: Path) -> None:
    path = tmp_path / "web.yml"
    path.write_text(f"rate_limit: {{interval: 1h, burst: 2}}\n{HEADERS}{USERS}")
    ours, theirs = both(f"--web.config.file={path}")
    for _ in range(3):
        found = [seen(ask(port)) for port in (ours, theirs)]
        assert found[0] == found[1]
    assert found[0][0] == 429


TLS = "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n"
CA = "  client_ca_file: ca.pem\n"


POLICIES = [
    "",
    "  min_version: TLS13\n",
    "  max_version: TLS12\n",
    "  min_version: TLS10\n",
    "  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]\n",
    (
        "  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA]\n"
        "http_server_config: {http2: false}\n"
    ),
    "  curve_preferences: [CurveP521]\n",
    "  client_auth_type: RequestClientCert\n",
    f"{CA}  client_auth_type: VerifyClientCertIfGiven\n",
    f"{CA}  client_auth_type: RequireAndVerifyClientCert\n",
    (
        f"{CA}  client_auth_type: RequireAndVerifyClientCert\n"
        f"  client_allowed_sans: [{SAN}]\n"
    ),
    (
        f"{CA}  client_auth_type: VerifyClientCertIfGiven\n"
        f"  client_allowed_sans: [{SAN}]\n"
    ),
    "  client_auth_type: NoClientCert\n  client_allowed_sans: [x]\n",
]


@pytest.fixture(scope="module")
def secured(
    both: Starter, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Both, Certificates]:
    """Start the two with TLS; they read web.yml at every handshake."""
    made = Certificates(tmp_path_factory.mktemp("tls"))
    path = made.directory / "web.yml"
    path.write_text(f"{TLS}http_server_config: {{http2: false}}\n")
    return both(f"--web.config.file={path}"), made


@pytest.mark.parametrize("more", POLICIES)
def test_tls(secured: tuple[Both, Certificates], more: str) -> None:
    (ours, theirs), made = secured
    (made.directory / "web.yml").write_text(TLS + more)
    for client in (None, made.client, made.other, made.stranger):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = made.trusting(client)
            context.minimum_version = context.maximum_version = version
            found = [outcome(port, context) for port in (ours, theirs)]
            assert found[0] == found[1], (client, version)
    plain = [seen(ask(port)) for port in (ours, theirs)]
    assert plain[0] == plain[1]
    assert plain[0][0] == 400


def outcome(port: int, context: ssl.SSLContext) -> tuple[object, ...]:
    try:
        return seen(ask(port, context=context))
    except (OSError, http.client.HTTPException):
        return ("refused",)


# What upstream says is in what ours says, but for the names of Go's types.
WRONG_FILES = [
    "bogus: 1\n",
    "tls_server_config: {bogus: 1}\n",
    TLS.replace("server.pem", "nope.pem"),
    TLS.replace("server.key", "nope.key"),
    TLS.replace("server.pem", "web.yml"),
    TLS.replace("server.key", "web.yml"),
    TLS.replace("server.key", "client.key"),
    "tls_server_config: {cert_file: server.pem}\n",
    "tls_server_config: {key_file: server.key}\n",
    f"{TLS}  client_auth_type: Foo\n",
    f"{TLS}{CA}",
    f"{TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: nope\n",
    "tls_server_config: {min_version: SSL3}\n",
    "tls_server_config: {cipher_suites: [FOO]}\n",
    "tls_server_config: {cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]}\n",
    "tls_server_config: {curve_preferences: [FOO]}\n",
    "http_server_config: {headers: {X-Foo: bar}}\n",
    "http_server_config: {headers: {X-Frame-Options: bar}}\n",
    "basic_auth_users: {a: short}\n",
    f"basic_auth_users: {{a: {HASH.replace('$04', '$99')}}}\n",
]


def ended(command: Sequence[str], *flags: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [*command, *flags],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ, "COLUMNS": "80"},
    )
    return done.returncode, done.stdout, done.stderr


def complaint(log: str) -> str:
    """Return the message of the last line of *log*."""
    found = re.search(r'msg="((?:[^"\\]|\\.)*)"\s*$', log.rstrip("\n"))
    assert found, log
    return found[1].replace('\\"', '"')


@pytest.mark.parametrize("text", WRONG_FILES)
def test_wrong_files(upstream: tuple[str, ...], tmp_path: Path, text: str) -> None:
    Certificates(tmp_path)
    path = tmp_path / "web.yml"
    path.write_text(text)
    flags = (*QUIET, "--web.listen-address=127.0.0.1:0", f"--web.config.file={path}")
    ours, theirs = ended(OURS, *flags), ended(upstream, *flags)
    assert (ours[0], theirs[0]) == (1, 1)
    wanted = re.sub(
        r"^yaml: unmarshal errors:\\n +line \d+: ", "", complaint(theirs[2])
    )
    assert re.sub(r" in type web\.", " in ", wanted) in complaint(ours[2])


COMMAND_LINES: list[tuple[str, ...]] = [
    ("--bogus",),
    ("--bogus=1",),
    ("-x",),
    ("extra",),
    ("--path.procfs",),
    ("--path.procfs", "--no-collector.uname"),
    ("--path.procfs=/proc", "--path.procfs=/proc"),
    ("--collector.uname", "--no-collector.uname"),
    ("--collector.uname=false",),
    ("--no-web.max-requests",),
    ("--web.max-requests=abc",),
    ("--web.max-requests=",),
    ("--log.level=foo",),
    ("--log.format=foo",),
    ("--runtime.gomaxprocs=x",),
    ("--", "x"),
    ("@",),
    ("@/nope",),
    ("--completion-bash",),
    ("--completion-bash", "--log.level"),
    ("--completion-bash", "--log.level", "warn"),
    ("--completion-bash", "--log.format", "j"),
    ("--completion-bash", "--web.listen-address"),
    ("--completion-bash", "--path.procfs"),
    ("--completion-bash", "--path.procfs", "/x"),
    ("--completion-bash", "word"),
    ("--web.systemd-socket", *QUIET),
    ("--web.listen-address=vsock://9100", *QUIET),
    ("--web.listen-address=vsock://:x", *QUIET),
    ("--web.listen-address=vsock://:99999999999", *QUIET),
    ("--web.listen-address=127.0.0.1", *QUIET),
    ("--web.config.file=/nope.yml", "--web.listen-address=127.0.0.1:0", *QUIET),
]


@pytest.mark.parametrize("argv", COMMAND_LINES)
def test_command_lines(upstream: tuple[str, ...], argv: tuple[str, ...]) -> None:
    assert_ends_alike(upstream, *argv)


def test_command_lines_of_kingpin_2_4(kingpin: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "arguments"
    file.write_text("# a comment\n\n--web.max-requests=5\n--bogus\n")
    assert_ends_alike(kingpin, f"@{file}")
    assert_ends_alike(kingpin, "--completion-bash", "--", "--x")


def assert_ends_alike(upstream: tuple[str, ...], *argv: str) -> None:
    found = [ended(command, *argv) for command in (OURS, upstream)]
    kept = [
        (code, out, re.sub(r"time=.*? msg=", "msg=", err)) for code, out, err in found
    ]
    assert kept[0] == kept[1]


@pytest.mark.parametrize("flag", ["--help", "--help-long", "--help-man"])
def test_help_names_the_web_flags_alike(kingpin: tuple[str, ...], flag: str) -> None:
    found = []
    for command in (OURS, kingpin):
        code, out, err = ended(command, flag)
        assert (code, err) == (0, "")
        shown = re.split(r"\n(?=\.TP\n| {2,6}-)", out)
        found.append({part for part in shown if "web." in part.split("=")[0]})
    assert found[1] - found[0] == set()
    extra = {re.search(r"web\.[a-z.-]+", part)[0] for part in found[0] - found[1]}  # type: ignore[index] # it is there
    assert extra == {"web.enable-openmetrics"}

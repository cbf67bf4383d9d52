"""The lines of the access log: JSON whatever is asked, and no secrets in them."""

from __future__ import annotations

import fcntl
import json
import os
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st

from tests.deploy.nginx.conftest import Start, copy_with, fill
from tests.deploy.nginx.fastcgi import Backend
from tests.deploy.nginx.site import Answer, Site, running


NUMBERS = {"msec", "status", "body_bytes_sent", "request_length", "request_time"}
TEXTS = {
    "time_iso8601", "remote_addr", "host", "server_name", "request_method", "uri",
    "args", "scheme", "server_protocol", "upstream_response_time",
    "upstream_connect_time", "upstream_header_time", "upstream_status",
    "upstream_cache_status", "http_referer", "http_user_agent",
    "http_x_forwarded_for", "request_id",
}  # fmt: skip


def check(line: dict[str, Any]) -> None:
    """Assert that *line* has every key, with values of the right type."""
    kinds = {name: type(value) for name, value in line.items()}
    assert kinds.keys() == NUMBERS | TEXTS
    assert all(kinds[name] in {int, float} for name in NUMBERS), line
    assert all(kinds[name] is str for name in TEXTS), line


def test_a_request_of_each_kind(start: Start) -> None:
    site = start()
    visit = ("User-Agent: Firefox", "Referer: http://x/y?z=1")
    answers = [site.ask("/2026/hello/?a=b", *visit), site.ask("/wp-includes/css/a.css")]
    unlogged = site.ask("/healthz").headers["x-request-id"]
    site.ask("/stub_status", "Host: nginx", port="internal")
    page, file = lines_of(site, answers)
    assert unlogged not in (site.folder / "stdout").read_text()
    assert len((site.folder / "stdout").read_text().splitlines()) == 2
    check(page)
    check(file)
    assert page["uri"] == "/2026/hello/", "as asked, not /index.php"
    assert (page["args"], page["http_referer"]) == ("a=b", "http://x/y?z=1")
    assert (page["http_user_agent"], page["host"]) == ("Firefox", "localhost")
    assert (page["request_method"], page["status"]) == ("GET", 200)
    assert page["upstream_status"] == "200"
    assert float(page["upstream_response_time"]) >= 0
    assert page["request_id"] == site.backend.asked[0]["HTTP_X_REQUEST_ID"]
    assert (file["upstream_status"], file["upstream_response_time"]) == ("", "")


HOSTILE = [
    b'GET /"\'\\?q="\\ HTTP/1.1\r\nHost: a\r\nUser-Agent: "\\"\r\n\r\n',
    b"GET /\xff\xfe\xc3?\xe4=\xff HTTP/1.1\r\nHost: a\r\nUser-Agent: \xff\xc3(\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nReferer: \x01\x1b[31m\x7f\t\r\n\r\n",
    b'GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1, "},{\r\n\r\n',
    b"GET / HTTP/1.1\r\nHost: \"\xff'\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    b"GET /\r\n",  # HTTP/0.9: its $status is 009
    b"GET /\r\nHost: a\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b'"}{\\\xff HTTP/1.1\r\n\r\n',
    b"GET  HTTP/1.1\r\n\r\n",
    b"get / HTTP/1.1\r\nHost: a\r\n\r\n",
    b'GET http://"\\/x?y=" HTTP/1.1\r\nHost: a\r\n\r\n',
    b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: " + b'"' * 7000 + b"\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n",
]


def throw(site: Site, data: bytes) -> None:
    """Send *data* and read until nginx closes the connection."""
    with socket.create_connection(("127.0.0.1", site.ports["published"]), 20) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        try:
            while sock.recv(65_536):
                pass
        except ConnectionResetError:
            return


def test_every_line_is_json_whatever_is_sent(start: Start) -> None:
    site = start()
    for data in HOSTILE:
        throw(site, data)
    lines = site.log()
    assert len(lines) >= len(HOSTILE) - 1  # who says nothing is not logged
    for line in lines:
        check(line)


def test_every_line_is_json_when_chance_asks(start: Start) -> None:
    site = start()
    text = st.binary(max_size=40).map(lambda data: data.replace(b"\n", b""))

    @settings(
        max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(text, text, text)
    def ask(path: bytes, name: bytes, value: bytes) -> None:
        throw(
            site,
            b"GET /%b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            b"User-Agent: %b\r\nReferer: %b\r\n\r\n" % (path, name, value),
        )

    ask()
    lines = site.log()
    assert len(lines) > 100
    for line in lines:
        check(line)


def test_long_lines_are_whole_where_the_reader_is_slow(
    start: Start, tmp_path: Path
) -> None:
    """A pipe takes 4 KB at once: two writers would tear each other's lines."""
    os.mkfifo(tmp_path / "stdout")
    with ThreadPoolExecutor(17) as pool:
        reading = pool.submit(read_slowly, tmp_path / "stdout")
        site = start()
        question = b"GET /a.css?q=%b HTTP/1.1\r\nHost: a\r\nUser-Agent: %b\r\n"
        question %= (b"a" * 7000, b"b" * 7000)
        question += b"Connection: close\r\n\r\n"
        list(pool.map(lambda _: throw(site, question), range(200)))
        site.stop()
        lines = reading.result().splitlines()
    assert len(lines) == 200
    for line in lines:
        check(json.loads(line))


def read_slowly(path: Path) -> bytes:
    """Return what comes through a pipe that holds as little as possible."""
    with path.open("rb", buffering=0) as pipe:
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 4096)
        return b"".join(iter(lambda: pipe.read(512), b""))


def test_a_request_without_an_answer_has_a_status_that_is_json(
    nginx: str, tmp_path: Path
) -> None:
    """A stop that does not wait any longer logs 000, as HTTP/0.9 would be 009."""
    fill(tmp_path / "html")
    copy_with({}, tmp_path / "etc")
    conf = tmp_path / "etc/nginx.conf"
    conf.write_text(
        re.sub(r"shutdown_timeout \d+s", "shutdown_timeout 1s", conf.read_text())
    )
    with Backend() as backend, running(nginx, tmp_path, backend) as site:
        address = ("127.0.0.1", site.ports["published"])
        with socket.create_connection(address, 20) as sock:
            sock.sendall(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n")
            sock.sendall(b"Expect: 100-continue\r\n\r\n")
            assert b"100 Continue" in sock.recv(65_536)  # nginx waits for the body
            (line,) = site.log()
    check(line)
    assert (line["uri"], line["status"]) == ("/x", 0)


SECRETS = [
    "token=S3CRET",
    "a=b&access_token=S3CRET&c=d",
    "TOKEN=S3CRET",
    "pwd=S3CRET",
    "user_pass=S3CRET",
    "password=S3CRET",
    "passwd[]=S3CRET",
    "action=rp&key=S3CRET&login=x",
    "key=S3CRET",
    "api_key=S3CRET",
    "apikey=S3CRET",
    "accessKey=S3CRET",
    "secret=S3CRET",
    "client-secret=S3CRET",
    "code=S3CRET&state=x",
    "_wpnonce=S3CRET",
    "nonce=S3CRET",
    "sig=S3CRET",
    "X-Amz-Signature=S3CRET",
    "X-Amz-Credential=S3CRET",
    "auth=S3CRET",
    "authorization=S3CRET",
    "oauth_verifier=S3CRET",
    "session=S3CRET",
    "PHPSESSID=S3CRET",
    "jwt=S3CRET",
    "user_pw=S3CRET",
    "unapproved=3&moderation-hash=S3CRET",
    "ticket=S3CRET",
    "otp=S3CRET",
    "user[password]=S3CRET",
    "user%5Bpassword%5D=S3CRET",
    "%70assword=S3CRET",
    "p%61ssword=S3CRET",
    "a;token=S3CRET",
    "a=b;token=S3CRET",
    "?token=S3CRET",
    "token%3dS3CRET",
]
HARMLESS = [
    "p=1",
    "s=password",
    "s=my+secret+token",
    "author=1",
    "author_name=x",
    "keyword=x",
    "keys_of=x",
    "coded=x",
    "design=x",
    "utm_source=x&utm_medium=y",
    "ver=7.1",
    "filter%5Bcat%5D=3",
    "rest_route=/wp/v2/posts",
    "q=%C3%BC",
]


def visit_all(site: Site, query: str) -> None:
    """Use *query* in every place that is logged, with answers of every kind."""
    for path in ("/", "/wp-config.php", "/nope.php", "/a.css", "/wp-content/uploads/"):
        site.ask(f"{path}?{query}", f"Referer: http://localhost/x?{query}")


def lines_for(site: Site, queries: list[str]) -> dict[str, dict[str, Any]]:
    """Ask for a page with each query, from a page with it; return the lines."""
    answers = [
        site.ask(f"/x?{query}", f"Referer: http://localhost/y?{query}")
        for query in queries
    ]
    return dict(zip(queries, lines_of(site, answers), strict=True))


def lines_of(site: Site, answers: list[Answer]) -> list[dict[str, Any]]:
    """Return the lines of *answers*; several workers write in no order."""
    lines = {line["request_id"]: line for line in site.log()}
    return [lines[answer.headers["x-request-id"]] for answer in answers]


def test_no_secret_is_logged(start: Start) -> None:
    for query, line in lines_for(start(), SECRETS).items():
        assert "S3CRET" not in str(line), query
        assert (line["uri"], line["args"]) == ("/x", "(masked)"), query
        assert line["http_referer"] == "http://localhost/y?(masked)", query


def test_what_is_harmless_is_logged(start: Start) -> None:
    for query, line in lines_for(start(), HARMLESS).items():
        assert line["args"] == query
        assert line["http_referer"] == f"http://localhost/y?{query}"


def test_no_secret_is_in_either_log(start: Start) -> None:
    site = start()
    for query in ("token=S3CRET", "_wpnonce=S3CRET"):
        visit_all(site, query)
        for _ in range(13):  # more than the limit lets through
            site.ask(f"/wp-login.php?{query}", method="POST", body=b"pwd=S3CRET")
    site.ask("/?a=b", "Referer: http://user:S3CRET@localhost/")
    site.ask("/", "Authorization: Basic S3CRET", "Cookie: wordpress_logged_in_x=S3CRET")
    site.stop()
    # "directory index … is forbidden" is the one line that quotes a query: see site.md.
    errors = [row for row in site.errors().splitlines() if "directory index" not in row]
    assert "S3CRET" not in "\n".join(errors)
    assert "S3CRET" not in (site.folder / "stdout").read_text()


SHORT = {
    "198.51.100.77": "198.51.100.0",
    "2001:db8:85a3:1::7334": "2001:db8:85a3::",
    "2001:db8::1": "2001:db8::",
    "fd00::1": "fd00::",
}


def test_addresses_can_be_shortened(start: Start) -> None:
    site = start(addresses="short")
    site.trust("127.0.0.1")
    answers = [site.ask("/", f"X-Forwarded-For: {address}") for address in SHORT]
    lines = lines_of(site, answers)
    assert [line["remote_addr"] for line in lines] == list(SHORT.values())
    assert {line["http_x_forwarded_for"] for line in lines} == {""}


def test_nobody_is_believed_about_addresses(start: Start) -> None:
    site = start()
    site.ask("/", "X-Forwarded-For: 198.51.100.77", "X-Forwarded-Proto: https")
    (line,) = site.log()
    assert line["remote_addr"] == "127.0.0.1"
    assert line["http_x_forwarded_for"] == "198.51.100.77"
    assert site.backend.asked[0]["REMOTE_ADDR"] == "127.0.0.1"
    assert site.backend.asked[0]["HTTP_X_FORWARDED_PROTO"] == ""


def test_but_a_proxy_that_is_named(start: Start) -> None:
    site = start()
    site.trust("127.0.0.1")
    site.ask("/", "X-Forwarded-For: 6.6.6.6, 198.51.100.77", "X-Forwarded-Proto: https")
    assert site.backend.asked[0]["REMOTE_ADDR"] == "198.51.100.77"
    assert site.backend.asked[0]["HTTP_X_FORWARDED_PROTO"] == "https"
    assert site.log()[-1]["remote_addr"] == "198.51.100.77"


def test_the_exporter_gets_its_lines(start: Start, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as exporter:
        exporter.bind(str(tmp_path / "run/access.sock"))
        exporter.settimeout(20)
        site = start()
        site.ask("/?token=S3CRET")
        line = exporter.recv(65_536).decode()
    assert '"request_method":"GET","status":"200","host":"localhost"' in line
    assert "S3CRET" not in line

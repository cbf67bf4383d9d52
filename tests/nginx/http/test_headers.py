from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from exporters.nginx.errors import ScrapeError
from exporters.nginx.http.headers import (
    HEADER,
    HEADER_FILE,
    MAX_FILE_BYTES,
    Headers,
    read_headers,
)
from exporters.toolkit.errors import StartError
from exporters.toolkit.flags import Program
from tests.nginx.conftest import Connect, always, fake_nginx, page, response


PATIENCE = 30.0
OK = always(response(page()))


@pytest.mark.parametrize(
    ("values", "headers"),
    [
        ([], Headers()),
        (["X-A:1"], Headers((("X-A", "1"),))),
        (["X-A: b:c ", "x-a:2"], Headers((("X-A", "b:c"), ("x-a", "2")))),
        (["X-Empty:"], Headers((("X-Empty", ""),))),
        (["Host: status.example", "X:y"], Headers((("X", "y"),), "status.example")),
        (["host:[::1]:8080"], Headers((), "[::1]:8080")),
        (["Authorization: Bearer x=="], Headers((("Authorization", "Bearer x=="),))),
        (["", "X:y"], Headers((("X", "y"),))),
    ],
)
def test_headers(values: list[str], headers: Headers) -> None:
    assert read_headers(values, []) == headers


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (["sekret"], "--nginx.header: expected NAME:VALUE with a header's name"),
        ([":sekret"], "--nginx.header: expected NAME:VALUE with a header's name"),
        (["sek ret:x"], "--nginx.header: expected NAME:VALUE with a header's name"),
        (
            ["X-A:sekret\r\nEvil:1"],
            "--nginx.header: X-A expects a value of printable ASCII",
        ),
        (["X-A:sekret\0"], "--nginx.header: X-A expects a value of printable ASCII"),
        (["X-A:sekrét"], "--nginx.header: X-A expects a value of printable ASCII"),
        (
            ["Content-Length:sekret"],
            "--nginx.header: Content-Length cannot be set, the client sets it",
        ),
        (
            ["connection:sekret"],
            "--nginx.header: connection cannot be set, the client sets it",
        ),
        (["Host:sek/ret"], "--nginx.header: Host expects a value host or host:port"),
        (["Host:"], "--nginx.header: Host expects a value host or host:port"),
        (["Host:sekret", "host:b"], "--nginx.header: host is given 2 times"),
        (
            ["Authorization:sekret", "authorization:sekret"],
            "--nginx.header: authorization is given 2 times",
        ),
    ],
)
def test_what_is_no_header_is_not_shown(values: list[str], text: str) -> None:
    with pytest.raises(StartError) as caught:
        read_headers(values, [])
    assert str(caught.value) == text


def test_file(tmp_path: Path) -> None:
    path = tmp_path / "headers"
    path.write_text("# for Bunkerweb\nHost: status.example\r\n\nX-Token: sekret\n")
    headers = read_headers(["X-A:1"], [str(path)])
    assert headers == Headers((("X-A", "1"), ("X-Token", "sekret")), "status.example")
    assert "sekret" not in repr(headers)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"X:y\nsekret\n", ", line 2: expected NAME:VALUE with a header's name"),
        (b"X:sekr\xff\n", ": expected text in UTF-8"),
        (b"X:" + b"s" * MAX_FILE_BYTES, f": expected at most {MAX_FILE_BYTES} bytes"),
    ],
)
def test_file_with_something_else(tmp_path: Path, content: bytes, text: str) -> None:
    path = tmp_path / "headers"
    path.write_bytes(content)
    with pytest.raises(StartError) as caught:
        read_headers([], [str(path)])
    assert str(caught.value) == f"--nginx.header-file {path}{text}"


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(StartError) as caught:
        read_headers([], [f"{tmp_path}/none"])
    assert str(caught.value) == (
        f"--nginx.header-file {tmp_path}/none: No such file or directory"
    )


@given(st.lists(st.text()))
def test_any_text_is_a_header_or_a_start_error(values: list[str]) -> None:
    try:
        headers = read_headers(values, [])
    except StartError as error:
        assert "\n" not in str(error)  # noqa: PT017 - both outcomes are right
    else:
        sent = "".join(name + value for name, value in headers.fields)
        assert not {"\r", "\n", "\0"} & set(sent + (headers.host or ""))


def test_environment() -> None:
    program = Program("p", "", (HEADER, HEADER_FILE))
    environ = {"NGINX_HEADERS": "X-A: 1\nX-B: 2", "NGINX_HEADER_FILE": "/run/secret"}
    values = program.parse([], environ)
    assert values[HEADER] == ("X-A: 1", "X-B: 2")
    assert values[HEADER_FILE] == ("/run/secret",)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("a.example", "a.example"),
        ("a.example:8443", "a.example"),
        ("[::1]:80", "::1"),
        (None, None),
    ],
)
def test_name_for_tls(host: str | None, name: str | None) -> None:
    assert Headers((), host).server_name == name


def _sent(head: str) -> list[tuple[str, str]]:
    lines = head.split("\r\n")[1:-2]
    return [
        (name, value) for name, _, value in (line.partition(": ") for line in lines)
    ]


@pytest.mark.parametrize("place", ["http", "unix"])
async def test_headers_are_sent(connect: Connect, tmp_path: Path, place: str) -> None:
    headers = read_headers(["Host: a.example:81", "X-Token: s", "User-Agent: me"], [])
    path = tmp_path / "n.sock" if place == "unix" else None
    async with fake_nginx(OK, path=path) as (fake, uri):
        client = await connect(uri, headers=headers)
        assert (await client.fetch(PATIENCE)).requests == 31
    sent = _sent(fake.requests[0])
    assert [value for name, value in sent if name == "Host"] == ["a.example:81"]
    assert ("X-Token", "s") in sent
    assert [value for name, value in sent if name == "User-Agent"] == ["me"]


async def test_credentials_of_the_uri_win(connect: Connect) -> None:
    headers = read_headers(["authorization: Bearer b"], [])
    async with fake_nginx(OK) as (fake, uri):
        for each in (uri.replace("//", "//u:sekret@"), uri):
            client = await connect(each, headers=headers)
            await client.fetch(PATIENCE)
    named = [
        value
        for request in fake.requests
        for name, value in _sent(request)
        if name.lower() == "authorization"
    ]
    assert named == ["Basic dTpzZWtyZXQ=", "Bearer b"]


async def test_host_is_the_name_in_tls(connect: Connect, certificate: Path) -> None:
    asked: list[str | None] = []
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    server.sni_callback = lambda _, name, __: asked.append(name)
    headers = read_headers(["Host: status.example:81"], [])
    async with fake_nginx(OK, tls=server) as (_, uri):
        client = await connect(uri, headers=headers)
        await client.fetch(PATIENCE)
        trusting = ssl.create_default_context(cafile=f"{certificate}.crt")
        verified = await connect(uri, trusting, headers=headers)
        with pytest.raises(ScrapeError, match=r"not valid for 'status\.example'"):
            await verified.fetch(PATIENCE)
    assert asked == ["status.example"] * 2

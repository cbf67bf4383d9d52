"""The profile tls: switched on in .env, and off again."""

from __future__ import annotations

import http.client
import re
import ssl
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.e2e.stack import PROJECT, Stack, docker, wordpress_asks_itself


pytestmark = [pytest.mark.e2e, pytest.mark.docker, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def encrypted(site: Stack) -> Iterator[Stack]:
    before = (site.folder / ".env").read_text()
    with_tls = re.sub(r"(COMPOSE_PROFILES=\S*)", r"\1,tls", before)
    try:
        (site.folder / ".env").write_text(with_tls)
        switched = site.command("up")
        assert switched.returncode == 0, switched.stdout
        assert f"https://localhost:{site.ports['HTTPS_PORT']}" in switched.stdout
        yield site
    finally:
        (site.folder / ".env").write_text(before)
        back = site.command("up")
        assert back.returncode == 0, back.stdout
        # Without the profile Compose does not know it, nor takes it down.
        docker("volume", "rm", f"{PROJECT}_acme_challenges")


def https(stack: Stack, path: str) -> tuple[int, http.client.HTTPMessage, str]:
    authority = stack.folder / ".certificates" / "ca.pem"
    connection = http.client.HTTPSConnection(
        "localhost",
        stack.ports["HTTPS_PORT"],
        timeout=30,
        context=ssl.create_default_context(cafile=authority),
    )
    with closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode(errors="replace")


def test_the_site_is_there_with_a_certificate_that_can_be_checked(
    encrypted: Stack,
) -> None:
    status, headers, text = https(encrypted, "/")
    assert status == 200
    assert "<title>End to end" in text
    address = f"https://localhost:{encrypted.ports['HTTPS_PORT']}"
    assert f'href="{address}/' in text
    assert "http://localhost" not in text.replace("\\/", "/")
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_http_leads_there(encrypted: Stack) -> None:
    connection = http.client.HTTPConnection(
        "localhost", encrypted.ports["NGINX_PORT"], timeout=30
    )
    with closing(connection):
        connection.request("GET", "/a?b=c")
        answer = connection.getresponse()
    port = encrypted.ports["HTTPS_PORT"]
    assert answer.status == 301
    assert answer.headers["Location"] == f"https://localhost:{port}/a?b=c"


def test_events_of_wordpress_that_are_due_are_run(encrypted: Stack) -> None:
    assert encrypted.ports
    assert wordpress_asks_itself() == "200"


def test_the_exporter_still_asks_nginx(encrypted: Stack) -> None:
    assert encrypted.number("nginx_up") == 1

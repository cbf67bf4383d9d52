"""Attempts to log in are slowed down, and nobody is locked out by somebody else."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.deploy.nginx.conftest import Start
from tests.deploy.nginx.site import Answer, Site


def log_in(site: Site, *headers: str, path: str = "/wp-login.php") -> Answer:
    return site.ask(path, *headers, method="POST", body=b"log=admin&pwd=x")


def statuses(site: Site, count: int, *headers: str) -> Counter[int]:
    return Counter(log_in(site, *headers).status for _ in range(count))


def test_a_visitor_is_slowed_down(start: Start) -> None:
    site = start()
    site.trust("127.0.0.1")
    found = statuses(site, 15, "X-Forwarded-For: 198.51.100.7")
    assert 6 <= found[200] <= 7, found  # a burst of five beside the first
    assert found[200] + found[429] == 15
    assert len(site.backend.asked) == found[200]
    refused = log_in(site, "X-Forwarded-For: 198.51.100.7")
    assert (refused.status, refused.headers["retry-after"]) == (429, "3")
    assert refused.headers["x-content-type-options"] == "nosniff"


def test_another_visitor_is_not(start: Start) -> None:
    site = start()
    site.trust("127.0.0.1")
    assert statuses(site, 15, "X-Forwarded-For: 198.51.100.7")[429] > 0
    assert log_in(site, "X-Forwarded-For: 198.51.100.8").status == 200


@pytest.mark.parametrize("network", ["2001:db8:1:2:", "2001:db8::"])
def test_a_network_of_ipv6_is_one_visitor(start: Start, network: str) -> None:
    """Who has one such address has them all."""
    site = start()
    site.trust("127.0.0.1")
    found = Counter(
        log_in(site, f"X-Forwarded-For: {network}1:2:3:{number}").status
        for number in range(15)
    )
    assert found[429] >= 8, found
    other = "X-Forwarded-For: 2001:db8:1:3::1"
    assert log_in(site, other).status == 200


def test_looking_is_not_limited(start: Start) -> None:
    site = start()
    assert statuses(site, 20)[429] > 0
    for method in ("GET", "HEAD"):
        answers = {site.ask("/wp-login.php", method=method).status for _ in range(20)}
        assert answers == {200}
    assert site.ask("/?s=x", method="POST", body=b"a=b").status == 200
    assert site.ask("/wp-comments-post.php", method="POST", body=b"a=b").status == 200


def test_visitors_behind_the_gateway_share_the_wider_limit(start: Start) -> None:
    """Docker's proxy has one address for all of them: no trusted proxy is named."""
    found = statuses(start(), 30)
    assert 11 <= found[200] <= 20, found
    assert found[429] >= 10


def test_those_behind_a_proxy_on_the_host_are_told_apart(start: Start) -> None:
    """Without any setting: for this limit what the last proxy says is enough."""
    site = start()
    assert statuses(site, 9, "X-Forwarded-For: 6.6.6.6, 198.51.100.7")[429] > 0
    assert log_in(site, "X-Forwarded-For: 6.6.6.6, 198.51.100.8").status == 200


def test_who_makes_up_a_proxy_runs_into_the_wider_limit(start: Start) -> None:
    site = start()
    found = Counter(
        log_in(site, f"X-Forwarded-For: 198.51.100.{number}").status
        for number in range(40)
    )
    assert found[429] >= 20, found


@pytest.mark.parametrize(
    "path", ["//wp-login.php", "/%77p-login.php", "/x/../wp-login.php?a=b"]
)
def test_another_spelling_is_no_way_around(start: Start, path: str) -> None:
    site = start()
    found = Counter(log_in(site, path=path).status for _ in range(30))
    assert found[429] >= 10, found


def test_xml_rpc_is_limited_where_it_is_on(start: Start) -> None:
    site = start(xmlrpc="on")
    found = Counter(log_in(site, path="/xmlrpc.php").status for _ in range(30))
    assert found[200] >= 11
    assert found[429] >= 10


def test_a_body_may_be_as_large_as_php_takes(start: Start) -> None:
    site = start()
    mega = 1024 * 1024
    assert log_body(site, 65 * mega).status == 200
    assert len(site.backend.bodies[-1]) == 65 * mega
    assert log_body(site, 65 * mega + 1).status == 413


def log_body(site: Site, size: int) -> Answer:
    # Refused by its length: what is refused is not sent.
    headers = f"Host: a\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n"
    body = bytes(size) if size % 1024 == 0 else b""
    head = f"POST /wp-admin/admin-ajax.php HTTP/1.1\r\n{headers}".encode()
    return site.send(head + body, method="POST")

"""Headers of every kind of answer, what WordPress is told, caching and compression."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.deploy.nginx.conftest import Start, copy_with, fill
from tests.deploy.nginx.fastcgi import Backend
from tests.deploy.nginx.site import DEPLOY, Site, running


SAFE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "content-security-policy": "frame-ancestors 'self'",
    "referrer-policy": "strict-origin-when-cross-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/wp-login.php", 200),
        ("/wp-admin/", 200),
        ("/index.php/x", 200),
        ("/wp-includes/css/a.css", 200),
        ("/wp-includes/css/a.css?ver=1", 200),
        ("/wp-admin", 301),
        ("/wp-config.php", 403),
        ("/wp-content/uploads/a.php", 403),
        ("/wp-content/uploads/", 403),
        ("/?author=1", 403),
        ("/nope.css", 404),
        ("/nope.php", 404),
        ("/healthz", 200),
    ],
)
def test_security_headers_are_everywhere(site: Site, path: str, status: int) -> None:
    answer = site.ask(path)
    assert answer.status == status
    assert {name: answer.headers.get(name) for name in SAFE} == SAFE
    assert answer.headers["server"] == "nginx"
    assert "strict-transport-security" not in answer.headers, "only with TLS"
    assert "x-powered-by" not in answer.headers
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])


def test_also_when_wordpress_is_not_there(start: Start) -> None:
    answer = start(wordpress="127.0.0.1:1").ask("/")
    assert answer.status == 502
    assert {name: answer.headers.get(name) for name in SAFE} == SAFE
    assert "nginx/" not in answer.body


@pytest.mark.parametrize("name", sorted(SAFE))
def test_wordpress_own_header_is_not_doubled(start: Start, name: str) -> None:
    site = start()
    site.backend.head += f"{name}: its-own\r\n"
    headers = site.ask("/").headers
    assert headers[name] == "its-own"  # http.client joins two by a comma
    assert {other: headers.get(other) for other in SAFE if other != name} == {
        other: value for other, value in SAFE.items() if other != name
    }


def test_an_embedded_post_may_be_in_a_frame_elsewhere(start: Start) -> None:
    site = start()
    site.backend.head += "X-WP-embed: true\r\n"
    headers = site.ask("/hello/embed/").headers
    assert "x-frame-options" not in headers
    assert "content-security-policy" not in headers
    assert headers["x-content-type-options"] == "nosniff"


def test_what_wordpress_is_told(site: Site) -> None:
    site.ask("/x/?a=b", "Host: a.example:18080", "Proxy: http://evil/", "X-A: b")
    asked = site.backend.asked[-1]
    assert not asked.get("HTTP_PROXY")
    assert asked["HTTP_HOST"] == "a.example:18080", "with the port, or it redirects"
    assert (asked["QUERY_STRING"], asked["REQUEST_URI"]) == ("a=b", "/x/?a=b")
    assert "HTTPS" not in asked
    assert asked["HTTP_X_A"] == "b"


def test_a_visitor_cannot_choose_the_request_id(site: Site) -> None:
    answer = site.ask("/", "X-Request-ID: chosen")
    told = site.backend.asked[-1]["HTTP_X_REQUEST_ID"]
    assert told == answer.headers["x-request-id"] != "chosen"


@pytest.mark.parametrize(
    ("path", "seconds"),
    [
        ("a.css", 7 * 86_400),
        ("a.css?ver=7.1", 365 * 86_400),
        ("a.css?ver=", 7 * 86_400),
    ],
)
def test_files_are_kept_by_browsers(site: Site, path: str, seconds: int) -> None:
    headers = site.ask(f"/wp-includes/css/{path}").headers
    assert headers["cache-control"] == f"max-age={seconds}"


def test_what_is_not_there_is_not_kept(site: Site) -> None:
    assert "cache-control" not in site.ask("/nope.css").headers


def test_compression(start: Start) -> None:
    site = start()
    (site.html / "big.css").write_text("a { color: red }\n" * 200)
    zipped = site.ask("/big.css", "Accept-Encoding: gzip")
    assert zipped.headers["content-encoding"] == "gzip"
    assert zipped.headers["vary"] == "Accept-Encoding"
    assert "content-encoding" not in site.ask("/big.css").headers


def test_sizes_of_nginx_and_php_agree() -> None:
    ini = (DEPLOY / "wordpress/zz-stack.ini").read_text()
    conf = (DEPLOY / "nginx/nginx.conf").read_text()
    post = re.search(r"^post_max_size = (\d+)M$", ini, re.MULTILINE)
    body = re.search(r"client_max_body_size (\d+)m;", conf)
    assert post
    assert body
    assert post[1] == body[1]


# The page cache, which is off unless it is switched on.


def cached(site: Site, path: str, *headers: str, method: str = "GET") -> str:
    """Return how the cache came into it: MISS, HIT, BYPASS or nothing."""
    return site.ask(path, *headers, method=method).headers.get("x-cache", "")


@pytest.fixture(scope="module")
def keeping(nginx: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("cache")
    fill(folder / "html")
    copy_with({"page_cache": "pages"}, folder / "etc")
    with Backend() as backend, running(nginx, folder, backend) as site:
        yield site


def test_the_page_cache_is_off(site: Site) -> None:
    assert [cached(site, "/hello/") for _ in range(2)] == ["", ""]


def test_a_page_of_a_stranger_is_kept(start: Start) -> None:
    site = start(page_cache="pages")
    assert [cached(site, "/hello/") for _ in range(2)] == ["MISS", "HIT"]
    assert len(site.backend.asked) == 1
    assert site.ask("/hello/").headers["x-frame-options"] == "SAMEORIGIN"
    assert cached(site, "/hello/", "Cookie: _ga=1; wordpress_test_cookie=x") == "HIT"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", ("Cookie: wordpress_logged_in_1=x",)),
        ("/", ("Cookie: a=b; wordpress_sec_1=x",)),
        ("/", ("Cookie: wp-postpass_1=x",)),
        ("/", ("Cookie: comment_author_1=x",)),
        ("/", ("Cookie: woocommerce_items_in_cart=1",)),
        ("/", ("Cookie: wp_woocommerce_session_1=x",)),
        ("/", ("Cookie: PHPSESSID=x",)),
        ("/", ("Authorization: Basic eA==",)),
        ("/?p=1", ()),
        ("/?s=x", ()),
        ("/?", ()),
        ("/wp-json/wp/v2/posts", ()),
        ("/wp-admin/", ()),
        ("/wp-login.php", ()),
        ("/wp-cron.php", ()),
        ("/feed/", ()),
        ("/wp-sitemap.xml", ()),
        ("/cart/", ()),
        ("/shop/checkout/pay", ()),
    ],
)
def test_what_is_never_kept(keeping: Site, path: str, headers: tuple[str, ...]) -> None:
    for _ in range(2):
        cached(keeping, path)  # as a stranger, for whom it may be kept
    asked = len(keeping.backend.asked)
    states = [cached(keeping, path, *headers) for _ in range(2)]
    assert states == ["BYPASS", "BYPASS"]
    assert len(keeping.backend.asked) == asked + 2


def test_a_post_is_not_answered_from_the_cache(start: Start) -> None:
    site = start(page_cache="pages")
    assert [cached(site, "/hello/") for _ in range(2)] == ["MISS", "HIT"]
    answer = site.ask("/hello/", method="POST", body=b"a=b")
    assert answer.status == 200
    assert [asked["REQUEST_METHOD"] for asked in site.backend.asked] == ["GET", "POST"]
    assert cached(site, "/hello/") == "HIT"


@pytest.mark.parametrize(
    "head", ["Set-Cookie: a=b", "Cache-Control: no-cache", "Cache-Control: private"]
)
def test_what_wordpress_says_is_not_to_be_kept(start: Start, head: str) -> None:
    site = start(page_cache="pages")
    site.backend.head += f"{head}\r\n"
    assert [cached(site, "/hello/") for _ in range(2)] == ["MISS", "MISS"]


def test_one_address_is_not_another(start: Start) -> None:
    site = start(page_cache="pages")
    assert cached(site, "/hello/", "Host: a.example") == "MISS"
    assert cached(site, "/hello/", "Host: a.example:8080") == "MISS"
    assert cached(site, "/hello/", "Host: b.example") == "MISS"
    assert cached(site, "/hello/", "Host: a.example", method="HEAD") == "MISS"
    assert cached(site, "/hello/", "Host: a.example") == "HIT"

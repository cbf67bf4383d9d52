"""What every address of the site answers, and who answers it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.deploy.nginx.conftest import Start
from tests.deploy.nginx.site import Answer, Site


PHP, FILE, NOBODY = "php", "file", ""


def answered_by(answer: Answer) -> str:
    """Return who answered: php-fpm for a script, or nginx with a file."""
    word = answer.body.partition(" ")[0]
    return word if word in {PHP, FILE} else NOBODY


def script(site: Site) -> str:
    """Return which script was asked for last."""
    return str(Path(site.backend.asked[-1]["SCRIPT_FILENAME"]).relative_to(site.html))


FRONT = "index.php"


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/", FRONT),
        ("/?p=1", FRONT),
        ("/2026/11/hello-world/", FRONT),
        ("/2026/11/hello-world", FRONT),
        ("/b%C3%BCcher/", FRONT),
        ("/feed/", FRONT),
        ("/wp-sitemap.xml", FRONT),
        ("/robots.txt", FRONT),
        ("/favicon.ico", FRONT),
        ("/wp-json/wp/v2/posts", FRONT),
        ("/wp-json/", FRONT),
        ("/?rest_route=/wp/v2/posts", FRONT),
        ("/index.php", FRONT),
        ("/index.php?p=1", FRONT),
        ("/index.php/2026/11/hello/", FRONT),
        ("/index.php/a.jpg", FRONT),
        ("/index.php/x.php", FRONT),
        ("/index.php/a%0ab", FRONT),
        ("/.well-known/change-password", FRONT),
        ("/wp-login.php", "wp-login.php"),
        ("/wp-login.php?action=lostpassword", "wp-login.php"),
        ("/wp-cron.php?doing_wp_cron", "wp-cron.php"),
        ("/wp-comments-post.php", "wp-comments-post.php"),
        ("/wp-admin/", "wp-admin/index.php"),
        ("/wp-admin/install.php", "wp-admin/install.php"),
        ("/wp-admin/upgrade.php", "wp-admin/upgrade.php"),
        ("/wp-admin/admin-ajax.php?action=x", "wp-admin/admin-ajax.php"),
        ("/wp-admin/admin-ajax.php?author=1", "wp-admin/admin-ajax.php"),
        ("/wp-content/", "wp-content/index.php"),
        ("/wp-content/plugins/p/p.php", "wp-content/plugins/p/p.php"),
        ("/wp-content/themes/t/t.php", "wp-content/themes/t/t.php"),
        (
            "/wp-includes/js/tinymce/wp-tinymce.php?c=1",
            "wp-includes/js/tinymce/wp-tinymce.php",
        ),
        # The same, written otherwise.
        ("//wp-login.php", "wp-login.php"),
        ("/x/../wp-login.php", "wp-login.php"),
        ("/%77p-login.php", "wp-login.php"),
        ("/./index.php", FRONT),
        # No such file: WordPress' own page says so.
        ("/fpm-status", FRONT),
        ("/stub_status", FRONT),
        ("/wp-login.php/", FRONT),
        ("/wp-login.php/x", FRONT),
        ("/wp-login.php/x/", FRONT),
        ("/WP-LOGIN.PHP/x", FRONT),
    ],
)
def test_wordpress_answers(site: Site, path: str, wanted: str) -> None:
    answer = site.ask(path)
    assert (answer.status, answered_by(answer)) == (200, PHP), answer
    assert script(site) == wanted


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/wp-includes/css/a.css", "text/css"),
        ("/wp-includes/css/a.css?ver=7.1", "text/css"),
        ("/wp-content/uploads/photo.jpg", "image/jpeg"),
        ("/wp-content/plugins/p/p.css", "text/css"),
        ("/wp-admin/css/login.css", "text/css"),
        ("/.well-known/security.txt", "text/plain"),
        ("/wp-content/uploads/goods.zip", "application/octet-stream"),
        ("/wp-content/plugins/p/p.zip", "application/octet-stream"),
        ("/sitemap.xml.gz", "application/octet-stream"),
    ],
)
def test_nginx_answers_with_a_file(site: Site, path: str, kind: str) -> None:
    answer = site.ask(path)
    assert (answer.status, answered_by(answer)) == (200, FILE), answer
    assert answer.headers["content-type"] == kind


@pytest.mark.parametrize(
    ("path", "status"),
    [
        # Configuration, dotfiles, versions, dumps, logs, sources.
        ("/wp-config.php", 403),
        ("/wp-config.php.bak", 403),
        ("/WP-Config.php", 403),
        ("/wp-config-sample.php", 403),
        ("/x/../wp-config.php", 403),
        ("//wp-config.php", 403),
        ("/wp%2dconfig.php", 403),
        ("/.htaccess", 403),
        ("/.user.ini", 403),
        ("/.git/config", 403),
        ("/%2egit/config", 403),
        ("/wp-content/uploads/.user.ini", 403),
        ("/.well-known/.git/config", 403),
        ("/readme.html", 403),
        ("/README.HTML", 403),
        ("/license.txt", 403),
        ("/liesmich.html", 403),
        ("/wp-content/plugins/p/readme.txt", 403),
        ("/composer.json", 403),
        ("/backup.sql", 403),
        ("/dump.sql.gz", 403),
        ("/wp-content/uploads/old.bak", 403),
        ("/wp-content/debug.log", 403),
        ("/wp-content/debug.log.1", 403),
        ("/backup.zip", 403),
        ("/BACKUP.ZIP", 403),
        ("/site.tar.gz", 403),
        ("/site.tgz", 403),
        ("/dump.sql.tar.bz2", 403),
        ("/wp-content/backup.7z", 403),
        ("/wp-content/uploads/../backup.7z", 403),
        ("/wp-content/ai1wm-backups/a.wpress", 403),
        ("/web.config", 403),
        ("/privkey.pem", 403),
        ("/wp-content/uploads/woocommerce_uploads/a.zip", 404),
        ("/index.php~", 403),
        ("/old.php.save", 403),
        ("/script.php5", 403),
        ("/script.phtml", 403),
        ("/Upper.PHP", 403),
        ("/Upper.PHP?x=1", 403),
        ("/spaced.php%20", 403),
        ("/dotted.php.", 403),
        # Scripts where no script is for visitors.
        ("/wp-content/uploads/a.php", 403),
        ("/wp-content/uploads/a.php?x=1", 403),
        ("/wp-content/uploads/A.PHP", 403),
        ("/wp-content/UPLOADS/a.php", 403),
        ("/wp-content/uploads/a.phtml", 403),
        ("/wp-content/uploads/a.phar", 403),
        ("/wp-content/uploads/2026/11/a.php", 403),
        ("/wp-content/uploads/a.php/b.jpg", 403),
        ("/wp-content/uploads/d.php/b.jpg", 403),
        ("/wp-content/uploads/x.php.jpg", 403),
        ("/wp-content/uploads/new%0aline.php", 403),
        ("/wp-content//uploads/a.php", 403),
        ("/wp-content/plugins/../uploads/a.php", 403),
        ("/wp-content/uploads/%61.ph%70", 403),
        ("/wp-content/cache/a.php", 403),
        ("/wp-content/upgrade/a.php", 403),
        ("/wp-content/mu-plugins/a.php", 403),
        ("/wp-content/backups/a.php", 403),
        ("/wp-content/db.php", 403),
        ("/wp-content/index.php/../uploads/a.php", 403),
        ("/wp-content/plugins%2f../uploads/a.php", 403),
        ("/wp-includes/version.php", 403),
        ("/wp-includes/Upper.PHP", 403),
        ("/wp-includes/js/tinymce/wp-tinymce.php/x.php", 403),
        ("/wp-admin/includes/file.php", 403),
        ("/wp-admin/setup-config.php", 403),
        ("/xmlrpc.php", 403),
        ("//xmlrpc.php?rsd", 403),
        # What is no file is no script, whatever the query says.
        ("/nope.php", 404),
        ("/nope.php?x=1", 404),
        ("/wp-admin/nope.php?x=1", 404),
        ("/wp-content/plugins/p/nope.php", 404),
        ("/wp-content/plugins/p/p.css/x.php", 404),
        ("/nope.css", 404),
        ("/nope.jpg?x=.php", 404),
        ("/spaced.php%20/x.css", 404),
        # Folders are not listed.
        ("/wp-content/uploads/", 403),
        ("/wp-includes/", 403),
        # Out of the site, or not a path at all.
        ("/../../etc/passwd", 400),
        ("/%2e%2e/%2e%2e/etc/passwd", 400),
        ("/..%2f..%2fetc/passwd", 400),
        ("/index.php%00.jpg", 400),
        ("/wp-content/uploads/a.php%00.jpg", 400),
        ("/%", 400),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nobody_answers(site: Site, path: str, status: int, method: str) -> None:
    before = len(site.backend.asked)
    answer = site.ask(path, method=method, body=b"a=b" if method == "POST" else b"")
    if status == 404 and method == "POST" and path.startswith("/nope."):
        assert answer.status in {404, 405}, "a file takes no POST"
    else:
        assert answer.status == status, answer
    assert answered_by(answer) == NOBODY
    assert "source" not in answer.body
    assert len(site.backend.asked) == before


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_the_rest_api_has_its_methods(site: Site, method: str) -> None:
    assert site.ask("/wp-json/wp/v2/posts/1", method=method).status == 200
    assert site.backend.asked[-1]["REQUEST_METHOD"] == method


def test_trace_is_refused(site: Site) -> None:
    assert site.ask("/", method="TRACE").status == 405


def test_a_folder_is_redirected_without_a_host_or_port(site: Site) -> None:
    answer = site.ask("/wp-admin")
    assert (answer.status, answer.headers["location"]) == (301, "/wp-admin/")


def test_a_path_behind_index_is_told_to_wordpress(site: Site) -> None:
    site.ask("/index.php/2026/hello/?x=1")
    asked = site.backend.asked[-1]
    assert asked["PATH_INFO"] == "/2026/hello/"
    assert asked["REQUEST_URI"] == "/index.php/2026/hello/?x=1"
    assert asked["QUERY_STRING"] == "x=1"
    assert asked["SCRIPT_NAME"] == "/index.php"


@pytest.mark.parametrize("name", ["link.txt", "wp-content/uploads/link.jpg"])
def test_a_link_to_what_is_somebody_elses_leads_nowhere(site: Site, name: str) -> None:
    link = site.html / name
    link.symlink_to("/etc/passwd")
    if os.getuid() == 0:
        os.lchown(link, 65534, 65534)
    answer = site.ask(f"/{name}")
    assert "root:" not in answer.body
    assert answered_by(answer) != FILE


def test_a_link_within_the_site_works(site: Site) -> None:
    (site.html / "linked.css").symlink_to(site.html / "wp-includes/css/a.css")
    assert answered_by(site.ask("/linked.css")) == FILE


@pytest.mark.parametrize(
    "headers",
    [
        ("Host: nginx",),
        ("Host: nginx:80",),
        ("Host: NGINX",),
        ("Host: nginx", "X-Forwarded-For: 172.18.0.5"),
        ("Host: nginx", "X-Real-IP: 127.0.0.1", "Forwarded: for=127.0.0.1"),
    ],
)
def test_the_status_page_is_not_on_the_published_port(
    site: Site, headers: tuple[str, ...]
) -> None:
    answer = site.ask("/stub_status", *headers)
    assert "Active connections" not in answer.body
    assert answered_by(answer) == PHP
    absolute = site.ask("http://nginx/stub_status", *headers)
    assert "Active connections" not in absolute.body


def test_the_status_page_is_where_the_exporter_asks(site: Site) -> None:
    answer = site.ask("/stub_status", "Host: nginx", port="internal")
    assert answer.status == 200
    assert answer.body.startswith("Active connections")
    assert site.ask("/", "Host: nginx", port="internal").status == 404


@pytest.mark.parametrize("port", ["internal", "published"])
def test_health_is_told_everywhere(site: Site, port: str) -> None:
    for headers in ((), ("Host: nginx",)):
        answer = site.ask("/healthz", *headers, port=port)
        assert (answer.status, answer.body) == (200, "ok\n")


@pytest.mark.parametrize("wordpress", ["wordpress.invalid:9000", "127.0.0.1:1"])
def test_nginx_starts_and_serves_files_without_wordpress(
    start: Start, wordpress: str
) -> None:
    site = start(wordpress=wordpress)
    assert site.ask("/healthz").status == 200
    assert site.ask("/wp-includes/css/a.css").status == 200


def test_a_wordpress_that_is_not_there_is_a_502(start: Start) -> None:
    assert start(wordpress="127.0.0.1:1").ask("/").status == 502


USERS = ("/wp-json/wp/v2/users", "/?rest_route=/wp/v2/users")


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        *((path, (), 403) for path in USERS),
        ("/wp-json/wp/v2/users/1", (), 403),
        ("/wp-json/WP/v2/Users?per_page=100", (), 403),
        ("/wp-json/wp/v2/%75sers", (), 403),
        ("/index.php/wp-json/wp/v2/users", (), 403),
        ("/index.php?rest_route=%2Fwp%2Fv2%2Fusers", (), 403),
        ("/?x=1&rest_route=//wp/v2/users", (), 403),
        # As PHP reads names.
        ("/?%72est_route=/wp/v2/users", (), 403),
        ("/?rest.route=/wp/v2/users", (), 403),
        ("/?rest%5Froute=/wp/v2/users", (), 403),
        ("/?rest+route=/wp/v2/users", (), 403),
        ("/?+rest_route=/wp/v2/users", (), 403),
        ("/?%20rest[route=/wp/v2/users", (), 403),
        ("/?rest_route%00x=/wp/v2/users", (), 403),
        ("/?rest_route=/wp/v2/%75sers", (), 403),
        ("/?_method=GET", (), 403),
        ("/?.method=%47ET", (), 403),
        ("/", ("X-HTTP-Method-Override: GET",), 403),
        ("/", ("X-HTTP-Method-Override: PUT",), 200),
        ("/?rest_route=%2Fwp%2Fv2%2Fposts&_locale=user", (), 200),
        ("/?utm%5Fsource=x&q=%61&%C3%BC%5B0%5D=1", (), 200),
        ("/wp-sitemap-users-1.xml", (), 403),
        ("/author-sitemap.xml", (), 403),
        ("/?sitemap=users&paged=1", (), 403),
        ("/wp-sitemap-posts-post-1.xml", (), 200),
        ("/?author=1", (), 403),
        ("/?x=1&author=1", (), 403),
        ("/?%61uthor=1", (), 403),
        ("/?+author=1", (), 403),
        ("/?author%00=1", (), 403),
        ("/index.php/?author=1", (), 403),
        ("/2026/?author=1", (), 403),
        ("/feed/?author=1", (), 403),
        ("/x%0a/?author=1", (), 403),
        ("/x%3f?author=1", (), 403),
        ("/?author[]=1", (), 403),
        ("/?author%5B0%5D=1", (), 403),
        ("/index.php?author=1", (), 403),
        ("/?authors=1", (), 200),
        ("/?coauthor=1", (), 200),
        ("/wp-json/wp/v2/posts?author=1", (), 200),
        *((path, ("Cookie: wordpress_logged_in_1a=x",), 200) for path in USERS),
        *((path, ("Authorization: Basic eA==",), 200) for path in USERS),
        ("/?author=1", ("Cookie: a=b; wordpress_logged_in_1a=x",), 200),
        ("/?author=1", ("Host: a.example:1", "Referer: http://a.example:1/"), 200),
        ("/?author=1", ("Host: a.example", "Referer: http://b.example/"), 403),
        ("/?author=1", ("Host: a.example", "Referer: http://a.example.evil/"), 403),
    ],
)
def test_users_are_not_listed_to_strangers(
    site: Site, path: str, headers: tuple[str, ...], status: int
) -> None:
    assert site.ask(path, *headers).status == status


def test_switches(start: Start) -> None:
    site = start(xmlrpc="on", user_lists="on")
    assert script_of(site, "/xmlrpc.php") == "xmlrpc.php"
    assert site.ask("/wp-json/wp/v2/users").status == 200
    assert site.ask("/?author=1").status == 200


def script_of(site: Site, path: str) -> str:
    assert site.ask(path).status == 200
    return script(site)

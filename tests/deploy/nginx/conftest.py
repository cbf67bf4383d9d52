"""A site with files of every kind, and nginx in front of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.deploy.nginx.fastcgi import Backend
from tests.deploy.nginx.site import DEPLOY, Site, running


# What there is to be found. The content of a script says that its source was shown.
FILES = """
index.php wp-login.php xmlrpc.php wp-cron.php wp-comments-post.php wp-config.php
wp-config.php.bak wp-config-sample.php index.php~ old.php.save script.php5 script.phtml
Upper.PHP dotted.php. readme.html license.txt liesmich.html backup.sql dump.sql.gz
composer.json .htaccess .user.ini .git/config .well-known/security.txt
wp-admin/index.php wp-admin/install.php wp-admin/upgrade.php wp-admin/setup-config.php
wp-admin/admin-ajax.php wp-admin/includes/file.php wp-admin/css/login.css
wp-includes/version.php wp-includes/Upper.PHP wp-includes/js/tinymce/wp-tinymce.php
wp-includes/css/a.css wp-content/index.php wp-content/debug.log
wp-content/plugins/p/p.php wp-content/plugins/p/readme.txt wp-content/plugins/p/p.css
wp-content/uploads/a.php wp-content/uploads/A.PHP wp-content/uploads/a.phtml
wp-content/uploads/a.phar wp-content/uploads/photo.jpg wp-content/uploads/x.php.jpg
wp-content/uploads/2026/11/a.php wp-content/uploads/d.php/b.jpg
wp-content/uploads/.user.ini wp-content/uploads/old.bak wp-content/cache/a.php
wp-content/upgrade/a.php wp-content/mu-plugins/a.php wp-content/backups/a.php
wp-content/db.php wp-content/plugins/p/p.zip wp-content/themes/t/t.php
wp-content/uploads/goods.zip wp-content/uploads/woocommerce_uploads/a.zip
backup.zip site.tar.gz site.tgz dump.sql.tar.bz2 wp-content/backup.7z sitemap.xml.gz
wp-content/ai1wm-backups/a.wpress wp-content/debug.log.1 web.config privkey.pem
"""


def fill(html: Path) -> None:
    names = [*FILES.split(), "spaced.php ", "wp-content/uploads/new\nline.php"]
    for name in names:
        path = html / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("source" if ".ph" in name.lower() else f"file {name}")


Start = Callable[..., Site]


@pytest.fixture(scope="module")
def site(nginx: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site for questions that leave no trace."""
    folder = tmp_path_factory.mktemp("site")
    fill(folder / "html")
    with Backend() as backend, running(nginx, folder, backend) as started:
        yield started


@pytest.fixture
def start(nginx: str, tmp_path: Path) -> Iterator[Start]:
    """Start a site of a test's own, with some words of its configuration changed."""
    with ExitStack() as stack:

        def start_site(servers: str = "conf.d", **changes: str) -> Site:
            fill(tmp_path / "html")
            copy_with(changes, tmp_path / "etc")
            backend = stack.enter_context(Backend())
            context = running(nginx, tmp_path, backend, servers=servers)
            return stack.enter_context(context)

        yield start_site


def copy_with(switches: Mapping[str, str], etc: Path) -> None:
    """Copy the configuration to *etc*, with other words for its switches."""
    for source in (DEPLOY / "nginx").rglob("*"):
        target = etc / source.relative_to(DEPLOY / "nginx")
        if source.is_dir():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    path = etc / "http/switches.conf"
    for name, word in switches.items():
        before = path.read_text()
        line = next(row for row in before.splitlines() if f"${name} " in row)
        changed = line.rpartition("default ")[0] + f"default {word}; }}"
        path.write_text(before.replace(line, changed))

"""A site is backed up under load, destroyed, and put back elsewhere."""

from __future__ import annotations

import http.cookiejar
import itertools
import json
import random
import re
import stat
import struct
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from deploy.stack import images, passwords
from deploy.stack.backup import metrics, reading
from deploy.stack.compose import Compose
from deploy.stack.settings import Settings, load
from tests.e2e.stack import Stack, docker, meanwhile, need_engine, wait_until


pytestmark = [pytest.mark.e2e, pytest.mark.docker, pytest.mark.timeout(1500)]

PASSWORD = "correct horse battery staple"
TITLE = "Grüße, Привет, 日本語, العربية, हिन्दी, 👩‍👩‍👧‍👦 🇫🇷"
BODY = "<p>𝔘𝔫𝔦𝔠𝔬𝔡𝔢 \\ ' \" % _ &amp; 🐳</p>"
OLD, NEW = "e2e-backup-old", "e2e-backup-new"


def picture(seed: int, side: int = 700) -> bytes:
    """Return a PNG of noise, which no program can make smaller, of about 1.5 MB."""
    noise = random.Random(seed)
    rows = b"".join(b"\0" + noise.randbytes(3 * side) for _ in range(side))
    chunks = (
        (b"IHDR", struct.pack(">2I5B", side, side, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data))
        + kind
        + data
        + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


@dataclass
class Visitor:
    """A browser with its cookies; a site where it is logged in."""

    base: str
    jar: http.cookiejar.CookieJar = field(default_factory=http.cookiejar.CookieJar)
    nonce: str = ""

    def open(
        self, path: str, data: bytes | None = None, **headers: str
    ) -> tuple[str, bytes]:
        """Return where *path* led to, and the page."""
        opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(self.jar)
        )
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.base + path, data, named)
        try:
            with opener.open(request, timeout=60) as answer:
                return answer.geturl(), answer.read()
        except urllib.error.HTTPError as error:
            raise AssertionError(
                f"{path}: {error.code} {error.read()[:500]!r}"
            ) from error

    def form(self, path: str, **values: str) -> tuple[str, bytes]:
        return self.open(path, urllib.parse.urlencode(values).encode())

    def log_in(self) -> None:
        self.form("/wp-login.php", log="admin", pwd=PASSWORD, testcookie="1")
        assert self.is_logged_in()
        self.nonce = self.open("/wp-admin/admin-ajax.php?action=rest-nonce")[1].decode()

    def is_logged_in(self) -> bool:
        return "wp-login.php" not in self.open("/wp-admin/profile.php")[0]

    def rest(self, route: str, data: bytes | None = None, **headers: str) -> Any:
        if self.nonce:
            headers["X_WP_Nonce"] = self.nonce
        query = urllib.parse.quote(route, safe="/&=")
        return json.loads(self.open(f"/?rest_route={query}", data, **headers)[1])

    def write(self, title: str, content: str) -> int:
        post = {"title": title, "content": content, "status": "publish"}
        body = json.dumps(post).encode()
        made = self.rest("/wp/v2/posts", body, Content_Type="application/json")
        return int(made["id"])

    def upload(self, name: str, data: bytes) -> str:
        """Return the path of an uploaded picture."""
        made = self.rest(
            "/wp/v2/media",
            data,
            Content_Type="image/png",
            Content_Disposition=f'attachment; filename="{name}"',
        )
        return urllib.parse.urlsplit(str(made["source_url"])).path


@dataclass
class Site:
    """What is known of the site before it is destroyed."""

    stack: Stack
    browser: Visitor
    post: int
    upload: str
    picture: bytes
    backups: Path
    config: str = ""
    written: list[int] = field(default_factory=list)

    def run(self, *arguments: str) -> tuple[int, str]:
        done = self.stack.command(*arguments)
        return done.returncode, done.stdout

    def check(self, name: str) -> None:
        """Assert that the site is there as it was, in the containers of *name*."""
        visitor = Visitor(self.browser.base)
        post = visitor.rest(f"/wp/v2/posts/{self.post}")
        text = re.sub(r"&#8221;|&#8243;", '"', post["content"]["rendered"])
        assert TITLE in post["title"]["rendered"]
        assert "𝔘𝔫𝔦𝔠𝔬𝔡𝔢" in text
        assert "🐳" in text
        assert visitor.open(self.upload)[1] == self.picture
        assert self.browser.is_logged_in(), "the salts are the same"
        visitor.log_in()
        assert config(name) == self.config
        for number in self.written:
            visitor.rest(f"/wp/v2/posts/{number}")


def config(name: str) -> str:
    """Return the hash of wp-config.php, and whose it is."""
    command = "sha256sum wp-config.php; stat -c %u:%g:%a wp-config.php wp-content ."
    return docker("exec", f"{name}-wordpress", "sh", "-c", command)


def settings(folder: Path) -> Settings:
    return load(folder / ".env", folder / "state")


def start(stack: Stack) -> None:
    """Start the site alone, without what watches it."""
    own = settings(stack.folder)
    source = images.prepare(own)
    passwords.ensure(own)
    Compose(own, source).up("nginx")


def named(stack: Stack, name: str) -> Stack:
    """Give the containers and volumes of *stack* a name of their own."""
    env = stack.folder / ".env"
    kept = [
        line
        for line in env.read_text().splitlines()
        if not line.startswith(("COMPOSE_PROJECT_NAME", "NAME_PREFIX"))
    ]
    kept += [f"COMPOSE_PROJECT_NAME={name}", f"NAME_PREFIX={name}-"]
    env.write_text("\n".join(kept) + "\n")
    return stack


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    need_engine()
    folder = tmp_path_factory.mktemp("old")
    stack = named(Stack.prepare(folder), OLD)
    try:
        start(stack)
        browser = Visitor(stack.url("NGINX_PORT", ""))
        browser.form(
            "/wp-admin/install.php?step=2",
            weblog_title="Backed up",
            user_name="admin",
            admin_password=PASSWORD,
            admin_password2=PASSWORD,
            admin_email="admin@example.org",
            blog_public="0",
        )
        browser.log_in()
        data = picture(1)
        upload = browser.upload("noise.png", data)
        post = browser.write(TITLE, BODY)
        yield Site(stack, browser, post, upload, data, folder / "backups", config(OLD))
    finally:
        stack.command("down", "--", "--volumes")


@contextmanager
def writers(site: Site) -> Iterator[None]:
    """Write posts and upload pictures all the time."""
    numbers = itertools.count()

    def write() -> None:
        site.written.append(site.browser.write(f"{len(site.written)}", BODY))

    def upload() -> None:
        number = next(numbers)
        site.browser.upload(f"more-{number}.png", picture(number, 64))

    with meanwhile(write, upload):
        yield


def test_a_backup_is_made_while_people_write(site: Site) -> None:
    with writers(site):
        wait_until(lambda: len(site.written) > 3, "posts are written")
        before = list(site.written)
        code, said = site.run("backup", "--", "--quiet", "--keep=2")
    assert (code, said) == (0, ""), "cron has nothing to mail"
    assert len(site.written) > len(before), "and went on"
    site.written = before
    [path] = site.backups.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    archive = reading.opened(path)
    reading.verify(archive)
    facts = archive.manifest
    assert (facts.project, facts.table_prefix) == (OLD, "wp_")
    assert re.match(r"\d+\.\d+", facts.wordpress_version)
    assert re.match(r"\d+\.\d+", facts.database_version)
    assert facts.wordpress_url == site.browser.base
    text = (site.stack.folder / "state/textfile/stack_backup.prom").read_text()
    assert f"size_bytes {path.stat().st_size}\n" in text
    print(f"{path.stat().st_size:,} bytes: {text.splitlines()[-1]}")


def test_prometheus_hears_of_the_last_one(stack: Stack) -> None:
    """Through the node exporter of the whole stack, which runs as nobody."""
    now = int(time.time())
    metrics.write(stack.folder / "state", now, 4711, 1.5)
    name = "stack_backup_last_success"
    wait_until(lambda: stack.number(f"{name}_timestamp_seconds") == now, "its time")
    assert stack.number(f"{name}_size_bytes") == 4711


def test_what_is_there_is_not_replaced_unasked(site: Site) -> None:
    code, said = site.run("restore", str(site.backups))
    assert code == 1
    assert re.search(
        rf"^deploy: the stack {OLD} has a database of \d+ tables: YES=1 \(--yes\) "
        r"replaces it, make backup keeps it first$",
        said,
        re.MULTILINE,
    )
    site.check(OLD)


def test_a_damaged_one_changes_nothing(site: Site, tmp_path: Path) -> None:
    [path] = site.backups.iterdir()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    damaged = tmp_path / path.name
    damaged.write_bytes(data)
    code, said = site.run("restore", "--", str(damaged), "--yes")
    assert code == 1
    assert said.splitlines()[-1].startswith(f"deploy: {damaged}: wordpress.tar.gz: ")
    site.check(OLD)


def test_all_of_it_comes_back_on_a_new_machine(site: Site) -> None:
    """No containers, no volumes, no settings: only the file."""
    assert site.run("down", "--", "--volumes")[0] == 0
    left = docker("volume", "ls", "-q", "--filter", f"name={OLD}")
    assert left == ""
    old = site.stack.folder
    (old / ".env").unlink()
    for name in passwords.FILES:
        (old / ".secrets" / name).rename(old / name)
    began = time.monotonic()
    code, said = site.run("restore", str(site.backups))
    print(f"{said}restored in {time.monotonic() - began:.1f} s")
    assert code == 0
    assert "calls itself" not in said
    for name in passwords.FILES:
        assert (old / ".secrets" / name).read_text() == (old / name).read_text()
    site.check(OLD)


def test_what_was_broken_since_is_mended(site: Site) -> None:
    browser = site.browser
    browser.rest(
        f"/wp/v2/posts/{site.post}&force=true", b"", X_HTTP_Method_Override="DELETE"
    )
    lost = browser.write("lost by the restore", "x")
    script = "rm -r wp-content/uploads wp-includes; echo '<?php' > evil.php"
    docker("exec", f"{OLD}-wordpress", "sh", "-c", script)
    began = time.monotonic()
    code, said = site.run("restore", "--", str(site.backups), "--yes")
    print(f"{said}restored in {time.monotonic() - began:.1f} s")
    assert code == 0
    site.check(OLD)
    listed = docker("exec", f"{OLD}-wordpress", "ls", "-A").split()
    assert "evil.php" not in listed
    assert not [name for name in listed if name in {".restore", ".replaced"}]
    with pytest.raises(AssertionError, match=": 404 "):
        Visitor(browser.base).rest(f"/wp/v2/posts/{lost}")


def test_it_moves_into_a_stack_of_another_name(site: Site, tmp_path: Path) -> None:
    """Which has its own passwords, and the address that the site gives itself."""
    assert site.run("down")[0] == 0
    (tmp_path / ".env").write_text((site.stack.folder / ".env").read_text())
    moved = named(Stack(tmp_path, site.stack.ports), NEW)
    try:
        done = moved.command("restore", str(site.backups))
        assert done.returncode == 0, done.stdout
        site.check(NEW)
        password = (tmp_path / ".secrets/mysql_password").read_text()
        assert password != (site.stack.folder / ".secrets/mysql_password").read_text()
        names = docker("volume", "ls", "-q", "--filter", f"name={NEW}")
        assert f"{NEW}_wordpress_data" in names.split()
        labelled = docker(
            "volume", "ls", "-q", "--filter", f"label=com.docker.compose.project={NEW}"
        )
        assert labelled == names, "Compose made them, and removes them"
    finally:
        moved.command("down", "--", "--volumes")

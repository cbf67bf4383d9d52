"""A stop lets everybody finish: requests, downloads, the database, Prometheus."""

from __future__ import annotations

import http.client
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest

from deploy.stack import images
from deploy.stack.compose import Compose
from deploy.stack.settings import load
from tests.e2e.stack import PREFIX, Stack, docker, get_json, wait_until


pytestmark = [pytest.mark.e2e, pytest.mark.docker, pytest.mark.timeout(1500)]

SLOW = "<?php touch('/tmp/slow-began'); sleep(4); echo 'finished';"
LARGE = 32 << 20  # more than the buffers on the way hold
CLEAN_EXIT = ("nginx", "wordpress", "mysql", "prometheus", "promtail", "loki")


@pytest.fixture
def slow_site(stack: Stack) -> Iterator[Stack]:
    """The site with a page that takes four seconds, and a large file."""
    inside = ("exec", f"{PREFIX}wordpress", "sh", "-euc")
    files = "slow.php wp-content/uploads/large.bin"
    script = (
        "mkdir -p wp-content/uploads\n"
        'printf %s "$0" >slow.php\n'
        f"head -c {LARGE} /dev/zero >wp-content/uploads/large.bin"
    )
    docker(*inside, script, SLOW)
    answered = (b"200 ", b"302 ")  # not installed yet, it leads to the installer
    wait_until(lambda: get(stack, "/").startswith(answered), "WordPress answers")
    try:
        yield stack
    finally:
        docker(*inside, f"rm -f {files} /tmp/slow-began")


@contextmanager
def slow_request(stack: Stack) -> Iterator[Future[bytes]]:
    """Ask for the slow page; in the block PHP is at work on it."""
    began = ("exec", f"{PREFIX}wordpress", "sh", "-c", "ls /tmp")
    with ThreadPoolExecutor() as pool:
        docker("exec", f"{PREFIX}wordpress", "rm", "-f", "/tmp/slow-began")
        asked = pool.submit(get, stack, "/slow.php")

        def at_work() -> bool:
            assert not asked.done(), asked.result()
            return "slow-began" in docker(*began)

        wait_until(at_work, "PHP is at work")
        yield asked


@contextmanager
def asking(stack: Stack, path: str) -> Iterator[http.client.HTTPResponse]:
    port = stack.ports["NGINX_PORT"]
    with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        connection.request("GET", path)
        with connection.getresponse() as answer:
            yield answer


def get(stack: Stack, path: str) -> bytes:
    with asking(stack, path) as answer:
        return b"%d %s" % (answer.status, answer.read())


def download(stack: Stack, go_on: threading.Event, begun: threading.Event) -> int:
    """Return how many bytes of the large file came; most only after *go_on*."""
    with asking(stack, "/wp-content/uploads/large.bin") as answer:
        assert answer.status == 200
        size = len(answer.read(65536))
        begun.set()
        assert go_on.wait(60)
        while chunk := answer.read(65536):
            size += len(chunk)
    return size


def test_php_ends_the_request_that_it_is_at(slow_site: Stack) -> None:
    with slow_request(slow_site) as asked:
        docker("stop", f"{PREFIX}wordpress")
        stopped = time.monotonic()
    docker("start", f"{PREFIX}wordpress")
    assert asked.result() == b"200 finished"
    assert time.monotonic() - stopped < 20
    wait_until(lambda: healthy("wordpress"), "WordPress is back")


def healthy(name: str) -> bool:
    state = docker("inspect", "-f", "{{.State.Health.Status}}", PREFIX + name)
    return state.strip() == "healthy"


def test_everybody_ends_in_order(slow_site: Stack) -> None:
    """As `make down` stops them; what they said and how they ended stays to be read."""
    own = load(slow_site.folder / ".env", slow_site.folder / "state")
    compose = Compose(own, images.remembered(own))
    before = time.time()
    go_on, begun = threading.Event(), threading.Event()
    with ThreadPoolExecutor() as pool:
        loaded = pool.submit(download, slow_site, go_on, begun)
        assert begun.wait(30)
        with slow_request(slow_site) as asked:
            stopping = pool.submit(compose.show, "stop")
            wait_until(lambda: "SIGQUIT" in logs("nginx", before), "nginx ends")
            go_on.set()
            stopping.result()
    codes = {
        name: docker("inspect", "-f", "{{.State.ExitCode}}", PREFIX + name).strip()
        for name in CLEAN_EXIT
    }
    started = time.time()
    again = slow_site.command("up")
    assert again.returncode == 0, again.stdout
    assert asked.result() == b"200 finished"
    assert loaded.result() == LARGE
    assert codes == dict.fromkeys(CLEAN_EXIT, "0")
    database = logs("mysql", before)
    assert "hutdown complete" in database
    assert "crash recovery" not in database.lower()
    assert "not shut down" not in database.lower()
    check_prometheus(slow_site, before, started)


def check_prometheus(stack: Stack, before: float, started: float) -> None:
    """Assert that it has what it scraped before, and mended nothing to have it."""
    said = logs("prometheus", started)
    assert "WAL replay completed" in said
    assert not [line for line in said.splitlines() if "level=error" in line]
    assert "corruption" not in said
    query = f"/api/v1/query?query=up&time={before:.3f}"
    answer = get_json(stack.url("PROMETHEUS_PORT", query))
    assert answer["data"]["result"], "what was scraped before the stop is there"


def logs(name: str, since: float) -> str:
    """Return what the container *name* logged on both streams."""
    done = subprocess.run(
        ["docker", "logs", f"--since={since:.3f}", PREFIX + name],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.stdout.decode(errors="replace")

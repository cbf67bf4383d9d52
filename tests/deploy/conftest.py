"""One proxy for the tests that need no daemon or proxy of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.deploy.docker_proxy import Daemon, Proxy, proxy


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Proxy, Daemon]]:
    folder = tmp_path_factory.mktemp("run")
    daemon = Daemon(folder / "docker.sock")
    with proxy(folder) as found:
        yield found, daemon
    daemon.end()


@pytest.fixture
def double(pair: tuple[Proxy, Daemon]) -> Iterator[tuple[Proxy, Daemon]]:
    _, daemon = pair
    daemon.heads.clear()
    daemon.script = []
    yield pair
    daemon.script = []

"""What several tests of the stack ask: promtool, nginx, one proxy of Docker's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.deploy.docker_proxy import Daemon, Proxy, proxy
from tests.programs import SYSTEM, UNPACKED, program


@pytest.fixture(scope="session")
def promtool() -> str:
    return program("PROMTOOL", "promtool", UNPACKED)


@pytest.fixture(scope="session")
def nginx() -> str:
    return program("NGINX", "nginx", SYSTEM)


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

"""Which API version is spoken: what the daemon speaks, old or new."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from shipper.docker.engine import Engine
from shipper.docker.ledger import Ledger
from shipper.docker.stream import Deadlines, DockerHost
from shipper.docker.supervisor import Supervisor
from shipper.docker.tailer import Settings
from shipper.positions import Positions

from .conftest import (
    HEADERS,
    FakeDocker,
    MemorySink,
    Writer,
    chunk,
    hang,
    listed,
    log_frame,
    reply,
    send,
)


VERSION = re.compile(r"^/v(\d+)\.(\d+)/")
Number = tuple[int, int]


@dataclass
class Versioned(FakeDocker):
    """A daemon that refuses what is not between *lowest* and *highest*, as Docker."""

    lowest: Number = (1, 12)
    highest: Number = (1, 41)

    async def _answer(self, target: str, writer: Writer) -> None:
        found = VERSION.match(target)
        asked = (int(found[1]), int(found[2])) if found else self.highest
        if asked > self.highest:
            text = f"client version {_text(asked)} is too new. Maximum supported API "
            text += f"version is {_text(self.highest)}"
            writer.write(reply({"message": text}, "400 Bad Request"))
        elif asked < self.lowest:
            text = f"client version {_text(asked)} is too old. Minimum supported API "
            text += f"version is {_text(self.lowest)}, please upgrade your client"
            writer.write(reply({"message": text}, "400 Bad Request"))
        elif target.endswith("/version"):
            about = {"ApiVersion": _text(self.highest)}
            writer.write(reply(about | {"MinAPIVersion": _text(self.lowest)}))
        else:
            await super()._answer(target, writer)

    @property
    def spoken(self) -> set[str]:
        """The versions of all requests but the one that asks for it."""
        paths = [path for path in self.requests if not path.endswith("/version")]
        return {found[0] if (found := VERSION.match(path)) else path for path in paths}


def _text(number: Number) -> str:
    return f"{number[0]}.{number[1]}"


@asynccontextmanager
async def reading(
    fake: Versioned, folder: Path, settings: Settings
) -> AsyncIterator[Supervisor]:
    deadlines = Deadlines(connect_seconds=2.0, headers_seconds=0.3)
    positions = Positions(str(folder / "positions.yaml"))
    async with Engine(DockerHost(f"unix://{fake.path}"), deadlines) as engine:
        supervisor = Supervisor(engine, Ledger(positions, "job"), settings)
        task = asyncio.create_task(supervisor.run())
        try:
            yield supervisor
        finally:
            supervisor.stop_reading()
            async with asyncio.timeout(5):
                await task
    await positions.close()


@pytest.fixture
async def versioned(tmp_path: Path) -> AsyncIterator[Versioned]:
    fake = Versioned(str(tmp_path / "docker.sock"))
    fake.containers.append(listed())
    await fake.start()
    yield fake
    await fake.stop()


@pytest.mark.parametrize(
    "versions",
    [
        ((1, 12), (1, 41)),  # 20.10
        ((1, 24), (1, 43)),  # 24
        ((1, 24), (1, 47)),  # 27
        ((1, 44), (1, 52)),  # 29: refuses what older clients insist on
        ((1, 100), (2, 0)),  # one that does not exist yet
    ],
    ids=lambda versions: " to ".join(map(_text, versions)),
)
async def test_the_newest_that_the_daemon_has(
    versioned: Versioned,
    settings: Settings,
    sink: MemorySink,
    tmp_path: Path,
    versions: tuple[Number, Number],
) -> None:
    versioned.lowest, versioned.highest = versions
    versioned.logs = [send(HEADERS, chunk(log_frame(1, 0, b"said"))), hang]
    async with reading(versioned, tmp_path, settings):
        await sink.wait_for(1)
    assert sink.lines == [b"said"]
    assert versioned.spoken == {f"/v{_text(versions[1])}/"}
    kinds = {path.partition("?")[0].rpartition("/")[2] for path in versioned.requests}
    assert kinds >= {"version", "events", "json", "networks", "logs"}


async def test_a_daemon_that_was_upgraded(
    versioned: Versioned, settings: Settings, sink: MemorySink, tmp_path: Path
) -> None:
    """It comes back and takes nothing that it took before."""
    versioned.logs = [send(HEADERS, chunk(log_frame(1, 0, b"before"))), hang]
    async with reading(versioned, tmp_path, settings):
        await sink.wait_for(1)
        assert versioned.spoken == {"/v1.41/"}
        await versioned.stop()
        versioned.requests.clear()
        versioned.lowest, versioned.highest = (1, 44), (1, 52)
        after = log_frame(1, 9, b"after")
        versioned.logs = [send(HEADERS, chunk(after)) for _ in range(9)] + [hang]
        await versioned.start()
        await sink.wait_for(2)
    assert sink.lines == [b"before", b"after"]
    assert "/v1.52/" in versioned.spoken

"""Which API version is spoken: what the daemon speaks, old or new."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from .conftest import (
    HEADERS,
    FakeDocker,
    Make,
    MemorySink,
    Writer,
    chunk,
    hang,
    listed,
    log_frame,
    reply,
    running,
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


@pytest.fixture
async def fake(tmp_path: Path) -> AsyncIterator[Versioned]:
    """Stand in for the daemon that ``engine`` asks."""
    found = Versioned(str(tmp_path / "docker.sock"), [listed()])
    await found.start()
    yield found
    await found.stop()


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
    fake: Versioned,
    make: Make,
    sink: MemorySink,
    versions: tuple[Number, Number],
) -> None:
    fake.lowest, fake.highest = versions
    fake.logs = [send(HEADERS, chunk(log_frame(1, 0, b"said"))), hang]
    async with running(make()):
        await sink.wait_for(1)
    assert sink.lines == [b"said"]
    assert fake.spoken == {f"/v{_text(versions[1])}/"}
    kinds = {path.partition("?")[0].rpartition("/")[2] for path in fake.requests}
    assert kinds >= {"version", "events", "json", "networks", "logs"}


async def test_a_daemon_that_was_upgraded(
    fake: Versioned, make: Make, sink: MemorySink
) -> None:
    """It comes back and takes nothing that it took before."""
    fake.logs = [send(HEADERS, chunk(log_frame(1, 0, b"before"))), hang]
    async with running(make()):
        await sink.wait_for(1)
        assert fake.spoken == {"/v1.41/"}
        await fake.stop()
        fake.requests.clear()
        fake.lowest, fake.highest = (1, 44), (1, 52)
        after = log_frame(1, 9, b"after")
        fake.logs = [send(HEADERS, chunk(after)) for _ in range(9)] + [hang]
        await fake.start()
        await sink.wait_for(2)
    assert sink.lines == [b"before", b"after"]
    assert "/v1.52/" in fake.spoken

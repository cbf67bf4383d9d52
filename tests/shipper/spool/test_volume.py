from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest

from exporters.toolkit.errors import StartError
from shipper.spool.block import encode_block
from shipper.spool.settings import SpoolSettings
from shipper.spool.volume import Volume


BLOCK = encode_block({}, os.urandom(1000))


def files(folder: Path) -> list[Path]:
    return list(folder.rglob("*.blocks"))


class Counting:
    def __init__(self) -> None:
        self.counts = {"full": 0, "failed": 0, "damaged": 0}

    def full(self) -> None:
        self.counts["full"] += 1

    def failed(self) -> None:
        self.counts["failed"] += 1

    def damaged(self, blocks: int) -> None:
        self.counts["damaged"] += blocks


@pytest.mark.parametrize("job", ["web", "..", "a/b", "a b%2F", "ß", "."])
async def test_a_job_of_any_name_has_a_folder(tmp_path: Path, job: str) -> None:
    volume = Volume(str(tmp_path / "spool"), 1 << 20)
    assert await volume.append(volume.docker_queue(job, "1" * 64), BLOCK)
    await volume.close()
    assert [path.parents[3] for path in files(tmp_path)] == [tmp_path / "spool"]
    volume = Volume(str(tmp_path / "spool"), 1 << 20)
    assert volume.unread() == [job]
    assert volume.docker_ids(job) == ["1" * 64]
    assert volume.unread() == []
    await volume.close()


async def test_the_limit_is_for_all_and_leaves_room_to_others(tmp_path: Path) -> None:
    meters = Counting()
    volume = Volume(str(tmp_path), 16 * len(BLOCK), meters)
    noisy, other = volume.docker_queue("job", "a"), volume.docker_queue("job", "b")
    taken = [await volume.append(noisy, BLOCK) for _ in range(16)]
    assert taken == [True] * 14 + [False] * 2
    assert meters.counts["full"] == 1, "counted once until it has room again"
    taken = [await volume.append(other, BLOCK) for _ in range(3)]
    assert taken == [True, True, False]
    assert volume.used_bytes == 16 * len(BLOCK)
    room = asyncio.create_task(volume.room())
    await asyncio.sleep(0)
    await volume.clear(noisy)
    async with asyncio.timeout(0.5):
        await room
    assert await volume.append(other, BLOCK)
    await volume.close()


async def test_a_disk_that_refuses_is_counted_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    meters = Counting()
    volume = Volume(str(tmp_path), 1 << 20, meters)
    queue = volume.queue("others")
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        assert not await volume.append(queue, BLOCK)
        assert not await volume.append(queue, BLOCK)
    assert meters.counts["failed"] == 2
    assert caplog.text.count("the spool cannot be written, reading waits") == 1
    assert await volume.append(queue, BLOCK)
    await volume.close()


async def test_one_queue_does_not_end_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        at_rest = False

        async def tick(self) -> None:
            raise RuntimeError("oops")

        async def save(self) -> None: ...

    class Good(Broken):
        def __init__(self) -> None:
            self.ticked = asyncio.Event()

        async def tick(self) -> None:
            self.ticked.set()

    volume, good = Volume(str(tmp_path), 1 << 20), Good()
    volume.join(Broken())
    volume.join(good)
    work = asyncio.create_task(volume.run())
    async with asyncio.timeout(10):
        await good.ticked.wait()
    work.cancel()
    assert "the spool cannot look after a queue" in caplog.text
    await volume.close()


async def test_a_cancelled_call_has_ended(tmp_path: Path) -> None:
    volume = Volume(str(tmp_path), 1 << 20)
    queue = volume.queue("others")
    task = asyncio.create_task(volume.append(queue, BLOCK))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert queue.end.offset == len(BLOCK)
    await volume.close()


def test_where_the_spool_is() -> None:
    assert SpoolSettings().beside("/var/p.yaml") == "/var/p.yaml.spool"
    assert SpoolSettings("/spool").beside("/var/p.yaml") == "/spool"


def test_a_folder_that_is_named_must_be_usable(tmp_path: Path) -> None:
    SpoolSettings(str(tmp_path / "a" / "b")).check()
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(StartError, match=r"^-spool.dir: .*: cannot be written: "):
        SpoolSettings(str(tmp_path / "file" / "b")).check()
    SpoolSettings(str(tmp_path / "file" / "b"), limit_bytes=0).check()


async def test_a_member_at_rest_is_left_alone_until_it_stirs(tmp_path: Path) -> None:
    class Sleeper:
        def __init__(self) -> None:
            self.at_rest = True
            self.ticked = asyncio.Event()

        async def tick(self) -> None:
            self.ticked.set()
            self.at_rest = True

        async def save(self) -> None: ...

    volume, sleeper, gone = Volume(str(tmp_path), 1 << 20), Sleeper(), Sleeper()
    volume.join(sleeper)
    volume.join(gone)
    volume.leave(gone)
    work = asyncio.create_task(volume.run())
    for _ in range(2):
        async with asyncio.timeout(10):
            while volume._stirred:  # noqa: ASYNC110  # the state has no event
                await asyncio.sleep(0.01)
        sleeper.at_rest = False
        volume.stir(sleeper)
        volume.stir(gone)
        async with asyncio.timeout(10):
            await sleeper.ticked.wait()
        sleeper.ticked.clear()
    assert not gone.ticked.is_set()
    work.cancel()
    await volume.close()

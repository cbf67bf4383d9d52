from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipper.spool import queue as queue_module
from shipper.spool.block import encode_block
from shipper.spool.queue import DiskQueue, Place


def block(number: int) -> bytes:
    return encode_block({"number": number}, b"line %d" % number)


def numbers(queue: DiskQueue, place: Place | None = None) -> list[int]:
    """Return the numbers of the blocks from *place* on."""
    return list(_numbers(queue, place or queue.front))


def _numbers(queue: DiskQueue, place: Place) -> Iterator[int]:
    while found := queue.read(place):
        assert found.body == b"line %d" % found.head["number"]
        yield found.head["number"]
        place = found.after
    assert place <= queue.end


@pytest.fixture
def queue(tmp_path: Path) -> DiskQueue:
    return DiskQueue(str(tmp_path / "spool" / "job" / "id"))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a segment be full after two blocks."""
    monkeypatch.setattr(queue_module, "SEGMENT_BYTES", 2 * len(block(1)))


def test_an_empty_queue_has_no_folder(queue: DiskQueue) -> None:
    assert numbers(queue) == []
    assert queue.front == queue.end == Place(1, 0)
    assert not Path(queue.folder).exists()


@pytest.mark.usefixtures("small")
def test_what_goes_in_comes_out(queue: DiskQueue) -> None:
    for number in range(1, 6):
        assert queue.append(block(number)) == queue.end
    assert numbers(queue) == [1, 2, 3, 4, 5]
    assert [name[-8:] for name in sorted(os.listdir(queue.folder))] == [
        "1.blocks", "2.blocks", "3.blocks",
    ]  # fmt: skip
    assert queue.size == 5 * len(block(1))


@pytest.mark.usefixtures("small")
def test_the_front_is_dropped(queue: DiskQueue) -> None:
    for number in range(1, 6):
        queue.append(block(number))
    queue.drop(3)
    assert numbers(queue) == [5]
    assert queue.front == Place(3, 0)
    queue.drop(1)
    assert numbers(queue) == [5]
    queue.clear()
    assert numbers(queue) == []
    assert queue.size == 0
    assert not Path(queue.folder).parent.exists()


@pytest.mark.usefixtures("small")
def test_another_run_goes_on_in_another_file(queue: DiskQueue) -> None:
    queue.append(block(1))
    again = DiskQueue(queue.folder)
    assert numbers(again) == [1]
    again.append(block(2))
    assert numbers(again) == [1, 2]
    assert again.end.segment == 2
    assert [head["number"] for _, head in again.heads()] == [1, 2]


@pytest.mark.parametrize("cut", range(1, len(block(1))))
def test_a_torn_end_is_passed_over(queue: DiskQueue, cut: int) -> None:
    queue.append(block(1))
    queue.append(block(2))
    [path] = Path(queue.folder).iterdir()
    path.write_bytes(path.read_bytes()[:-cut])
    again = DiskQueue(queue.folder)
    again.append(block(3))
    assert numbers(again) == [1, 3]
    assert again.damaged == 1


def test_a_damaged_block_costs_itself(
    queue: DiskQueue, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(1, 4):
        queue.append(block(number))
    [path] = Path(queue.folder).iterdir()
    data = bytearray(path.read_bytes())
    data[2 * len(block(1)) - 1] ^= 1
    path.write_bytes(data)
    assert numbers(queue) == [1, 3]
    assert numbers(queue) == [1, 3]
    assert queue.damaged == 1
    assert f"{path}:{len(block(1))}: a block of the spool is lost" in caplog.text


def test_a_damaged_header_costs_the_rest_of_its_file(queue: DiskQueue) -> None:
    queue.append(block(1))
    queue.append(block(2))
    [path] = Path(queue.folder).iterdir()
    path.write_bytes(b"?" + path.read_bytes()[1:])
    again = DiskQueue(queue.folder)
    again.append(block(3))
    assert numbers(again) == [3]


def test_a_full_disk_leaves_the_queue_as_it_was(
    queue: DiskQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue.append(block(1))
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        if len(data) > 10:
            return write(descriptor, data[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            queue.append(block(2) * 100)
    assert numbers(queue) == [1]
    queue.append(block(3))
    assert numbers(queue) == [1, 3]
    assert queue.damaged == 0


def test_other_files_are_left_alone(queue: DiskQueue) -> None:
    os.makedirs(queue.folder)
    (Path(queue.folder) / "notes.txt").write_text("mine")
    again = DiskQueue(queue.folder)
    again.append(block(1))
    again.clear()
    assert (Path(queue.folder) / "notes.txt").read_text() == "mine"


def test_what_cannot_be_read_is_left_alone(
    queue: DiskQueue, caplog: pytest.LogCaptureFixture
) -> None:
    path = Path(queue.folder) / "000000000007.blocks"
    path.mkdir(parents=True)
    again = DiskQueue(queue.folder)
    again.append(block(2))
    assert numbers(again) == [2]
    assert again.front == Place(8, 0)
    assert f"{path}: it cannot be read: Is a directory" in caplog.text
    again.clear()
    assert path.exists()


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "id").touch()
    queue = DiskQueue(str(tmp_path / "id"))
    assert numbers(queue) == []
    with pytest.raises(OSError, match="exists"):
        queue.append(block(1))

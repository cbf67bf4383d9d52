from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from exporters.node.call_pool import STUCK, CallPool


DEADLINE_SECONDS = 10


class Disk:
    """Answers at once, but for the keys in *dead*, which answer when told."""

    def __init__(self, *dead: str) -> None:
        self.revived = {key: threading.Event() for key in dead}
        self.asked: list[str] = []
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()

    def stat(self, key: str) -> str:
        with self._lock:
            self.asked.append(key)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        if key in self.revived:
            assert self.revived[key].wait(DEADLINE_SECONDS)
        with self._lock:
            self._at_once -= 1
        if key.startswith("error"):
            raise PermissionError(13, "Permission denied")
        return key.upper()

    def revive_all(self) -> None:
        for event in self.revived.values():
            event.set()


@pytest.fixture
def dead() -> Iterator[Disk]:
    disk = Disk("dead0", "dead1", "dead2", "dead3", "dead4", "dead5")
    yield disk
    disk.revive_all()


def wait_for_threads(pool: CallPool[str], count: int) -> None:
    until = time.monotonic() + DEADLINE_SECONDS
    while pool.threads != count and time.monotonic() < until:
        threading.Event().wait(0.001)
    assert pool.threads == count


def pool(disk: Disk, *, workers: int = 4, timeout: float = 0.2) -> CallPool[str]:
    return CallPool(disk.stat, workers=workers, timeout_seconds=timeout)


def test_answers_and_errors_by_key() -> None:
    disk = Disk()
    mounts = pool(disk)
    outcomes = mounts.run(["a", "error", "b", "a"])
    assert (outcomes["a"], outcomes["b"]) == ("A", "B")
    assert isinstance(outcomes["error"], PermissionError)
    assert sorted(disk.asked) == ["a", "b", "error"]
    wait_for_threads(mounts, 0)


def test_less_patience_than_the_timeout(dead: Disk) -> None:
    began = time.monotonic()
    outcomes = pool(dead, timeout=600).run(["a", "dead0"], 0.1)
    assert time.monotonic() - began < DEADLINE_SECONDS / 2
    assert outcomes == {"a": "A", "dead0": STUCK}


def test_nothing_asked_nothing_done() -> None:
    assert pool(Disk()).run([]) == {}


def test_a_dead_mount_is_reported_at_once_and_costs_only_itself(dead: Disk) -> None:
    began = time.monotonic()
    outcomes = pool(dead).run(["a", "dead0", "b"])
    assert time.monotonic() - began < DEADLINE_SECONDS / 2
    assert outcomes == {"a": "A", "dead0": STUCK, "b": "B"}


def test_a_dead_mount_is_left_alone_until_it_answers(dead: Disk) -> None:
    mounts = pool(dead)
    mounts.run(["dead0"])
    assert mounts.stuck == {"dead0"}
    for _ in range(5):
        began = time.monotonic()
        assert mounts.run(["a", "dead0"]) == {"a": "A", "dead0": STUCK}
        assert time.monotonic() - began < 0.2  # not waited for again
    assert dead.asked.count("dead0") == 1
    assert mounts.threads == 1
    dead.revive_all()
    wait_for_threads(mounts, 0)
    assert mounts.stuck == frozenset()
    assert mounts.run(["dead0"]) == {"dead0": "DEAD0"}


def test_more_dead_mounts_than_workers_do_not_stop_the_rest(dead: Disk) -> None:
    names = [f"dead{n}" for n in range(6)]
    mounts = pool(dead, workers=2, timeout=1.0)
    outcomes = mounts.run([*names, "a", "b", "c"])
    assert [outcomes[name] for name in names] == [STUCK] * 6
    assert [outcomes[name] for name in "abc"] == ["A", "B", "C"]
    assert mounts.threads == 6
    dead.revive_all()
    wait_for_threads(mounts, 0)


def test_no_more_than_the_workers_at_once() -> None:
    disk = Disk()
    keys = [f"k{n}" for n in range(50)]
    mounts = pool(disk, workers=3, timeout=5)
    assert set(mounts.run(keys)) == set(keys)
    assert disk.most_at_once <= 3
    wait_for_threads(mounts, 0)


def test_two_scrapes_share_one_call(dead: Disk) -> None:
    mounts = pool(dead, timeout=DEADLINE_SECONDS)
    outcomes: list[object] = []
    scrapes = [
        threading.Thread(target=lambda: outcomes.append(mounts.run(["dead0"])))
        for _ in range(2)
    ]
    for scrape in scrapes:
        scrape.start()
    dead.revive_all()
    for scrape in scrapes:
        scrape.join(DEADLINE_SECONDS)
    assert outcomes == [{"dead0": "DEAD0"}] * 2


def test_a_host_without_threads_is_asked_again_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    disk = Disk()
    mounts = pool(disk, timeout=0.05)

    def refuse(*_: object) -> int:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr("exporters.node.call_pool.start_new_thread", refuse)
        assert mounts.run(["a"]) == {"a": STUCK}
    assert mounts.run(["a"]) == {"a": "A"}

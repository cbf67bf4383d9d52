from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import real
from .conftest import MemorySink
from .real import PrivateDaemon, RealDocker, Shipper, need_image, own_daemon, shipping


pytestmark = pytest.mark.docker


@pytest.fixture
def docker() -> Iterator[RealDocker]:
    with own_daemon() as docker:
        yield docker


async def same(shipper: Shipper, docker: RealDocker, container_id: str) -> None:
    """Check that what was put is what Docker kept, each line once."""
    kept = await docker.kept(container_id)
    await shipper.until_seen(len(kept))
    assert shipper.entries() == kept


async def test_a_container_of_100_ms_is_shipped_whole(
    docker: RealDocker, tmp_path: Path
) -> None:
    async with shipping(docker, tmp_path) as shipper:
        script = "echo first; sleep 0.1; echo second >&2; echo last"
        await docker.run("--rm", "--name", docker.mark, script=script)
        await shipper.until_seen(3)
        await shipper.until_idle()
    assert sorted(shipper.sink.lines) == [b"first", b"last", b"second"]
    names = {tuple(dict(labels).items()) for labels, _ in shipper.sink.put_entries}
    assert names == {
        (("container_name", docker.mark), ("stream", "stdout")),
        (("container_name", docker.mark), ("stream", "stderr")),
    }


async def test_many_short_lives(docker: RealDocker, tmp_path: Path) -> None:
    async with shipping(docker, tmp_path) as shipper:
        async with asyncio.TaskGroup() as group:
            for number in range(8):
                script = f"seq {number}00 {number}49"
                group.create_task(docker.run(script=script))
        await shipper.until_seen(8 * 50)
        await shipper.until_idle()
    expected = [b"%d" % (n * 100 + i) for n in range(8) for i in range(50)]
    assert sorted(shipper.sink.lines) == sorted(expected)


async def test_both_streams_interleave(docker: RealDocker, tmp_path: Path) -> None:
    script = "for i in $(seq 1000); do echo out $i; echo err $i >&2; done; sleep 0.2"
    async with shipping(docker, tmp_path) as shipper:
        container_id = await docker.run(script=script)
        await docker.wait(container_id)
        await same(shipper, docker, container_id)
    by_stream = Counter(
        dict(labels)["stream"] for labels, _ in shipper.sink.put_entries
    )
    assert by_stream == {"stdout": 1000, "stderr": 1000}


@pytest.mark.parametrize("driver", ["json-file", "local"])
async def test_long_lines(docker: RealDocker, tmp_path: Path, driver: str) -> None:
    sizes = (16383, 16384, 16385, 32768, 50_000)
    script = "".join(
        f"head -c {size} /dev/zero | tr '\\0' x; echo; echo short;" for size in sizes
    )
    async with shipping(docker, tmp_path) as shipper:
        container_id = await docker.run("--log-driver", driver, script=script)
        await docker.wait(container_id)
        await shipper.until_seen(2 * len(sizes))
        await shipper.until_idle()
    expected = [line for size in sizes for line in (b"x" * size, b"short")]
    assert shipper.sink.lines == expected


async def test_a_terminal(docker: RealDocker, tmp_path: Path) -> None:
    script = (
        "echo hello; head -c 40000 /dev/zero | tr '\\0' y; echo; echo err >&2; seq 99"
    )
    async with shipping(docker, tmp_path) as shipper:
        container_id = await docker.run("-t", script=script)
        await docker.wait(container_id)
        await shipper.until_seen(102)
        await shipper.until_idle()
        kept = await docker.kept(container_id, tty=True)
    assert shipper.entries() == kept
    assert shipper.sink.lines[:3] == [b"hello", b"y" * 40000, b"err"]


async def test_restart_and_rename(docker: RealDocker, tmp_path: Path) -> None:
    script = "trap 'echo bye; exit 0' TERM; seq 20; while :; do sleep 0.05; done"
    async with shipping(docker, tmp_path) as shipper:
        container_id = await docker.run("--name", f"{docker.mark}a", script=script)
        await shipper.until_seen(20)
        await docker("restart", "-t", "3", container_id)
        await shipper.until_seen(41)
        await docker("rename", f"{docker.mark}a", f"{docker.mark}b")
        await docker("restart", "-t", "3", container_id)
        await docker("stop", "-t", "3", container_id)
        await shipper.until_seen(63)
        await shipper.until_idle()
        await same(shipper, docker, container_id)
    names = [dict(labels)["container_name"] for labels, _ in shipper.sink.put_entries]
    assert set(names[:20]) == {f"{docker.mark}a"}
    assert set(names[-20:]) == {f"{docker.mark}b"}


async def test_stopped_containers_are_read(docker: RealDocker, tmp_path: Path) -> None:
    container_id = await docker.run(script="seq 100; echo end >&2")
    await docker.wait(container_id)
    async with shipping(docker, tmp_path) as shipper:
        await same(shipper, docker, container_id)
        await shipper.until_idle()


async def test_a_driver_that_cannot_be_read(
    docker: RealDocker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with shipping(docker, tmp_path) as shipper:
        await docker.run("--log-driver", "none", script="seq 10; sleep 0.3")
        other = await docker.run(script="seq 5")
        await docker.wait(other)
        await same(shipper, docker, other)
        await shipper.until_idle()
    assert "does not support reading" in caplog.text


async def test_a_silent_container_is_waited_for(
    docker: RealDocker, tmp_path: Path
) -> None:
    async with shipping(docker, tmp_path) as shipper:
        script = "while [ ! -e /go ]; do sleep 0.02; done; echo at last; sleep 60"
        container_id = await docker.run(script=script)
        async with asyncio.timeout(10):
            while not (  # noqa: ASYNC110  # as in real.py
                (tailer := shipper.supervisor.tailers.get(container_id))
                and tailer.labels
            ):
                await asyncio.sleep(0.01)
        await docker("exec", container_id, "sh", "-c", ": > /go")
        await shipper.until_seen(1)
        assert shipper.sink.lines == [b"at last"]
        assert shipper.meters.counts["reconnects"] == 0


async def test_killed_and_resumed(docker: RealDocker, tmp_path: Path) -> None:
    script = "for i in $(seq 400); do echo out $i; echo err $i >&2; sleep 0.005; done"
    container_id = await docker.run(script=script)
    done: list[object] = []
    for count in (150, 150, 150):
        sink = MemorySink()
        sink.hold = True
        async with shipping(docker, tmp_path, sink) as shipper:
            await shipper.until_seen(count + 30)
            for cursor, (_, entry) in list(
                zip(sink.cursors, sink.put_entries, strict=True)
            )[:count]:
                cursor.acknowledge([entry])
                done.append(entry)
            await shipper.positions.save()
            # Killed here: what is in flight is forgotten.
    async with shipping(docker, tmp_path) as shipper:
        await docker.wait(container_id)
        await shipper.until_idle()
        assert sorted([*done, *shipper.entries()]) == await docker.kept(container_id)  # type: ignore[type-var]  # entries
        assert shipper.meters.counts["gaps"] == 0


NUMBERED = "i=0; while [ $i -lt 40 ]; do seq ${i}000 ${i}499; i=$((i+1)); %s; done"
NUMBERS = [b"%d" % (n * 1000 + i) for n in range(40) for i in range(500)]
# 1,318 lines a file, 16 files: Docker keeps all, in however long they are read.
ROTATING = ("--log-opt", "max-size=100k", "--log-opt", "max-file=20")


async def test_rotation_repeats_and_loses_nothing(
    docker: RealDocker, tmp_path: Path
) -> None:
    async with shipping(docker, tmp_path) as shipper:
        container_id = await docker.run(*ROTATING, script=NUMBERED % "sleep 0.03")
        await docker.wait(container_id)
        await shipper.until_idle()
    assert_same_lines(shipper.sink.lines)
    assert shipper.meters.counts["gaps"] == 0


async def test_files_rotated_while_nothing_is_read_are_read_later(
    docker: RealDocker, tmp_path: Path
) -> None:
    """Loki is away; dockerd's follower leaves out what was rotated meanwhile."""
    sink = MemorySink()
    sink.gate.clear()
    async with shipping(docker, tmp_path, sink) as shipper:
        script = NUMBERED % ":" + "; : > /done; while [ -e /done ]; do sleep 0.05; done"
        container_id = await docker.run(*ROTATING, script=script)
        async with asyncio.timeout(30):
            while (await docker("exec", container_id, "cat", "/done", check=False))[1]:
                pass
        sink.gate.set()
        await shipper.until_seen(len(NUMBERS))
        assert_same_lines(sink.lines)
        assert shipper.meters.counts["gaps"] == 0


def assert_same_lines(found: list[bytes]) -> None:
    """Check that each of `NUMBERS` is there once; in order, which is not promised."""
    missing = Counter(NUMBERS) - Counter(found)
    repeated = Counter(found) - Counter(NUMBERS)
    assert (missing.total(), min(missing, default=None)) == (0, None)
    assert (repeated.total(), min(repeated, default=None)) == (0, None)


async def test_fifty_that_live_100_ms(docker: RealDocker, tmp_path: Path) -> None:
    """Of them promtail, which looks every few seconds, reads three."""
    turn = asyncio.Semaphore(8)

    async def one(number: int) -> None:
        async with turn:
            script = f"echo begin {number}; sleep 0.1; printf 'end {number}' >&2"
            await docker.run(script=script)

    async with shipping(docker, tmp_path) as shipper:
        async with asyncio.TaskGroup() as group:
            for number in range(50):
                group.create_task(one(number))
        await shipper.until_seen(100)
        await shipper.until_idle()
    expected = [b"%s %d" % (w, n) for w in (b"begin", b"end") for n in range(50)]
    assert Counter(shipper.sink.lines) == Counter(expected)


async def test_paused_and_unpaused(docker: RealDocker, tmp_path: Path) -> None:
    script = "for i in $(seq 300); do echo out $i; echo err $i >&2; sleep 0.01; done"
    async with shipping(docker, tmp_path) as shipper:
        container_id = await docker.run(script=script)
        await shipper.until_seen(50)
        for _ in range(3):
            await docker("pause", container_id)
            await asyncio.sleep(0.3)  # that it is silent can only be waited for
            seen = len(shipper.sink.put_entries)
            await asyncio.sleep(0.3)
            assert len(shipper.sink.put_entries) == seen
            assert container_id in shipper.supervisor.tailers
            await docker("unpause", container_id)
            await shipper.until_seen(seen + 20)
        await docker.wait(container_id)
        await same(shipper, docker, container_id)
        assert shipper.meters.counts["reconnects"] == 0


async def test_recreated_under_the_same_name(
    docker: RealDocker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ``docker compose up`` with a changed service: each has its own labels."""

    def by_release(labels: dict[str, str]) -> dict[str, str]:
        name = labels["__meta_docker_container_name"].removeprefix("/")
        release = labels["__meta_docker_container_label_release"]
        return {"container_name": name, "release": release}

    monkeypatch.setattr(real, "name_and_stream", by_release)
    releases = ["one", "two", "three"]
    async with shipping(docker, tmp_path) as shipper:
        for number, release in enumerate(releases, 1):
            script = f"seq 50; echo {release}; sleep 600"
            words = ("--name", docker.mark, "--label", f"release={release}")
            await docker.run(*words, script=script)
            await shipper.until_seen(51 * number)
            await docker("rm", "-f", docker.mark)
        await shipper.until_idle()
    lines = [b"%d" % number for number in range(1, 51)]
    for release in releases:
        labels = (("container_name", docker.mark), ("release", release))
        found = [e.line for lbs, e in shipper.sink.put_entries if lbs == labels]
        assert found == [*lines, release.encode()]
    assert len(shipper.sink.lines) == 51 * len(releases)


async def test_an_end_without_a_newline_and_a_line_of_100_kb(
    docker: RealDocker, tmp_path: Path
) -> None:
    script = (
        "head -c 100000 /dev/zero | tr '\\0' x; echo; printf 'äö\\nout'; "
        "head -c 100000 /dev/zero | tr '\\0' y >&2"
    )
    async with shipping(docker, tmp_path) as shipper:
        container_id = await docker.run(script=script)
        await docker.wait(container_id)
        await shipper.until_seen(4)
        await shipper.until_idle()
    expected = [b"x" * 100_000, "äö".encode(), b"out", b"y" * 100_000]
    assert sorted(shipper.sink.lines) == sorted(expected)
    assert shipper.meters.counts["truncated"] == 0


async def test_without_any_network(docker: RealDocker, tmp_path: Path) -> None:
    """promtail never reads the last two (loki#10739): they are in no network."""
    async with shipping(docker, tmp_path) as shipper:
        await docker.run(script="echo none; sleep 600")
        host = await docker.run(script="echo bridge; sleep 600", network="bridge")
        await docker.run(script="echo beside", network=f"container:{host}")
        late = "sleep 1; echo left"
        left = await docker.run(script=late, network="bridge")
        await docker("network", "disconnect", "bridge", left)
        await shipper.until_seen(4)
        # And once more from the list alone, where it was the events before.
        again = MemorySink()
        (tmp_path / "again").mkdir()
        async with shipping(docker, tmp_path / "again", again):
            await again.wait_for(4)
    expected = [b"beside", b"bridge", b"left", b"none"]
    assert sorted(shipper.sink.lines) == sorted(again.lines) == expected


@pytest.mark.parametrize(
    "options", [(), ("--live-restore",)], ids=["default", "live-restore"]
)
async def test_the_daemon_restarts(tmp_path: Path, options: tuple[str, ...]) -> None:
    daemon = PrivateDaemon(tmp_path, options)
    docker = RealDocker(daemon.socket, "restarts")
    try:
        await daemon.start()
        await asyncio.to_thread(need_image, daemon.socket)
        script = "for i in $(seq 60); do echo out $i; echo err $i >&2; sleep 0.1; done"
        async with shipping(docker, tmp_path) as shipper:
            policy = "no" if options else "unless-stopped"
            words = ("--restart", policy, "--stop-timeout", "1")
            container_id = await docker.run(*words, script=script)
            await shipper.until_seen(20)
            await daemon.stop()
            async with asyncio.timeout(10):
                while shipper.supervisor.reachable:  # noqa: ASYNC110  # as in real.py
                    await asyncio.sleep(0.01)
            await daemon.start()
            if not options:
                await shipper.until_seen(100)
                await docker("update", "--restart", "no", container_id)
            await docker.wait(container_id)
            await same(shipper, docker, container_id)
            await shipper.until_idle()
            await docker("rm", "-f", container_id)
    finally:
        await daemon.stop()
        daemon.clean()

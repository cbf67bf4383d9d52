"""Switching over and back: each goes on where the other stopped, in one positions file.

The container is told what to say, so that every line is known. promtail's cursor of a
container is in whole seconds: the lines of its last second come again, and no others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from shipper.positions import parse
from tests.shipper.docker.real import RealDocker, own_daemon

from .conftest import Recorder, ours, promtail, recorder, settled


pytestmark = [pytest.mark.docker, pytest.mark.oracle]

SECOND_NS = 1_000_000_000
WAITS = "while :; do sleep 600; done"


@dataclass
class Scene:
    """A container, two files, what they have said, and one positions file."""

    docker: RealDocker
    folder: Path
    container: str = ""
    said: list[bytes] = field(default_factory=list)
    times: dict[bytes, int] = field(default_factory=dict)
    """When Docker says that the container said a line."""

    @property
    def positions(self) -> dict[str, str]:
        path = self.folder / "positions.yaml"
        return parse(path.read_bytes(), str(path))

    @property
    def cursor_ns(self) -> int:
        return int(self.positions[f"cursor-{self.container}"]) * SECOND_NS

    async def say(self, name: str) -> set[bytes]:
        """Let the container and the files say three lines each; return those."""
        numbers = [f"{name} {number}" for number in range(3)]
        for path in ("a.log", "b.log"):
            with (self.folder / path).open("a") as file:
                file.writelines(f"{path} {number}\n" for number in numbers)
        script = "".join(f"echo 'out {n}' >&3; echo 'err {n}' >&4;" for n in numbers)
        script += "exec 3>&- 4>&-"
        opened = f"exec 3>/proc/1/fd/1 4>/proc/1/fd/2; {script}"
        await self.docker("exec", self.container, "sh", "-c", opened)
        streams = ("a.log", "b.log", "out", "err")
        new = [f"{stream} {n}".encode() for stream in streams for n in numbers]
        self.said += new
        return set(new)

    def config(self, loki: Recorder) -> str:
        return yaml.safe_dump(
            {
                "server": {"disable": True},
                "positions": {"filename": str(self.folder / "positions.yaml")},
                "clients": [{"url": loki.url, "batchwait": "100ms"}],
                "scrape_configs": [self._containers(), self._files()],
            }
        )

    def _containers(self) -> dict[str, object]:
        marked = [{"name": "label", "values": [f"shipper-test={self.docker.mark}"]}]
        daemon = {
            "host": f"unix://{self.docker.socket}",
            "refresh_interval": "1s",
            "filters": marked,
        }
        rule = {"target_label": "job", "replacement": "docker"}
        return {
            "job_name": "containers",
            "docker_sd_configs": [daemon],
            "relabel_configs": [rule],
        }

    def _files(self) -> dict[str, object]:
        labels = {"job": "files", "__path__": f"{self.folder}/*.log"}
        return {"job_name": "files", "static_configs": [{"labels": labels}]}

    @asynccontextmanager
    async def theirs(self) -> AsyncIterator[Recorder]:
        async with recorder() as loki:
            # Not beside the files: its own log must not be one of them.
            place = self.folder / "promtail"
            place.mkdir(exist_ok=True)
            async with promtail(self.config(loki), place, stops=True):
                yield loki

    @asynccontextmanager
    async def ours(self) -> AsyncIterator[Recorder]:
        async with recorder() as loki, ours(self.config(loki)):
            yield loki

    def check(self, loki: Recorder, new: set[bytes], after_ns: int) -> int:
        """Check that *loki* got *new*, and again only what was said since *after_ns*.

        Returns how many lines of the container came again.
        """
        got = Counter(entry.line for entry in loki.entries)
        assert new <= got.keys()
        assert set(got) <= set(self.said)
        assert set(got.values()) == {1}
        again = set(got) - new
        assert all(self.times.get(line, 0) >= after_ns for line in again), again
        for entry in loki.entries:
            if dict(entry.labels)["job"] == "docker":
                known = self.times.setdefault(entry.line, entry.timestamp_ns)
                assert known == entry.timestamp_ns
        return len(again)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    with own_daemon() as docker:
        found = Scene(docker, tmp_path)
        found.container = await docker.run(script=WAITS, network="host")
        yield found


async def test_over_and_back(scene: Scene) -> None:
    first = await scene.say("first")
    async with scene.theirs() as loki:
        await settled(loki, least=len(first))
        first |= await scene.say("first, late")
        await settled(loki, least=len(first))
    assert scene.check(loki, first, 0) == 0

    second = await scene.say("while nobody read")
    cursor_ns = scene.cursor_ns
    async with scene.ours() as loki:
        await settled(loki, least=len(second))
        second |= await scene.say("to ours")
        await settled(loki, least=len(second))
    over = scene.check(loki, second, cursor_ns)

    # To stop and to start again is exact.
    third = await scene.say("while ours was down")
    async with scene.ours() as loki:
        await settled(loki, least=len(third))
    assert scene.check(loki, third, 1 << 63) == 0

    fourth = await scene.say("on the way back")
    cursor_ns = scene.cursor_ns
    last_ns = max(scene.times.values())
    assert last_ns - last_ns % SECOND_NS == cursor_ns, "no more than a second again"
    async with scene.theirs() as loki:
        await settled(loki, least=len(fourth))
        fourth |= await scene.say("to promtail again")
        await settled(loki, least=len(fourth))
    back = scene.check(loki, fourth, cursor_ns)

    fifth = await scene.say("and over again")
    cursor_ns = scene.cursor_ns
    async with scene.ours() as loki:
        await settled(loki, least=len(fifth))
    scene.check(loki, fifth, cursor_ns)
    print(f"{len(scene.said)} lines, again: {over} on the way over, {back} back")


GONE = f"cursor-{'0' * 64}"
FOREIGN = {
    GONE: "1795360482",
    "cursor-unknown": "1",
    "cursor-": "1",
    "journal-of-another-job": "s=1f;i=2b;b=3c;m=4d;t=5e;x=6f",
    "cloudflare-zone": "1795360482",
}


async def test_entries_of_others_are_kept_and_harmless(scene: Scene) -> None:
    """Of containers and files that are gone, of other kinds, of files that shrank."""
    new = await scene.say("all of it")
    path = scene.folder / "positions.yaml"
    entries = {
        **FOREIGN,
        str(scene.folder / "gone.log"): "120",
        str(scene.folder / "a.log"): "1000000",
        str(scene.folder / "b.log"): "0",
    }
    path.write_text(yaml.safe_dump({"positions": entries}))
    async with scene.ours() as loki:
        await settled(loki, least=len(new))
    assert scene.check(loki, new, 1 << 63) == 0
    assert FOREIGN.items() <= scene.positions.items()
    assert scene.positions[str(scene.folder / "a.log")] == str(
        (scene.folder / "a.log").stat().st_size
    )

    new = await scene.say("then promtail")
    cursor_ns = scene.cursor_ns
    async with scene.theirs() as loki:
        await settled(loki, least=len(new))
    scene.check(loki, new, cursor_ns)
    assert FOREIGN.items() - scene.positions.items() <= {
        ("cloudflare-zone", FOREIGN["cloudflare-zone"])
    }, "promtail takes what it does not know for a file, and that is gone"


@pytest.mark.parametrize("value", ["", "soon", "-5", "12.5", "9" * 20])
async def test_a_wrong_entry_loses_nothing(scene: Scene, value: str) -> None:
    """Where promtail does not read at all, ours reads from the beginning."""
    new = await scene.say("all of it")
    entries = {f"cursor-{scene.container}": value, str(scene.folder / "a.log"): value}
    text = yaml.safe_dump({"positions": entries})
    (scene.folder / "positions.yaml").write_text(text)
    async with scene.ours() as loki:
        await settled(loki, least=len(new), seconds=20)
    assert scene.check(loki, new, 1 << 63) == 0

"""Whatever a file of the host holds: 200, and only its own collector may fail.

Every file of every golden host is damaged, one at a time, in every way where there are
few files, and several at once. A collector may answer damage with OSError, ValueError
and NoData only: anything else is a case that nobody thought of.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from itertools import chain
from pathlib import Path

import pytest
from aiohttp import ClientSession
from prometheus_client.parser import text_string_to_metric_families

from exporters.node.paths import Paths
from exporters.node.registry import (
    Context,
    NoData,
    Registry,
    discover,
    flags as all_flags,
)
from exporters.node.scrape import Scraper
from exporters.toolkit import web
from exporters.toolkit.flags import Program
from tests.node import golden, tree
from tests.node.fault.damage import DAMAGES, damaged, without
from tests.served import served


pytestmark = pytest.mark.timeout(600)

SEED = int(os.environ.get("DAMAGE_SEED", "1"))
ROUNDS_AT_ONCE = 20
# Every case goes through the collector, each of so many through the whole program too:
# an answer takes five times as long, and there are some ten thousand cases.
ASKED_OF = 10
# A host of hundreds of files has hundreds alike: each is damaged in fewer ways.
MOST_CASES = int(os.environ.get("DAMAGE_CASES", "400"))
FEWEST_WAYS = 3
CONTROL = "loadavg"
ALLOWED = (OSError, ValueError, NoData)


class DamagedHost:
    """One golden host, and the program that looks at it."""

    def __init__(self, path: Path, root: Path) -> None:
        text = path.read_text("utf-8")
        self.spec = golden.spec_of(path)
        self.paths = golden.planted(text, root)
        control = root / "proc/loadavg"
        if not control.exists():
            control.write_text("0.21 0.37 0.39 1/719 19737\n")
        self.files = [file for file in tree.files(root) if file != control]
        self.folders = sorted({file.parent for file in self.files} - {root / "proc"})
        self.argv = [
            "--collector.disable-defaults",
            f"--collector.{CONTROL}",
            *([] if self.spec.name == CONTROL else [f"--collector.{self.spec.name}"]),
            *(flag.replace("$ROOT", str(root)) for flag in tree.flags(text)),
        ]

        program = Program("node_exporter", "", all_flags(discover()))
        self.context = Context(self.paths, program.parse(self.argv, {}))

    def check_exceptions(self) -> str:
        """Run the collector by itself; return what came of it."""
        try:
            for metric in self.spec.create(self.context)():
                assert metric.name
        except ALLOWED as error:
            return type(error).__name__
        return "ok"


@asynccontextmanager
async def serving(host: DamagedHost) -> AsyncIterator[ClientSession]:
    scraper = Scraper(Registry(discover(), host.context))
    app = web.exporter_app(
        name="node_exporter",
        title="Node Exporter",
        description="",
        gather=scraper.gather,
        telemetry_path="/metrics",
        exporter_metrics=False,
    )
    async with served(app) as url, ClientSession(url) as client:
        yield client
    scraper.close()


async def check_answer(client: ClientSession) -> None:
    async with client.get("/metrics") as response:
        text = await response.text()
        assert response.status == 200, text
    families = {family.name for family in text_string_to_metric_families(text)}
    assert "node_load1" in families
    assert f'node_scrape_collector_success{{collector="{CONTROL}"}} 1\n' in text


def one_at_a_time(host: DamagedHost, chance: random.Random) -> Iterator[str]:
    ways = max(FEWEST_WAYS, MOST_CASES // max(1, len(host.files)))
    for file in host.files:
        for name in chance.sample(list(DAMAGES), min(ways, len(DAMAGES))):
            with damaged(file, DAMAGES[name], chance):
                yield f"{file}: {name}"
    for folder in host.folders:
        with without(folder):
            yield f"{folder}: gone"


def several_at_once(host: DamagedHost, chance: random.Random) -> Iterator[str]:
    for _ in range(ROUNDS_AT_ONCE):
        chosen = [file for file in host.files if chance.random() < 0.5]
        with ExitStack() as stack:
            for file in chosen:
                name = chance.choice(list(DAMAGES))
                stack.enter_context(damaged(file, DAMAGES[name], chance))
            yield f"{len(chosen)} files at once"


@pytest.mark.parametrize("path", golden.trees(), ids=lambda path: path.stem)
async def test_damage_costs_only_the_collector_that_reads_it(
    path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    host = DamagedHost(path, tmp_path)
    outcomes: Counter[str] = Counter()
    chance = random.Random(SEED)
    cases = chain(several_at_once(host, chance), one_at_a_time(host, chance))
    async with serving(host) as client:
        for number, case in enumerate(cases):
            try:
                outcomes[host.check_exceptions()] += 1
                if number < ROUNDS_AT_ONCE or number % ASKED_OF == 0:
                    await check_answer(client)
            except BaseException as error:
                error.add_note(case)
                raise
            caplog.clear()
    print(path.stem, outcomes.total(), dict(outcomes))
    assert outcomes.total() >= ROUNDS_AT_ONCE


def test_no_host_at_all(tmp_path: Path) -> None:
    """Collectors on an empty /proc and /sys: nothing, or one of three exceptions."""
    for name in ("proc", "sys", "root"):
        (tmp_path / name).mkdir()
    where = Paths(*(str(tmp_path / name) for name in ("proc", "sys", "root", "udev")))
    specs = discover()
    values = Program("node_exporter", "", all_flags(specs)).parse((), {})
    for spec in specs:
        try:
            list(spec.create(Context(where, values))())
        except ALLOWED:
            continue

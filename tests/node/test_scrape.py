"""A collector that hangs or raises costs its own metrics and nothing else."""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import threading
import time
import weakref
from collections.abc import Callable, Iterator

import pytest

from exporters.node import deadline
from exporters.node.paths import Paths
from exporters.node.registry import (
    Collect,
    CollectorSpec,
    Context,
    NoData,
    Registry,
    flags,
)
from exporters.node.scrape import Scraper, patience_seconds
from exporters.toolkit.exposition import encode
from exporters.toolkit.flags import Program
from exporters.toolkit.metric import GaugeMetricFamily, Metric
from exporters.toolkit.web import Scrape


def gauge(name: str, value: float = 1) -> Metric:
    return GaugeMetricFamily(name, "Help.", value)


def one() -> Iterator[Metric]:
    yield gauge("node_one")


class Hanging:
    """A collector that hangs until it is released."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.calls = 0

    def __call__(self) -> Iterator[Metric]:
        self.calls += 1
        assert self.released.wait(timeout=30)
        yield gauge("node_late", self.calls)


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    collector = Hanging()
    yield collector
    collector.released.set()


@pytest.fixture
def scraper_of() -> Iterator[Callable[..., Scraper]]:
    made: list[Scraper] = []

    def make(**collectors: Collect) -> Scraper:
        specs = [
            CollectorSpec(name, lambda _context, run=run: run)  # type: ignore[misc]
            for name, run in collectors.items()
        ]
        values = Program("node_exporter", "", flags(specs)).parse((), {})
        made.append(Scraper(Registry(specs, Context(Paths(), values))))
        return made[-1]

    yield make
    for scraper in made:
        scraper.close()


async def scrape(scraper: Scraper, timeout_seconds: float = 10) -> dict[str, float]:
    """Return the values of a scrape; those of a collector by "name/collector"."""
    metrics = await scraper.gather(Scrape({}, timeout_seconds))
    return {
        "/".join((sample.name, *sample.labels.values())): sample.value
        for metric in metrics
        for sample in metric.samples
    }


SUCCESS = "node_scrape_collector_success"
DURATION = "node_scrape_collector_duration_seconds"
FAILURE = "node_scrape_collector_failure"


@pytest.mark.parametrize(
    ("timeout", "patience"),
    [
        (None, 9.5),
        (10, 9.5),
        (5, 4.5),
        (1, 0.5),
        (0.5, 0.25),
        (3600, 119.5),
        (0, 9.5),
        (-1, 9.5),
        (float("nan"), 9.5),
        (float("inf"), 9.5),
    ],
)
def test_patience(timeout: float | None, patience: float) -> None:
    assert patience_seconds(timeout) == patience


async def test_success_and_duration(scraper_of: Callable[..., Scraper]) -> None:
    seen = await scrape(scraper_of(one=one))
    assert seen["node_one"] == 1
    assert seen[f"{SUCCESS}/one"] == 1
    assert 0 <= seen[f"{DURATION}/one"] < 5
    assert not [key for key in seen if key.startswith(FAILURE)]


async def test_without_a_failure_nothing_is_printed_that_upstream_does_not(
    scraper_of: Callable[..., Scraper],
) -> None:
    text = encode(await scraper_of(one=one).gather(Scrape({}, 10))).decode()
    assert [line.split()[2] for line in text.splitlines() if "# TYPE" in line] == [
        "node_one",
        DURATION,
        SUCCESS,
    ]


def raises_at_once() -> Iterator[Metric]:
    raise OSError(5, "Input/output error", "/proc/x")


def raises_half_way() -> Iterator[Metric]:
    yield gauge("node_before")
    raise ValueError("x:3: expected a number, got 'y'")


def gives_a_value_that_is_no_number() -> Iterator[Metric]:
    yield gauge("node_before")
    bad = Metric("node_bad", "Help.", "gauge")
    bad.add_sample("node_bad", {}, "many")  # type: ignore[arg-type]
    yield bad


def gives_what_is_no_metric() -> Iterator[Metric]:
    yield "node_bad 1"  # type: ignore[misc]


def gives_half_a_character() -> Iterator[Metric]:
    bad = GaugeMetricFamily("node_bad", "Help.", labels=["x"])
    bad.add_metric(["\ud800"], 1)
    yield bad


def exits() -> Iterator[Metric]:
    raise SystemExit(3)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (raises_at_once, "Input/output error: '/proc/x'"),
        (raises_half_way, "x:3: expected a number"),
        (gives_a_value_that_is_no_number, "could not convert"),
        (gives_what_is_no_metric, "AttributeError"),
        (gives_half_a_character, "surrogates"),
        (exits, "SystemExit(3)"),
    ],
)
async def test_a_failing_collector_costs_one_line_and_itself(
    bad: Collect,
    reason: str,
    scraper_of: Callable[..., Scraper],
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen = await scrape(scraper_of(bad=bad, one=one))
    assert seen["node_one"] == 1
    assert seen[f"{SUCCESS}/one"] == 1
    assert seen[f"{SUCCESS}/bad"] == 0
    assert "node_bad" not in seen
    assert {k: v for k, v in seen.items() if k.startswith(FAILURE)} == {
        f"{FAILURE}/bad/error": 1
    }
    (record,) = caplog.records
    assert (record.levelname, record.message) == ("ERROR", "collector failed")
    assert reason in record.__dict__["fields"]["err"]
    assert record.__dict__["fields"]["name"] == "bad"


async def test_what_came_before_the_failure_is_kept_as_upstream_does(
    scraper_of: Callable[..., Scraper],
) -> None:
    assert (await scrape(scraper_of(bad=raises_half_way)))["node_before"] == 1


async def test_no_data_is_no_success_and_only_a_debug_line(
    scraper_of: Callable[..., Scraper], caplog: pytest.LogCaptureFixture
) -> None:
    def nothing() -> Iterator[Metric]:
        raise NoData("not loaded")

    caplog.set_level(logging.DEBUG)
    seen = await scrape(scraper_of(nothing=nothing))
    assert seen[f"{SUCCESS}/nothing"] == 0
    assert {k: v for k, v in seen.items() if k.startswith(FAILURE)} == {
        f"{FAILURE}/nothing/no_data": 1
    }
    (record,) = (r for r in caplog.records if r.name.startswith("exporters"))
    assert (record.levelname, record.message) == (
        "DEBUG",
        "collector returned no data",
    )


async def test_a_collector_that_was_not_answered_in_time_says_so(
    scraper_of: Callable[..., Scraper],
) -> None:
    def silent() -> Iterator[Metric]:
        raise TimeoutError("127.0.0.1:123: no answer")

    seen = await scrape(scraper_of(silent=silent))
    assert (seen[f"{SUCCESS}/silent"], seen[f"{FAILURE}/silent/timeout"]) == (0, 1)


async def test_a_hanging_collector_costs_its_own_metrics_and_one_line(
    hanging: Hanging,
    scraper_of: Callable[..., Scraper],
    caplog: pytest.LogCaptureFixture,
) -> None:
    scraper = scraper_of(hanging=hanging, one=one)
    first = await scrape(scraper, timeout_seconds=0.2)
    assert first["node_one"] == first[f"{SUCCESS}/one"] == 1
    assert first[f"{SUCCESS}/hanging"] == 0
    assert first[f"{FAILURE}/hanging/timeout"] == 1
    assert first[f"{DURATION}/hanging"] >= 0.1

    # Later scrapes neither wait for it nor start it again, nor speak of it again.
    threads = threading.active_count()
    for _ in range(5):
        began = time.monotonic()
        later = await scrape(scraper, timeout_seconds=60)
        assert time.monotonic() - began < 10
        assert later["node_one"] == 1
        assert later[f"{SUCCESS}/hanging"] == 0
    assert hanging.calls == 1
    assert threading.active_count() == threads
    errors = [r.message for r in caplog.records if r.levelname == "ERROR"]
    assert errors == [
        "collector did not finish in time and is not called again before it does"
    ]


async def test_a_collector_that_returns_from_hanging_is_called_again(
    hanging: Hanging, scraper_of: Callable[..., Scraper]
) -> None:
    scraper = scraper_of(hanging=hanging)
    assert (await scrape(scraper, timeout_seconds=0.1))[f"{SUCCESS}/hanging"] == 0
    late, is_new = scraper._callers["hanging"].call()
    assert not is_new
    hanging.released.set()
    await scraper._crew.wait(lambda: late.outcome is not None, 10)
    assert late.outcome is not None
    seen = await scrape(scraper)
    # The second call's answer: what the hanging one read is out of date.
    assert (seen["node_late"], seen[f"{SUCCESS}/hanging"]) == (2, 1)


async def test_a_collector_can_know_how_long_the_scraper_waits(
    scraper_of: Callable[..., Scraper],
) -> None:
    def knowing() -> Iterator[Metric]:
        yield gauge("node_left", min(deadline.seconds_left(), 1000))

    scraper = scraper_of(knowing=knowing)
    assert 1 < (await scrape(scraper, timeout_seconds=4))["node_left"] <= 3.5
    assert 10 < (await scrape(scraper, timeout_seconds=40))["node_left"] <= 39.5
    assert deadline.seconds_left() == math.inf


async def test_scrapes_that_overlap_share_one_call(
    hanging: Hanging, scraper_of: Callable[..., Scraper]
) -> None:
    scraper = scraper_of(hanging=hanging)
    async with asyncio.TaskGroup() as group:
        both = [group.create_task(scrape(scraper)) for _ in range(2)]
        await asyncio.sleep(0)
        hanging.released.set()
    assert [task.result()["node_late"] for task in both] == [1, 1]
    assert hanging.calls == 1


async def test_a_scraper_that_goes_away_leaves_the_call_to_the_next(
    hanging: Hanging, scraper_of: Callable[..., Scraper]
) -> None:
    scraper = scraper_of(hanging=hanging)
    gone = asyncio.create_task(scrape(scraper))
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    the_next = asyncio.create_task(scrape(scraper))
    await asyncio.sleep(0)  # the call goes on, and it waits for that one
    hanging.released.set()
    assert (await the_next)[f"{SUCCESS}/hanging"] == 1
    assert hanging.calls == 1


async def test_a_host_without_threads_left_fails_the_collector_not_the_scrape(
    scraper_of: Callable[..., Scraper], monkeypatch: pytest.MonkeyPatch
) -> None:
    scraper = scraper_of(one=one)

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        assert (await scrape(scraper))[f"{SUCCESS}/one"] == 0
    assert (await scrape(scraper))[f"{SUCCESS}/one"] == 1


async def test_many_hanging_collectors_cost_only_themselves(
    hanging: Hanging, scraper_of: Callable[..., Scraper]
) -> None:
    # Names are sorted: the ten that hang are met before the one that answers.
    stuck = {f"a{number}": hanging for number in range(10)}
    scraper = scraper_of(**stuck, one=one)
    seen = await scrape(scraper, timeout_seconds=3)
    assert seen["node_one"] == seen[f"{SUCCESS}/one"] == 1
    assert sum(seen[f"{SUCCESS}/{name}"] for name in stuck) == 0


async def test_close_ends_the_threads(scraper_of: Callable[..., Scraper]) -> None:
    before = set(threading.enumerate())
    scraper = scraper_of(one=one)
    await scrape(scraper)
    (thread,) = set(threading.enumerate()) - before
    scraper.close()
    await asyncio.to_thread(thread.join, 10)
    assert not thread.is_alive()


def test_patience_is_ones_own_or_most_of_what_the_scrape_has() -> None:
    assert deadline.patience() == math.inf
    assert deadline.patience(5) == 5
    with deadline.within(10):
        assert 8 < deadline.patience() <= 9
        assert deadline.patience(2) == 2


class OddError(ValueError):
    """One that can be referred to weakly."""


def raises_an_odd_error() -> Iterator[Metric]:
    raise OddError


async def test_a_failure_leaves_nothing_to_collect(
    scraper_of: Callable[..., Scraper],
) -> None:
    scraper = scraper_of(bad=raises_an_odd_error)
    gc.disable()
    try:
        errors = [weakref.ref(await failure(scraper)) for _ in range(3)]
        # Only the last call is remembered.
        assert [error() for error in errors[:2]] == [None, None]
    finally:
        gc.enable()


async def failure(scraper: Scraper) -> BaseException:
    error = (await scraper.outcomes(["bad"], 10))["bad"].error
    assert isinstance(error, OddError)
    return error


async def test_what_is_made_of_metrics_is_made_in_the_thread_that_collects(
    scraper_of: Callable[..., Scraper],
) -> None:
    def made(metrics: list[Metric]) -> tuple[str, str]:
        return threading.current_thread().name, metrics[0].name

    request = Scrape({}, 10)
    assert await scraper_of(one=one).through(request, made) == (
        "collectors-0",
        "node_one",
    )


async def test_what_cannot_be_made_is_told(scraper_of: Callable[..., Scraper]) -> None:
    def made(_metrics: list[Metric]) -> None:
        raise ValueError("no")

    scraper = scraper_of(one=one)
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            await scraper.through(Scrape({}, 10), made)


async def test_what_is_made_without_a_hanging_collector_is_made_once(
    hanging: Hanging, scraper_of: Callable[..., Scraper]
) -> None:
    made: list[int] = []
    scraper = scraper_of(a=hanging, one=one)
    for _ in range(3):
        await scraper.through(
            Scrape({}, 0.4), lambda metrics: made.append(len(metrics))
        )
    hanging.released.set()
    assert (await scrape(scraper))["node_one"] == 1
    assert made == [4, 4, 4]  # node_one, and one for each of the three about collectors

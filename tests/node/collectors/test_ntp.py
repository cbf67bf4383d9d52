from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from exporters.node.calls import run as run_once
from exporters.node.collectors import ntp
from exporters.node.paths import Paths
from exporters.node.registry import Collect, Context
from exporters.node.services.ntp_sanity import Judge
from exporters.node.services.sntp import Answer
from exporters.toolkit.errors import StartError
from exporters.toolkit.flags import Program
from tests.node.conftest import Run


S = 10**9
DAY = 86_400 * S
MIDNIGHT = 20_783 * DAY
Serve = Callable[[bytes], bytes | None]


def reply(request: bytes, *, mode: int = 4, age: float = 60.0) -> bytes:
    """Return the answer of a server whose clock is this host's."""
    now = time.time()
    stamp, reference = (
        (int(at) + 2_208_988_800) << 32 | int(at % 1 * 2**32) for at in (now, now - age)
    )
    head = struct.pack(">BBbb", 4 << 3 | mode, 3, 6, -23)
    delays = struct.pack(">III", 0x0000_0800, 0x0000_1000, 0x0A000001)
    return (
        head
        + delays
        + struct.pack(">Q", reference)
        + request[40:48]
        + struct.pack(">QQ", stamp, stamp)
    )


@contextmanager
def serving(serve: Serve) -> Iterator[int]:
    """Yield the port of a server that answers with what *serve* gives, if anything."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)
        stop = threading.Event()

        def answer() -> None:
            while True:
                request, peer = server.recvfrom(1024)
                if stop.is_set():
                    return
                data = serve(request)
                if data is not None:
                    server.sendto(data, peer)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        port: int = server.getsockname()[1]
        try:
            yield port
        finally:
            stop.set()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
                waker.sendto(b"", ("127.0.0.1", port))
            thread.join(10)


@pytest.fixture
def start() -> Iterator[Callable[[Serve], str]]:
    """Start a server; gives the flag with its port."""
    with ExitStack() as stack:
        yield (
            lambda serve: (
                f"--collector.ntp.server-port={stack.enter_context(serving(serve))}"
            )
        )


def collector(*argv: str) -> Collect:
    spec = ntp.COLLECTOR
    program = Program("node_exporter", "", (spec.switch, *spec.flags))
    return spec.create(Context(Paths(), program.parse(argv, {})))


def test_what_a_good_server_says(run: Run, start: Callable[[Serve], str]) -> None:
    before = time.time()
    found = run(ntp.COLLECTOR, start(reply), "--collector.ntp.max-distance=1s")
    values = {family.name: family.samples[0].value for family in found}
    assert values["node_ntp_stratum"] == 3
    assert values["node_ntp_leap"] == 0
    assert values["node_ntp_root_delay_seconds"] == 0.03125
    assert values["node_ntp_root_dispersion_seconds"] == 0.0625
    assert values["node_ntp_sanity"] == 1
    assert 0 < values["node_ntp_rtt_seconds"] < 1
    assert abs(values["node_ntp_offset_seconds"]) < 1
    reference = values["node_ntp_reference_timestamp_seconds"]
    assert before - 60.1 < reference < time.time() - 59.9


@pytest.mark.parametrize(
    ("flag", "age"),
    [
        ("--collector.ntp.max-distance=1ms", 60.0),
        ("--collector.ntp.max-distance=1s", 2.0**18),
    ],
)
def test_what_is_not_sane(
    run: Run, start: Callable[[Serve], str], flag: str, age: float
) -> None:
    found = run(ntp.COLLECTOR, start(lambda data: reply(data, age=age)), flag)
    assert {one.name: one.samples[0].value for one in found}["node_ntp_sanity"] == 0


def test_the_protocol_version_is_asked_for(
    run: Run, start: Callable[[Serve], str]
) -> None:
    requests: list[bytes] = []

    def serve(request: bytes) -> bytes:
        requests.append(request)
        return reply(request)

    run(ntp.COLLECTOR, start(serve), "--collector.ntp.protocol-version=2")
    assert requests[0][0] == 2 << 3 | 3


def test_an_answer_to_another_question_is_an_error(
    start: Callable[[Serve], str],
) -> None:
    outcome = run_once(collector(start(lambda _: reply(bytes(48)))))
    assert str(outcome.error) == (
        "couldn't get SNTP reply: server response didn't match request"
    )


def test_a_server_that_does_not_answer_costs_no_more_than_the_scrape_has(
    start: Callable[[Serve], str],
) -> None:
    outcome = run_once(collector(start(lambda _: None)), patience_seconds=0.2)
    assert isinstance(outcome.error, TimeoutError)
    assert str(outcome.error) == "couldn't get SNTP reply: timed out"
    assert outcome.seconds < 1


def test_no_server_is_an_error() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    outcome = run_once(collector(f"--collector.ntp.server-port={port}"))
    assert str(outcome.error) == "couldn't get SNTP reply: connection refused"


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (
            ["--collector.ntp.server=192.0.2.1"],
            "only IP address of local NTP server is valid for --collector.ntp.server",
        ),
        (
            ["--collector.ntp.server=localhost"],
            "only IP address of local NTP server is valid for --collector.ntp.server",
        ),
        (
            ["--collector.ntp.protocol-version=1"],
            "invalid NTP protocol version 1; must be 2, 3, or 4",
        ),
        (
            ["--collector.ntp.local-offset-tolerance=-1ns"],
            "offset tolerance must be non-negative",
        ),
        (
            ["--collector.ntp.server-port=65536"],
            "invalid NTP port number 65536; must be between 1 and 65535 inclusive",
        ),
    ],
)
def test_flags_that_cannot_be(argv: list[str], reason: str) -> None:
    with pytest.raises(StartError) as raised:
        collector(*argv)
    assert str(raised.value) == reason


@pytest.mark.parametrize("server", ["192.0.2.1", "ntp.example"])
def test_a_server_elsewhere_has_to_be_certified(server: str) -> None:
    certified = "--collector.ntp.server-is-local"
    collector(f"--collector.ntp.server={server}", certified)  # raises nothing


@pytest.mark.parametrize(
    ("address", "is_loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("::1%lo", False),
        ("127.1", False),
        ("127.0.0.01", False),
        ("127.0.0.1:123", False),
        ("", False),
    ],
)
def test_loopback_is_what_go_takes_for_it(address: str, is_loopback: bool) -> None:
    assert ntp.is_loopback(address) is is_loopback


def answer(at: int, leap: int, min_error: int) -> Answer:
    return Answer(
        leap=leap,
        stratum=2,
        time=at,
        reference_time=at - S,
        root_delay=0,
        root_dispersion=0,
        rtt=0,
        offset=0,
        min_error=min_error,
    )


def test_a_second_is_tolerated_around_a_leap_second() -> None:
    judge = Judge(S, 1_000_000)
    smeared = 900_000_000
    assert not judge.is_sane(answer(MIDNIGHT - 7200 * S, 0, smeared))
    assert judge.is_sane(answer(MIDNIGHT - 3600 * S, 1, smeared))
    # The announcement is over, the smearing is not.
    assert judge.is_sane(answer(MIDNIGHT + 3600 * S, 0, smeared))
    assert not judge.is_sane(answer(MIDNIGHT + 3600 * S, 0, smeared + S))
    assert not judge.is_sane(answer(MIDNIGHT + DAY, 0, smeared))


def test_a_reference_before_1970_is_shown_as_0() -> None:
    early = answer(MIDNIGHT, 0, 0)._replace(reference_time=S - 1)
    found = {
        family.name: family.samples[0].value
        for family in ntp.families(early, is_sane=True)
    }
    assert found["node_ntp_reference_timestamp_seconds"] == 0

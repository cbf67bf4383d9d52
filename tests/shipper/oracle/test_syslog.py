"""The same bytes to the real promtail and to ours: the same labels, lines and times.

What promtail drops because it cannot parse it is shipped by ours with the labels of the
connection alone; each case says how much that is.
"""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from shipper.config.syslog import SyslogConfig
from shipper.pipeline.entry import Cursor, Entry, Labels
from shipper.relabel import RelabelConfig, relabel
from shipper.syslog.meters import NoMeters
from shipper.syslog.source import SyslogSource
from tests.shipper.oracle.conftest import promtail, promtail_path, recorder


pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(
        promtail_path() is None, reason="PROMTAIL names no promtail to compare with"
    ),
]

RULES = (
    RelabelConfig(action="labelmap", regex="__syslog_message_(.*)"),
    RelabelConfig(source_labels=("__syslog_connection_hostname",), target_label="name"),
    RelabelConfig(
        source_labels=("__syslog_connection_ip_address",), target_label="address"
    ),
)
CONFIG = """
server: {{disable: true}}
clients: [{{url: "{url}", batchwait: 50ms}}]
positions: {{filename: {directory}/positions.yaml}}
scrape_configs:
  - job_name: syslog
    syslog:
      listen_address: 127.0.0.1:{port}
      label_structured_data: true
      labels: {{job: syslog}}
      {keys}
    relabel_configs:
      - {{action: labelmap, regex: __syslog_message_(.*)}}
      - {{source_labels: [__syslog_connection_hostname], target_label: name}}
      - {{source_labels: [__syslog_connection_ip_address], target_label: address}}
"""

Found = Counter[tuple[Labels, bytes, int | str]]


def _found(labels: Labels, line: bytes, timestamp_ns: int) -> Found:
    is_now = abs(timestamp_ns - time.time_ns()) < 60e9
    return Counter([(labels, line, "now" if is_now else timestamp_ns)])


@dataclass
class Sink:
    """Counts what is put."""

    found: Found = field(default_factory=Counter)

    async def put(self, labels: Labels, entry: Entry, cursor: Cursor) -> None:
        self.found += _found(labels, entry.line, entry.timestamp_ns)


async def _send(portions: Sequence[bytes], port: int, protocol: str) -> None:
    """Send each of *portions* over a connection, or as a datagram, of its own."""
    for data in portions:
        if protocol == "udp":
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.sendto(data, ("127.0.0.1", port))
            continue
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(data)
        writer.close()
        await writer.wait_closed()


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


async def _theirs(
    portions: Sequence[bytes], expected: int, directory: Path, config: SyslogConfig
) -> Found:
    keys = "\n      ".join(
        f"{name}: {str(getattr(config, name)).lower()}"
        for name in (
            "listen_protocol", "syslog_format", "use_incoming_timestamp",
            "use_rfc5424_message",
        )
    )  # fmt: skip
    port = _free_port()
    async with recorder() as loki:
        text = CONFIG.format(url=loki.url, directory=directory, port=port, keys=keys)
        async with promtail(text, directory) as log, asyncio.timeout(60):
            while "syslog listening" not in log.read_text():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            await _send(portions, port, config.listen_protocol)
            await loki.wait(expected, seconds=10, rest=0.3)
    found: Found = Counter()
    for entry in loki.entries:
        found += _found(entry.labels, entry.line, entry.timestamp_ns)
    return found


async def _ours(portions: Sequence[bytes], config: SyslogConfig) -> Found:
    sink = Sink()
    source = SyslogSource(
        "syslog", config, partial(relabel, rules=RULES), sink, NoMeters()
    )
    task = asyncio.create_task(source.run())
    async with asyncio.timeout(20):
        await source.listening.wait()
        port = int(source.address.rpartition(":")[2])
        await _send(portions, port, config.listen_protocol)
        await asyncio.sleep(0.3)
        source.stop_reading()
        await task
    return sink.found


async def _compare(
    portions: Sequence[bytes], directory: Path, **keys: object
) -> list[bytes]:
    """Return the lines that only ours ships; promtail must have no other."""
    config = SyslogConfig(
        listen_address="127.0.0.1:0",
        label_structured_data=True,
        labels={"job": "syslog"},
        **keys,  # type: ignore[arg-type]
    )
    ours = await _ours(portions, config)
    raw = [(labels, line, when) for labels, line, when in ours if len(labels) <= 3]
    expected = ours.total() - sum(ours[key] for key in raw)
    theirs = await _theirs(portions, expected, directory, config)
    assert theirs - ours == Counter()
    return sorted(line for _, line, _ in (ours - theirs).elements())


RFC5424 = (
    b'<165>1 2003-10-11T22:14:15.003Z h e - I [ex@32473 iut="3"] \xef\xbb\xbfevent',
    b"<34>1 2003-10-11T22:14:15.003Z m su - ID47 - no BOM",
    b"<0>1 - - - - - - x",
    b"<191>999 - - - - - - x",
    b"<13>1 - - - - - - ",
    b"<13>1 - - - - - -",
    b'<13>1 2003-08-24T05:14:15.000003-07:00 h a p m [a][b x="1"][c@1 y="2" y="3"] m',
    b'<13>1 - h a p m [a x="\\"q\\" \\] \\\\"] escapes',
    b'<13>1 - h a p m [a x=""] empty value',
    b'<13>1 - h a p m [a x="a b=c [d"] inside',
    b"<13>1 - h a p m - \xff\xfe bytes",
    b"<13>1 2003-02-28T23:59:59.120000+00:00 h a p m - zeros",
    b'<13>1 1999-12-31T23:59:59.5+23:59 h a p m [z a="1"][b c="2" a="1"] sorted',
    b"<13>1 - " + b"h" * 255 + b" a p m - long",
    b"<13>1 - h a p m - two\rcr\r",
    b"<13>1 - h a p m -  lead",
    b"<13>1 - h a p m - <tag>",
)
NO_RFC5424 = (
    b"<192>1 - - - - - - bad",
    b"<00>1 - - - - - - bad",
    b"<1>0 - - - - - - bad",
    b"<13>1 - - - - - -x",
    b'<13>1 - h a p m [a x="\\n"] bad escape',
    b'<13>1 - h a p m [a x="1"][a y="2"] twice',
    b'<13>1 - h a p m [a x="\xff"] no utf-8',
    b"<13>1 2003-02-30T00:00:00Z h a p m - Feb 30",
    b"<13>1 2003-02-28T23:59:60Z h a p m - leap second",
    b"<13>1 2003-02-28T23:59:59.1234567Z h a p m - 7 digits",
    b"<13>1 2003-02-28t23:59:59z h a p m - lower",
    b"<13>1 2003-02-28T23:59:59 h a p m - no zone",
    b"<13>1 - " + b"h" * 256 + b" a p m - long",
    b"<13>1 - h a p m  - two spaces",
    b'<13>1 - h a p m [a  x="1"] two spaces',
    b"<13>1 - h a p m [] no id",
    b"<13> 1 - h a p m - space",
    b"<13>hello",
)


@pytest.mark.parametrize("incoming", [True, False])
async def test_lines(tmp_path: Path, *, incoming: bool) -> None:
    portions = [line + b"\n" for line in (*RFC5424, *NO_RFC5424)]
    only_ours = await _compare(portions, tmp_path, use_incoming_timestamp=incoming)
    assert only_ours == sorted(NO_RFC5424)


async def test_the_whole_message(tmp_path: Path) -> None:
    portions = [line + b"\n" for line in RFC5424]
    assert await _compare(portions, tmp_path, use_rfc5424_message=True) == []


async def test_octets(tmp_path: Path) -> None:
    lines = (*RFC5424, *NO_RFC5424)
    stream = b"".join(b"%d %s" % (len(line), line) for line in lines)
    only_ours = await _compare([stream], tmp_path, use_incoming_timestamp=True)
    assert only_ours == sorted(NO_RFC5424)


async def test_datagrams(tmp_path: Path) -> None:
    lines = (*RFC5424, *NO_RFC5424, b"not syslog")
    only_ours = await _compare(lines, tmp_path, listen_protocol="udp")
    assert only_ours == sorted((*NO_RFC5424, b"not syslog"))


M = [b"<13>1 - h a p m - m%d" % number for number in range(3)]


@pytest.mark.parametrize(
    ("stream", "only_ours"),
    [
        (b"\n".join(M), []),
        (b"\n".join(M) + b"\n", []),
        (b"\r\n".join(M) + b"\r\n", []),
        (M[0] + b"\nmore\n  yet\n" + M[1] + b"\n", []),
        (M[0] + b"\n\n\n" + M[1] + b"\n\n", []),
        (M[0] + b"\n20 " + M[1] + b"\n", []),
        (b"<13>1 - h a p m - " + b"x" * 20000 + b"\n", []),
        (b"".join(b"%d %s" % (len(m), m) for m in M), []),
        (b"".join(b"%d %s\n" % (len(m), m) for m in M), []),
        (b"".join(b"%d %s\n" % (len(m) + 1, m) for m in M), []),
        (b"0%d %s" % (len(M[0]), M[0]), []),
        # From here on promtail drops, and closes the connection.
        (M[0] + b"\ncut off", [b"cut off"]),
        (b"\n" + M[0] + b"\n", [b"m0"]),
        (b"99 " + M[0], [b"m0"]),
        (b"%d %s" % (len(M[0]), M[0]) + M[1] + b"\n", [b"m1"]),
        (b"9018 <13>1 - h a p m - " + b"x" * 9000, [b"x" * (8192 - 18)]),
    ],
    ids=range(16),
)
async def test_framing(stream: bytes, only_ours: list[bytes], tmp_path: Path) -> None:
    assert await _compare([stream], tmp_path) == only_ours


RFC3164 = tuple(
    b"<34>Oct 11 22:14:15 " + rest
    for rest in (
        b"machine su: 'su root' failed", b"machine su[123]: x", b"su: no host",
        b"su[1]: no host", b"just some words", b"one", b"one ", b"one  ", b"one   ",
        b"", b" ", b"  h   t:  x", b"h su[12] no colon", b"h su[]: empty",
        b"su[12] no colon", b"h su[12:x", b"h su:x", b"h su: ", b"h su:",
        b"fe80::1 su: ipv6", b"10.0.0.1 %ASA-6-1: cisco", b"h " + b"t" * 48 + b": x",
        b"h " + b"t" * 49 + b": x", b"h" * 255 + b" t: x", b"h" * 256 + b" t: x",
        b"h t: \xc3\xa9", b"h\xc3\xa9 t: x", b"- -: dash", b"h -[-]: dash", b"h a b: x",
        b"h a/b[c d]: x", b"[x]: y", b"h [x]: y", b"h :x", b"h t[a]b: x",
        b"h t[a:b]: x",
    )
)  # fmt: skip
NO_RFC3164 = (
    b"<34>Oct 01 22:14:15 m su: zero",
    b"<34>Oct 11 22:14:15",
    b"<34>Feb 30 22:14:15 h t: x",
    b"<34>oct 11 22:14:15 h t: x",
    b"<34>1 2003-10-11T22:14:15.003Z h a - - - 5424",
)


async def test_rfc3164(tmp_path: Path) -> None:
    tab = b"<34>Oct 11 22:14:15 h t: tab\there"
    lines = (*RFC3164, *NO_RFC3164, tab, b"<34>Feb 29 22:14:15 h t: leap")
    stream = b"".join(line + b"\n" for line in lines)
    only_ours = await _compare([stream], tmp_path, syslog_format="rfc3164")
    assert only_ours == sorted((*NO_RFC3164, b"tab\there"))


async def test_rfc3164_with_words_made_up(tmp_path: Path) -> None:
    chance = random.Random(3164)  # the same words every time
    parts = [b" ", b" ", b":", b"[", b"]", b"a", b"bc", b": ", b"-", b"x"]
    lines = {
        b"<34>Oct 11 22:14:15 "
        + b"".join(chance.choice(parts) for _ in range(chance.randint(1, 12)))
        for _ in range(500)
    }
    stream = b"".join(line + b"\n" for line in sorted(lines))
    assert await _compare([stream], tmp_path, syslog_format="rfc3164") == []

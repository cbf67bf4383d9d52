"""Protocol counters of the network stack (node_exporter collector/netstat_linux.go)."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from exporters.node import procfs
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.flags import string
from exporters.toolkit.metric import Metric, UntypedMetricFamily
from exporters.toolkit.regex import Regex


Statistics = dict[tuple[str, str], float]
"""(protocol, name) -> value, for example ("TcpExt", "ListenDrops")."""

FIELDS = string(
    "collector.netstat.fields",
    "Regexp of fields to return for netstat collector.",
    default=(
        "^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)"
        "|Icmp6?_(InMsgs|OutMsgs)"
        "|TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue"
        "|TCPRcvQDrop)"
        "|Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)"
        "|Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$"
    ),
)


def parse(data: bytes) -> Statistics:
    """Return the counters of a ``netstat`` or ``snmp`` file.

    Such a file holds pairs of lines: names, then values, each after the
    protocol. Raises ValueError.
    """
    statistics: Statistics = {}
    rows = list(procfs.lines(data))
    if len(rows) % 2:
        raise ValueError(f"line {rows[-1][0]}: expected a line of values after names")
    for (number, names), (_, line) in zip(rows[::2], rows[1::2], strict=True):
        keys, values = _keys(names), line.split(b" ")[1:]
        if len(keys) != len(values):
            protocol = procfs.text(names.split(b" ")[0])
            raise ValueError(
                f"line {number}: expected as many values as names for {protocol!r},"
                f" got {len(values)} and {len(keys)}"
            )
        statistics.update(zip(keys, procfs.parse_numbers(values), strict=True))
    return statistics


@functools.lru_cache(maxsize=64)  # the kernel's lines of names never change
def _keys(names: bytes) -> tuple[tuple[str, str], ...]:
    protocol, *fields = procfs.text(names).split(" ")
    return tuple((protocol[:-1], field) for field in fields)


def parse_snmp6(data: bytes) -> Statistics:
    """Return the counters of a ``snmp6`` file. Raises ValueError.

    A line such as "Ip6InReceives 5" is split after the first 6; a line without
    one is no protocol's and is left out.
    """
    statistics: Statistics = {}
    for line in data.split(b"\n"):
        words = line.split(None, 2)
        if len(words) < 2:
            continue
        if key := _snmp6_key(words[0]):
            statistics[key] = procfs.parse_number(words[1])
    return statistics


@functools.lru_cache(maxsize=4096)
def _snmp6_key(word: bytes) -> tuple[str, str] | None:
    before, six, name = procfs.text(word).partition("6")
    return (before + six, name) if six else None


def create(context: Context) -> Collect:
    """Return the collector of netstat, snmp and snmp6; raises RegexError."""
    netstat, snmp, snmp6 = (
        context.proc("net", name) for name in ("netstat", "snmp", "snmp6")
    )
    wanted = Regex(context.values[FIELDS])

    @functools.lru_cache(maxsize=4096)  # nor do the names
    def title(key: tuple[str, str]) -> tuple[str, str] | None:
        protocol, name = key
        if not wanted.search(f"{protocol}_{name}"):
            return None
        # Without "_" in the text, as upstream has it.
        return f"node_netstat_{protocol}_{name}", f"Statistic {protocol}{name}."

    def collect() -> Iterator[Metric]:
        statistics = parse(netstat.read()) | parse(snmp.read())
        # The file is not there where IPv6 is switched off.
        statistics |= parse_snmp6(snmp6.read_optional() or b"")
        for key, value in statistics.items():
            if named := title(key):
                yield UntypedMetricFamily(*named, value)

    return collect


COLLECTOR = CollectorSpec("netstat", create, flags=(FIELDS,))

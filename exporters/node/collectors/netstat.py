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
    rows = [(number, line.split(b" ")) for number, line in procfs.lines(data)]
    if len(rows) % 2:
        raise ValueError(f"line {rows[-1][0]}: expected a line of values after names")
    for (number, names), (_, values) in zip(rows[::2], rows[1::2], strict=True):
        protocol = procfs.text(names[0])
        if len(names) != len(values):
            raise ValueError(
                f"line {number}: expected as many values as names for {protocol!r},"
                f" got {len(values) - 1} and {len(names) - 1}"
            )
        for name, value in zip(names[1:], values[1:], strict=True):
            key = (protocol[:-1], procfs.text(name))
            statistics[key] = procfs.parse_number(value)
    return statistics


def parse_snmp6(data: bytes) -> Statistics:
    """Return the counters of a ``snmp6`` file. Raises ValueError.

    A line such as "Ip6InReceives 5" is split after the first 6; a line without
    one is no protocol's and is left out.
    """
    statistics: Statistics = {}
    for _, line in procfs.lines(data):
        words = line.split()
        if len(words) < 2:
            continue
        before, six, name = procfs.text(words[0]).partition("6")
        if six:
            statistics[before + six, name] = procfs.parse_number(words[1])
    return statistics


def create(context: Context) -> Collect:
    """Return the collector of netstat, snmp and snmp6; raises RegexError."""
    netstat = context.paths.proc("net/netstat")
    snmp = context.paths.proc("net/snmp")
    snmp6 = context.paths.proc("net/snmp6")
    # The kernel's names are the same at every scrape.
    wanted = functools.lru_cache(maxsize=4096)(Regex(context.values[FIELDS]).search)

    def collect() -> Iterator[Metric]:
        statistics = parse(procfs.read(netstat)) | parse(procfs.read(snmp))
        # The file is not there where IPv6 is switched off.
        statistics |= parse_snmp6(procfs.read_optional(snmp6) or b"")
        for (protocol, name), value in statistics.items():
            if wanted(f"{protocol}_{name}"):
                yield UntypedMetricFamily(
                    f"node_netstat_{protocol}_{name}",
                    f"Statistic {protocol}{name}.",  # without "_", as upstream has it
                    value,
                )

    return collect


COLLECTOR = CollectorSpec("netstat", create, flags=(FIELDS,))

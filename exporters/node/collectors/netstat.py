"""Protocol counters of the network stack (node_exporter collector/netstat_linux.go)."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from exporters.node import procfs
from exporters.node.named_numbers import NamedNumbers
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.toolkit.flags import string
from exporters.toolkit.metric import Metric, UntypedMetricFamily
from exporters.toolkit.regex import Regex


Key = tuple[str, str]
"""Protocol and name, for example ("TcpExt", "ListenDrops")."""

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


_SNMP6 = re.compile(rb"([^\s6]*6[^\s]*)[ \t]+([0-9]+)\n")


def parse(data: bytes) -> list[tuple[bytes, list[float]]]:
    """Return (line of names, values) for each protocol of netstat or snmp.

    Such a file holds pairs of lines: names, then values, each after the
    protocol. Raises ValueError.
    """
    rows = list(procfs.lines(data))
    if len(rows) % 2:
        raise ValueError(f"line {rows[-1][0]}: expected a line of values after names")
    found: list[tuple[bytes, list[float]]] = []
    for (number, names), (_, line) in zip(rows[::2], rows[1::2], strict=True):
        values = line.split(b" ")[1:]
        if names.count(b" ") != len(values):
            protocol = procfs.text(names.split(b" ")[0])
            raise ValueError(
                f"line {number}: expected as many values as names for {protocol!r},"
                f" got {len(values)} and {names.count(b' ')}"
            )
        found.append((names, procfs.parse_numbers(values)))
    return found


def keys(names: bytes) -> list[Key]:
    """Return the keys of a line of names, in order."""
    protocol, *fields = procfs.text(names).split(" ")
    return [(protocol[:-1], field) for field in fields]


def parse_snmp6(data: bytes) -> dict[bytes, float]:
    """Return the counters of a ``snmp6`` file by their word. Raises ValueError."""
    # What stands between the lines that look as they should is nothing, as a rule:
    # one pass for 90 of them, a third as long as line by line.
    parts = _SNMP6.split(data)
    if not any(parts[::3]):
        return dict(zip(parts[1::3], map(float, parts[2::3]), strict=True))
    pairs = (line.split(None, 2) for line in data.split(b"\n"))
    return {
        pair[0]: procfs.parse_number(pair[1])
        for pair in pairs
        if len(pair) > 1 and b"6" in pair[0]  # what has none is no protocol's
    }


def key_of_snmp6(word: bytes) -> Key:
    """Return the key of a word such as "Ip6InReceives", split after the first 6."""
    before, six, name = procfs.text(word).partition("6")
    return before + six, name


class Titles:
    """The family of each statistic that is wanted, decided once.

    The kernel's names are the same at every scrape: looking at each of 250 anew took
    longer than all else here.
    """

    def __init__(self, fields: str) -> None:
        """Want what *fields* matches. Raises RegexError."""
        self._wanted = Regex(fields)
        self.of_line = functools.lru_cache(maxsize=256)(self._of_line)

    def _of_line(self, names: bytes) -> list[tuple[int, str, str]]:
        """Return (column, name, HELP) of what is wanted of a line of names."""
        titles = ((column, self._title(key)) for column, key in enumerate(keys(names)))
        return [(column, *title) for column, title in titles if title]

    def of_word(self, word: bytes) -> tuple[str, str] | None:
        """Return (name, HELP) of a word of snmp6, None if it is not wanted."""
        return self._title(key_of_snmp6(word))

    def _title(self, key: Key) -> tuple[str, str] | None:
        protocol, name = key
        if not self._wanted.search(f"{protocol}_{name}"):
            return None
        # Without "_" in the text, as upstream has it.
        return f"node_netstat_{protocol}_{name}", f"Statistic {protocol}{name}."


def create(context: Context) -> Collect:
    """Return the collector of netstat, snmp and snmp6; raises RegexError."""
    netstat, snmp, snmp6 = (
        context.proc("net", name) for name in ("netstat", "snmp", "snmp6")
    )
    titles = Titles(context.values[FIELDS])
    numbers6 = NamedNumbers(parse_snmp6, titles.of_word)

    def collect() -> Iterable[Metric]:
        found: dict[str, Metric] = {}
        for names, values in parse(netstat.read()) + parse(snmp.read()):
            for column, name, text in titles.of_line(names):
                found[name] = UntypedMetricFamily(name, text, values[column])
        # The file is not there where IPv6 is switched off.
        for title, value in numbers6.read(snmp6.read_optional() or b""):
            found[title[0]] = UntypedMetricFamily(*title, value)
        return found.values()

    return collect


COLLECTOR = CollectorSpec("netstat", create, flags=(FIELDS,))

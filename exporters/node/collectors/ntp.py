"""Whether the local NTP server is in its right mind (collector/ntp.go)."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Iterator

from exporters.node.deadline import patience
from exporters.node.errno_text import error_text
from exporters.node.registry import Collect, CollectorSpec, Context
from exporters.node.services import sntp
from exporters.node.services.ntp_sanity import Judge
from exporters.node.services.sntp import NANOSECONDS, Answer
from exporters.toolkit.duration import in_seconds
from exporters.toolkit.errors import StartError
from exporters.toolkit.flags import Values, boolean, duration, integer, string
from exporters.toolkit.metric import GaugeMetricFamily, Metric


log = logging.getLogger(__name__)

SERVER = string(
    "collector.ntp.server",
    "NTP server to use for ntp collector",
    default="127.0.0.1",
)
SERVER_PORT = integer(
    "collector.ntp.server-port",
    "UDP port number to connect to on NTP server",
    default=123,
)
PROTOCOL_VERSION = integer(
    "collector.ntp.protocol-version", "NTP protocol version", default=4
)
SERVER_IS_LOCAL = boolean(
    "collector.ntp.server-is-local",
    "Certify that collector.ntp.server address is not a public ntp server",
)
IP_TTL = integer(
    "collector.ntp.ip-ttl", "IP TTL to use while sending NTP query", default=1
)
# 1.5 s, the MAXDIST of ntp.org, and what a clock may drift in the longest poll interval
MAX_DISTANCE = duration(
    "collector.ntp.max-distance",
    "Max accumulated distance to the root",
    default=3.46608,
)
OFFSET_TOLERANCE = duration(
    "collector.ntp.local-offset-tolerance",
    "Offset between local clock and local ntpd time to tolerate",
    default=0.001,
)

_TIMEOUT_SECONDS = 1.0  # ntpdate's


def create(context: Context) -> Collect:
    """Return the collector. Raises StartError, for a server that is not local too."""
    values = context.values
    check(values)
    log.warning(
        "This collector is deprecated and will be removed in the next major version"
        " release."
    )
    server, port = values[SERVER], values[SERVER_PORT]
    version, ttl = values[PROTOCOL_VERSION], values[IP_TTL]
    judge = Judge(
        round(values[MAX_DISTANCE] * NANOSECONDS),
        round(values[OFFSET_TOLERANCE] * NANOSECONDS),
    )

    def collect() -> Iterator[Metric]:
        seconds = patience(_TIMEOUT_SECONDS)
        try:
            where = sntp.split_address(server, port)
            answer = sntp.ask(*where, version=version, ttl=ttl, timeout_seconds=seconds)
        except OSError as error:
            reason = f"couldn't get SNTP reply: {error_text(error)}"
            raise type(error)(reason) from error
        except ValueError as error:
            raise ValueError(f"couldn't get SNTP reply: {error}") from error
        yield from families(answer, is_sane=judge.is_sane(answer))

    return collect


def check(values: Values) -> None:
    """Raise StartError for flags that cannot be."""
    if not values[SERVER_IS_LOCAL] and not is_loopback(values[SERVER]):
        raise StartError(
            "only IP address of local NTP server is valid for --collector.ntp.server"
        )
    version, port = values[PROTOCOL_VERSION], values[SERVER_PORT]
    if not 2 <= version <= 4:
        raise StartError(f"invalid NTP protocol version {version}; must be 2, 3, or 4")
    if values[OFFSET_TOLERANCE] < 0:
        raise StartError("offset tolerance must be non-negative")
    if not 1 <= port <= 65_535:
        raise StartError(
            f"invalid NTP port number {port}; must be between 1 and 65535 inclusive"
        )


def is_loopback(address: str) -> bool:
    """Return whether *address* is an IP address, and this host's own."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if "%" in address:  # Go's ParseIP takes no zone
        return False
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return (mapped or ip).is_loopback


def families(answer: Answer, *, is_sane: bool) -> Iterator[Metric]:
    """Yield what *answer* says."""
    reference = answer.reference_time
    since_1970 = reference if reference >= NANOSECONDS else 0
    rows = (
        ("stratum", "NTPD stratum.", answer.stratum),
        ("leap", "NTPD leap second indicator, 2 bits.", answer.leap),
        ("rtt_seconds", "RTT to NTPD.", in_seconds(answer.rtt)),
        (
            "offset_seconds",
            "ClockOffset between NTP and local clock.",
            in_seconds(answer.offset),
        ),
        (
            "reference_timestamp_seconds",
            "NTPD ReferenceTime, UNIX timestamp.",
            since_1970 / 1e9,
        ),
        ("root_delay_seconds", "NTPD RootDelay.", in_seconds(answer.root_delay)),
        (
            "root_dispersion_seconds",
            "NTPD RootDispersion.",
            in_seconds(answer.root_dispersion),
        ),
        (
            "sanity",
            "NTPD sanity according to RFC5905 heuristics and configured limits.",
            is_sane,
        ),
    )
    for name, text, value in rows:
        yield GaugeMetricFamily(f"node_ntp_{name}", text, float(value))


COLLECTOR = CollectorSpec(
    "ntp",
    create,
    default_enabled=False,
    flags=(
        SERVER,
        SERVER_PORT,
        PROTOCOL_VERSION,
        SERVER_IS_LOCAL,
        IP_TTL,
        MAX_DISTANCE,
        OFFSET_TOLERANCE,
    ),
)

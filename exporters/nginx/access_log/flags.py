"""The flags of the access log. Nothing heavy is imported until one of them is used."""

from __future__ import annotations

import logging
import math
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from exporters.nginx.announce import announce
from exporters.nginx.metrics import split_const_labels
from exporters.toolkit import flags
from exporters.toolkit.flags import Flag, Values


if TYPE_CHECKING:
    from exporters.nginx.access_log.opened import AccessLogs


log = logging.getLogger(__name__)

# A label set whose lines have every field is 74 samples. This many make a page of
# 4 MB, for which the exporter computes 0.4 s; they are enough for 20 hosts.
DEFAULT_MAX_SERIES: Final = 500


def _split(text: str) -> list[str]:
    return [part for piece in text.split(",") if (part := piece.strip())]


def parse_mode(text: str) -> int:
    """Return the permissions that *text* says in octal; raise ValueError."""
    try:
        mode = int(text, 8)
    except ValueError:
        mode = -1
    if not 0 <= mode <= 0o777:
        raise ValueError(
            "--accesslog.syslog-socket-mode: expected permissions like 0660, "
            f"got '{text}'"
        )
    return mode


def parse_buckets(text: str) -> tuple[float, ...]:
    """Return the numbers in *text*, in seconds; raise ValueError."""
    try:
        buckets = tuple(float(part) for part in _split(text))
    except ValueError:
        buckets = (math.nan,)
    if not all(map(math.isfinite, buckets)) or any(
        low >= high for low, high in pairwise(buckets)
    ):
        raise ValueError(
            "--accesslog.buckets: expected seconds that rise, like 0.1,0.5,1; "
            f"got '{text}'"
        )
    return buckets


def parse_hosts(text: str) -> tuple[str, ...]:
    """Return the names in *text*, a list separated by commas, in lower case."""
    return tuple(_split(text.lower()))


def parse_max_series(text: str) -> int:
    """Return the number that *text* is; raise ValueError below one."""
    if not text.isdecimal() or not text.isascii() or int(text) < 1:
        raise ValueError(
            f"--accesslog.max-series: expected a number of at least 1, got '{text}'"
        )
    return int(text)


SYSLOG_LISTEN = flags.strings(
    "accesslog.syslog-listen",
    "Where nginx sends its access log: unix:/run/nginx-exporter/access.sock, "
    "udp://:5514 or, by a relay, tcp://:5514. Repeatable.",
    env="ACCESSLOG_SYSLOG_LISTEN",
)
SYSLOG_TAG = flags.strings(
    "accesslog.syslog-tag",
    "Tag of the messages that are lines of the access log. Repeatable.",
    default=("nginx",),
    env="ACCESSLOG_SYSLOG_TAG",
)
SYSLOG_SOCKET_MODE = Flag(
    "accesslog.syslog-socket-mode",
    "Permissions of a unix socket: whoever may write to it may send lines.",
    0o666,
    parse_mode,
    env="ACCESSLOG_SYSLOG_SOCKET_MODE",
    placeholder="0666",
)
FILE = flags.strings(
    "accesslog.file",
    "Access log to follow, a path or a pattern as /var/log/nginx/*.log. Repeatable.",
    env="ACCESSLOG_FILE",
)
FORMAT = flags.string(
    "accesslog.format",
    "What a line looks like: json, combined, or the text of nginx's log_format.",
    default="json",
    env="ACCESSLOG_FORMAT",
)
NAMESPACE = flags.string(
    "accesslog.namespace",
    "What the names of the metrics begin with.",
    default="nginx",
    env="ACCESSLOG_NAMESPACE",
)
HOST: Flag[tuple[tuple[str, ...], ...]] = Flag(
    "accesslog.host",
    'Host that is shown in the label host; any other is "other". Without it there is '
    "no such label. Repeatable, or a list separated by commas.",
    (),
    parse_hosts,
    env="ACCESSLOG_HOST",
    repeatable=True,
)
LABEL: Flag[tuple[tuple[tuple[str, str], ...], ...]] = Flag(
    "accesslog.label",
    "Label of the metrics about requests, as name=value. Repeatable, or a list "
    "separated by commas or newlines.",
    (),
    split_const_labels,
    env="ACCESSLOG_LABEL",
    repeatable=True,
)
BUCKETS: Flag[tuple[float, ...]] = Flag(
    "accesslog.buckets",
    "Upper bounds of the histograms' buckets in seconds, separated by commas.",
    (),
    parse_buckets,
    env="ACCESSLOG_BUCKETS",
    placeholder="0.005,…,10",
)
MAX_SERIES = Flag(
    "accesslog.max-series",
    'How many sets of labels are kept; what comes beyond is counted as "other".',
    DEFAULT_MAX_SERIES,
    parse_max_series,
    env="ACCESSLOG_MAX_SERIES",
    placeholder=str(DEFAULT_MAX_SERIES),
)
CONFIG_FILE = flags.string(
    "accesslog.config-file",
    "YAML file of prometheus-nginxlog-exporter: several access logs, relabelling.",
    env="ACCESSLOG_CONFIG_FILE",
)

FLAGS: Final = (
    SYSLOG_LISTEN,
    SYSLOG_TAG,
    SYSLOG_SOCKET_MODE,
    FILE,
    FORMAT,
    NAMESPACE,
    HOST,
    LABEL,
    BUCKETS,
    MAX_SERIES,
    CONFIG_FILE,
)


@asynccontextmanager
async def access_logs(
    values: Values, const_labels: Mapping[str, str] | None = None
) -> AsyncIterator[AccessLogs | None]:
    """Take in what *values* ask for until the end of the context.

    None is yielded, and nothing imported, when they ask for nothing. *const_labels* are
    on every metric. Raises StartError for what cannot be used: a file, an address, a
    format, the configuration file.
    """
    if not any((values[SYSLOG_LISTEN], values[FILE], values[CONFIG_FILE])):
        _point_out_idle(values)
        yield None
        return
    # Off by default: it costs 1 MiB, with a configuration file 2.
    from exporters.nginx.access_log.from_flags import plans_of  # noqa: PLC0415
    from exporters.nginx.access_log.opened import open_access_logs  # noqa: PLC0415

    plans = plans_of(values, const_labels or {})
    announce(
        "Reading access logs", (source for plan in plans for source in plan.sources)
    )
    async with open_access_logs(plans, values[SYSLOG_SOCKET_MODE]) as opened:
        yield opened


def _point_out_idle(values: Values) -> None:
    """Say which flags have no effect, where no access log is named."""
    known: tuple[Flag[Any], ...] = FLAGS
    idle = [f"--{flag.name}" for flag in known if values[flag] != flag.default]
    if idle:
        log.warning(
            "without effect: no access log is named, expected --accesslog."
            "syslog-listen, --accesslog.file or --accesslog.config-file",
            extra={"fields": {"flags": ", ".join(idle)}},
        )

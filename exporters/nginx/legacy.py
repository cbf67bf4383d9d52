"""The command line of nginx-prometheus-exporter 0.x (exporter.go of v0.11.0).

Debian 12 still has it. It is read by Go's package flag, which takes one dash or two and
a value for a boolean; 1.x reads its own with kingpin and has dropped six of the flags.
Here both generations are taken. What 0.x alone had is not in ``--help``.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Container, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from exporters.nginx.metrics import split_const_labels
from exporters.nginx.positive_duration import parse_positive_duration
from exporters.toolkit import flags, gotext
from exporters.toolkit.errors import StartError
from exporters.toolkit.flags import Flag, Values


if TYPE_CHECKING:  # what few installations need is memory
    from exporters.toolkit.protection import Protection

log = logging.getLogger(__name__)

Pairs = tuple[tuple[tuple[str, str], ...], ...]

_UNSIGNED = re.compile(r"0[xX][0-9a-fA-F]+|[0-9]+")


def _parse_count(text: str) -> int:
    if _UNSIGNED.fullmatch(text) is None:
        raise ValueError(
            f"--nginx.retries: expected a number of retries, got {gotext.quote(text)}"
        )
    return int(text, 16 if text[:2].lower() == "0x" else 10)


RETRIES = Flag(
    "nginx.retries",
    "How often nginx is tried at the start. Accepted, without effect: the exporter "
    "starts without nginx.",
    0,
    _parse_count,
    env="NGINX_RETRIES",
    hidden=True,
)
RETRY_INTERVAL = Flag(
    "nginx.retry-interval",
    "How long to wait in between. Accepted, without effect.",
    5.0,
    parse_positive_duration,
    env="NGINX_RETRY_INTERVAL",
    hidden=True,
)
CONST_LABELS: Flag[Pairs] = Flag(
    "prometheus.const-labels",
    "As --prometheus.const-label, in a list separated by commas.",
    (),
    split_const_labels,
    repeatable=True,
    hidden=True,
)
SECURED_METRICS = flags.boolean(
    "web.secured-metrics",
    "Serve metrics with TLS; --web.config.file can do more.",
    env="SECURED_METRICS",
    hidden=True,
)
SSL_SERVER_CERT = flags.string(
    "web.ssl-server-cert",
    "PEM file of the certificate for --web.secured-metrics.",
    env="SSL_SERVER_CERT",
    hidden=True,
)
SSL_SERVER_KEY = flags.string(
    "web.ssl-server-key",
    "PEM file of its key.",
    env="SSL_SERVER_KEY",
    hidden=True,
)
FLAGS: tuple[Flag[Any], ...] = (
    RETRIES,
    RETRY_INTERVAL,
    CONST_LABELS,
    SECURED_METRICS,
    SSL_SERVER_CERT,
    SSL_SERVER_KEY,
)


def modernized(argv: Iterable[str], known: Iterable[Flag[Any]]) -> Iterator[str]:
    """Yield *argv*, spelled for package flag, as kingpin wants it.

    As in 1.x a dash is put before a single one. Of the booleans among *known*
    ``-nginx.plus=true`` becomes ``--nginx.plus``, ``=false`` ``--no-nginx.plus``; a
    value that is none stays, for kingpin to refuse.
    """
    booleans = {flag.name for flag in known if flag.parse is None}
    for argument in argv:
        longer = f"-{argument}" if _has_one_dash(argument) else argument
        yield _without_value(longer, booleans) if longer[:2] == "--" else longer


def _has_one_dash(argument: str) -> bool:
    # One letter behind it is a short flag: -h.
    return argument[:1] == "-" and argument[1:2] != "-" and len(argument) > 2


def _without_value(argument: str, booleans: Container[str]) -> str:
    name, equals, value = argument.removeprefix("--").partition("=")
    if not equals or name not in booleans:
        return argument
    try:
        return f"--{name}" if gotext.parse_bool(value) else f"--no-{name}"
    except ValueError:
        return argument


def warn(argv: Sequence[str], known: Iterable[Flag[Any]], values: Values) -> None:
    """Log in a line each what the command line has of 0.x and should not.

    No value is shown: a URI may hold a password. Upstream prints it here.
    """
    names = {flag.name for flag in known}
    given = [arg[1:].partition("=")[0] for arg in argv if _has_one_dash(arg)]
    if short := [name for name in given if name in names or name[3:] in names]:
        log.warning(
            "flags are spelled with one dash, as in 0.x; since 1.0 they have two",
            extra={"fields": {"flags": ",".join(short)}},
        )
    if values[RETRIES] or values[RETRY_INTERVAL] != RETRY_INTERVAL.default:
        log.warning(
            "--nginx.retries and --nginx.retry-interval have no effect: the exporter "
            "starts without nginx and asks it at every scrape"
        )


def const_labels(values: Values, of_today: Flag[Pairs]) -> Pairs:
    """Return the labels of both spellings; the later one's value of a name wins.

    The command line hides the environment whichever spelling it has.
    """
    if not values.given(CONST_LABELS):
        return values[of_today]
    given = values[of_today] if values.given(of_today) else ()
    return values[CONST_LABELS] + given


def protect(
    values: Values, config_file: str
) -> Callable[[], Awaitable[Protection]] | None:
    """Return what starts TLS as ``--web.secured-metrics`` asks for it, if it does.

    Raises StartError: without both files, or beside *config_file*.
    """
    if not values[SECURED_METRICS]:
        return None
    if config_file:
        raise StartError(
            f"--web.secured-metrics and --web.config.file {config_file}: expected one "
            "of them; the file can name the same certificate (tls_server_config)"
        )
    pair = SSL_SERVER_CERT, SSL_SERVER_KEY
    if missing := [f"--{flag.name}" for flag in pair if not values[flag]]:
        raise StartError(f"--web.secured-metrics: expected {' and '.join(missing)}")
    certificate, key = (values[flag] for flag in pair)

    async def start() -> Protection:
        from exporters.nginx.secured_metrics import secured  # noqa: PLC0415 -- above

        return await secured(certificate, key)

    return start

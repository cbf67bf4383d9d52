"""The flags of php-fpm, and those of hipages' php-fpm_exporter that mean the same."""

from __future__ import annotations

from exporters.nginx.positive_duration import parse_positive_duration
from exporters.toolkit import flags
from exporters.toolkit.flags import Flag


SCRAPE_URI = flags.strings(
    "fpm.scrape-uri",
    "Where php-fpm serves its status page: tcp://host:port/path, unix:/socket:/path "
    "or unix:///socket;/path. Repeatable, or a list separated by commas or newlines. "
    "Without it php-fpm is not asked.",
    env="FPM_SCRAPE_URI",
)
TIMEOUT = Flag(
    "fpm.timeout",
    "How long one pool may take to answer. A scraper that announces less patience is "
    "answered in time.",
    5.0,
    parse_positive_duration,
    env="FPM_TIMEOUT",
    placeholder="5s",
)
FIX_PROCESS_COUNT = flags.boolean(
    "fpm.fix-process-count",
    "Count idle, active and all processes of a pool here: what php-fpm says of them "
    "may be wrong.",
    env="FPM_FIX_PROCESS_COUNT",
)
PROCESSES = flags.boolean(
    "fpm.processes",
    "Export ten series for each process of a pool.",
    default=True,
    env="FPM_PROCESSES",
)


def _unquoted(text: str) -> str:
    """Return *text* without quotes: hipages' exporter reads the list as CSV.

    In docker's files of variables and in compose's lists the quotes are a part of the
    value: ``- PHP_FPM_SCRAPE_URI="tcp://app:9000/status"``.
    """
    return text.replace('"', "")


# Not in the help: what is here keeps a command line of hipages' exporter working.
HIPAGES_SCRAPE_URI: Flag[tuple[str, ...]] = Flag(
    "phpfpm.scrape-uri",
    "As --fpm.scrape-uri.",
    (),
    _unquoted,
    env="PHP_FPM_SCRAPE_URI",
    repeatable=True,
    hidden=True,
)
HIPAGES_FIX_PROCESS_COUNT = flags.boolean(
    "phpfpm.fix-process-count",
    "As --fpm.fix-process-count.",
    env="PHP_FPM_FIX_PROCESS_COUNT",
    hidden=True,
)
FLAGS = (
    SCRAPE_URI,
    TIMEOUT,
    FIX_PROCESS_COUNT,
    PROCESSES,
    HIPAGES_SCRAPE_URI,
    HIPAGES_FIX_PROCESS_COUNT,
)

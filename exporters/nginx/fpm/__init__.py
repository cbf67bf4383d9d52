"""php-fpm over FastCGI: ``phpfpm_*`` as hipages' php-fpm_exporter names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporters.nginx.fpm import flags
from exporters.nginx.fpm.flags import FLAGS
from exporters.toolkit import version


if TYPE_CHECKING:
    from exporters.nginx.fpm.client import Lookup
    from exporters.nginx.fpm.collector import FpmCollector
    from exporters.nginx.metrics import Labels
    from exporters.toolkit.flags import Values


__all__ = ["FLAGS", "build_collector"]


def build_collector(
    values: Values, resolver: Lookup, const_labels: Labels | None = None
) -> FpmCollector | None:
    """Return what collects the pools that the flags name, None if they name none.

    All series have *const_labels*. Whether php-fpm answers plays no part. Raises
    StartError for a URI that cannot be read.
    """
    uris = (*values[flags.SCRAPE_URI], *values[flags.HIPAGES_SCRAPE_URI])
    if not uris:
        return None
    # Only now: whoever has no php-fpm does not pay for it.
    from exporters.nginx.fpm.client import FpmClient  # noqa: PLC0415
    from exporters.nginx.fpm.collector import FpmCollector, Settings  # noqa: PLC0415
    from exporters.nginx.fpm.targets import parse_fpm_targets  # noqa: PLC0415

    software = f"NGINX-Prometheus-Exporter/v{version.version()}"
    return FpmCollector(
        [FpmClient(target, resolver, software) for target in parse_fpm_targets(uris)],
        Settings(
            timeout_seconds=values[flags.TIMEOUT],
            fix_process_count=values[flags.FIX_PROCESS_COUNT]
            or values[flags.HIPAGES_FIX_PROCESS_COUNT],
            processes=values[flags.PROCESSES],
            const_labels=const_labels or {},
        ),
    )

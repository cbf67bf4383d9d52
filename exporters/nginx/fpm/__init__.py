"""php-fpm over FastCGI: ``phpfpm_*`` as hipages' php-fpm_exporter names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exporters.nginx.announce import announce
from exporters.nginx.fpm import flags
from exporters.nginx.fpm.flags import FLAGS, TIMEOUT
from exporters.toolkit import version


if TYPE_CHECKING:
    from collections.abc import Iterable

    from exporters.nginx.fpm.collector import FpmCollector
    from exporters.nginx.http.resolver import Lookup
    from exporters.nginx.metrics import Labels
    from exporters.toolkit.flags import Values


__all__ = ["FLAGS", "TIMEOUT", "build_collector", "collector_of"]


def build_collector(
    values: Values, resolver: Lookup, const_labels: Labels
) -> FpmCollector | None:
    """Return what collects the pools that the flags name, None if they name none.

    All series have *const_labels*. Whether php-fpm answers plays no part. Raises
    StartError for a URI that cannot be read.
    """
    uris = (*values[flags.SCRAPE_URI], *values[flags.HIPAGES_SCRAPE_URI])
    if not uris:
        return None
    collector = collector_of(uris, values, resolver, const_labels, values[TIMEOUT])
    announce("Asking php-fpm", collector.names)
    return collector


def collector_of(
    uris: Iterable[str],
    values: Values,
    resolver: Lookup,
    const_labels: Labels,
    timeout_seconds: float,
) -> FpmCollector:
    """Return what collects the pools at *uris* as the flags say; raise StartError."""
    # Only now: whoever has no php-fpm does not pay for it.
    from exporters.nginx.fpm.client import FpmClient  # noqa: PLC0415
    from exporters.nginx.fpm.collector import FpmCollector, Settings  # noqa: PLC0415
    from exporters.nginx.fpm.targets import parse_fpm_targets  # noqa: PLC0415

    software = f"NGINX-Prometheus-Exporter/v{version.version()}"
    settings = Settings(
        timeout_seconds=timeout_seconds,
        fix_process_count=values[flags.FIX_PROCESS_COUNT]
        or values[flags.HIPAGES_FIX_PROCESS_COUNT],
        processes=values[flags.PROCESSES],
        const_labels=const_labels,
    )
    targets = parse_fpm_targets(uris)
    clients = [FpmClient(target, resolver, software) for target in targets]
    return FpmCollector(clients, settings)

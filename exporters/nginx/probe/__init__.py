"""``/probe?target=…``: one exporter asks a thousand nginx, as blackbox_exporter does.

Asked for in nginx-prometheus-exporter #80, #229 and #1025. What may be asked is said
by ``--probe.allow``: without it, this is a way for everyone into the network behind
(redis_exporter #1104, blackbox_exporter #1639).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from exporters.nginx.announce import announce
from exporters.nginx.http.resolver import Resolver, resolver_threads
from exporters.nginx.probe.flags import ALLOW, FLAGS, MAX_CONCURRENT
from exporters.toolkit.errors import StartError
from exporters.toolkit.flags import Values
from exporters.toolkit.web import Application, Request, Response, text_answer


if TYPE_CHECKING:
    from exporters.nginx.probe.handler import Prober
    from exporters.nginx.probe.modules import Module

__all__ = ["FLAGS", "PATH", "add_probe", "open_prober"]

PATH = "/probe"

_OFF = (
    "Probes are off: say what may be probed, as --probe.allow=10.0.0.0/8 or "
    "--probe.allow=http://*.example.com:8080/stub_status (PROBE_ALLOW)\n"
)


@asynccontextmanager
async def open_prober(
    values: Values,
    modules: Callable[[], Mapping[str, Module]],
    *,
    default_module: str = "stub_status",
    timeout_seconds: float,
    openmetrics: bool = False,
) -> AsyncIterator[Prober | None]:
    """Return what answers probes, None if nothing may be probed.

    *modules* makes the ways to ask, the default among them, if there is any need.
    *timeout_seconds* is ``--nginx.timeout``. Raises StartError for a pattern that
    cannot be read.
    """
    allowed = values[ALLOW]
    if not any(value.strip(" ,\t\n") for value in allowed):
        yield None
        return
    # Only now: whoever probes nothing does not pay for it.
    from exporters.nginx.probe.gate import Gate  # noqa: PLC0415
    from exporters.nginx.probe.handler import Prober, Settings  # noqa: PLC0415
    from exporters.nginx.probe.patterns import parse_patterns  # noqa: PLC0415

    patterns = parse_patterns(allowed)
    announce(f"Answering {PATH} for what is allowed", (each.text for each in patterns))
    # Of their own: names of probes must not hold up those of --nginx.scrape-uri.
    executor = resolver_threads()
    settings = Settings(
        default_module, timeout_seconds, values[MAX_CONCURRENT], openmetrics
    )
    try:
        yield Prober(Gate(patterns, Resolver(executor)), modules(), settings)
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def add_probe(app: Application, prober: Prober | None) -> None:
    """Serve *prober* in *app*, or say there how to allow probes.

    Raises StartError where the metrics are served at the same path.
    """
    if PATH in app:
        if prober is None:
            return
        raise StartError(
            f"--web.telemetry-path={PATH}: expected another path, targets are probed "
            "there (--probe.allow)"
        )
    app.add(PATH, _off if prober is None else prober.handle)


async def _off(_: Request) -> Response:
    return text_answer(403, _OFF)

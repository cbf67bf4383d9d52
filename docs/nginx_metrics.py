"""Write docs/nginx-metrics.md: every metric of the nginx exporter, from the code.

`.venv/bin/python -m docs.nginx_metrics`; a test fails when the page is not what this
prints. Metrics are made of values that have everything once, and looked at.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import pkgutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Final, NamedTuple

from exporters.nginx.access_log.access_log import AccessLog
from exporters.nginx.access_log.counts.measures import MEASURES
from exporters.nginx.access_log.opened import open_access_logs
from exporters.nginx.access_log.plan import Plan
from exporters.nginx.access_log.settings import Settings
from exporters.nginx.access_log.sources.listen import parse_listen
from exporters.nginx.fpm.metrics import Reading, fpm_metrics
from exporters.nginx.fpm.status import Child, PoolStatus
from exporters.nginx.fpm.unix_queue import Queue
from exporters.nginx.metrics import nginx_metrics
from exporters.nginx.plus import tables
from exporters.nginx.plus.fields import NAMESPACE, Table
from exporters.nginx.probe.counts import ProbeCounts
from exporters.nginx.probe.handler import about
from exporters.nginx.stub_status import StubStatus
from exporters.toolkit.metric import Metric


PAGE: Final = Path(__file__).with_name("nginx-metrics.md")
HEAD: Final = """\
# Metrics of the nginx exporter

`python -m docs.nginx_metrics` writes this page. Each metric has the labels of
`--prometheus.const-label` too. Beside these there are `nginx_exporter_build_info`,
`process_*` and `promhttp_*`. What they mean and where they come from:
[nginx.md](nginx.md).
"""
WHOSE: Final = {
    "nginx": """\
Names are those of nginx-prometheus-exporter. With several URIs each has the label
`addr`.""",
    "NGINX Plus": """\
Names are those of nginx-prometheus-exporter, with `addr` likewise.""",
    "php-fpm": """\
Names are those of hipages' php-fpm_exporter; ours are in *italics*.""",
    "Access log": """\
Names are those of prometheus-nginxlog-exporter; ours are in *italics*. `host` is there
with `--accesslog.host`, beside the labels of the relabel table.""",
    "Probes": """\
The first two are blackbox_exporter's, in the answer to a probe; the rest is in
`/metrics` where probes are on.""",
}
# Those that no original has.
_OURS: Final = frozenset(
    {
        "phpfpm_memory_peak",
        "phpfpm_socket_listen_queue",
        "phpfpm_socket_listen_queue_length",
        "nginx_http_upstream_header_time_seconds_hist",
    }
)
# A line that has everything that is measured.
_LINE: Final = {
    "method": "GET",
    "status": 200,
    "host": "h",
    **{measure.fields[0]: 1 for measure in MEASURES},
}


class Row(NamedTuple):
    """One metric: its name, and the names of its labels."""

    name: str
    type: str
    labels: tuple[str, ...]
    help: str


def page() -> str:
    """Return the page as the code has it now."""
    parts = [HEAD]
    for title, rows in _sections():
        parts.append(f"## {title}\n\n{WHOSE[title]}\n")
        parts.append("\n".join(_table(rows)) + "\n")
    return "\n".join(parts)


def _sections() -> Iterator[tuple[str, Iterable[Row]]]:
    status = StubStatus(*(1 for _ in StubStatus._fields))
    yield "nginx", _rows(nginx_metrics([({}, status)]))
    yield "NGINX Plus", _plus()
    yield "php-fpm", _rows(_fpm())
    yield "Access log", _rows(asyncio.run(_access_log()))
    yield "Probes", _rows((*about(0, success=True), *asyncio.run(_probes())))


def _plus() -> Iterator[Row]:
    yield Row(f"{NAMESPACE}up", "gauge", (), "Status of the last metric scrape")
    modules = [
        importlib.import_module(f"{tables.__name__}.{info.name}")
        for info in pkgutil.iter_modules(tables.__path__)
    ]
    found = [
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, Table)
    ]
    for table in found:
        for field in table.fields:
            labels = (*table.labels, *(["code"] if field.code else []))
            yield Row(field.family(table.prefix), field.type, labels, field.help)


def _fpm() -> list[Metric]:
    measured = {field.name: 1.0 for field in fields(Child) if field.name != "state"}
    child = Child("Idle", **measured)
    numbers = {field.name: 1.0 for field in fields(PoolStatus)[1:-1]}
    status = PoolStatus(name="www", children=(child,), **numbers)
    return fpm_metrics([Reading("", "www", 0, status, Queue(1, 1))], processes=True)


async def _access_log() -> list[Metric]:
    log = AccessLog(Settings(hosts=("h",)))
    log.line(json.dumps(_LINE).encode())
    with tempfile.TemporaryDirectory() as folder:
        listens = (parse_listen("udp://127.0.0.1:0"),)
        plan = Plan(Settings(), files=(f"{folder}/access.log",), listens=listens)
        async with open_access_logs([plan], 0o600) as logs:
            return [*await log.collect(None), *await logs.collect(None)]


async def _probes() -> list[Metric]:
    return await ProbeCounts(["stub_status"]).collect(None)


def _rows(metrics: Iterable[Metric]) -> Iterator[Row]:
    for metric in metrics:
        labels = {
            name: None
            for sample in metric.samples
            for name in sample.labels
            if name not in {"le", "quantile"}
        }
        name = metric.name
        if metric.type == "counter" and metric.samples:
            name = metric.samples[0].name
        yield Row(name, metric.type, tuple(labels), metric.documentation)


def _table(rows: Iterable[Row]) -> Iterator[str]:
    yield "| metric | type | labels | HELP |"
    yield "|---|---|---|---|"
    for row in sorted(set(rows)):
        labels = ", ".join(f"`{name}`" for name in row.labels)
        name = f"`{row.name}`"
        if row.name in _OURS or row.name.startswith("nginx_exporter_"):
            name = f"*{name}*"
        yield f"| {name} | {row.type} | {labels} | {row.help} |"


if __name__ == "__main__":
    PAGE.write_text(page())

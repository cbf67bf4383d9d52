"""The file of ``--accesslog.config-file``: which access logs there are.

The format is that of prometheus-nginxlog-exporter's YAML file (``pkg/config``). That
program ignores keys it does not know; here they are a warning with its place, and an
error where they look like a slip of a known one. Its HCL is refused.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final, Literal

from exporters.nginx.access_log.access_log import AccessLog
from exporters.nginx.access_log.flags import DEFAULT_MAX_SERIES
from exporters.nginx.access_log.plan import DEFAULT_TAGS, Plan
from exporters.nginx.access_log.settings import (
    DEFAULT_FORMAT,
    Relabeling,
    Settings,
)
from exporters.nginx.access_log.sources.listen import Listen, parse_listen
from exporters.toolkit.decode import Problem, Scalar, decode
from exporters.toolkit.errors import StartError


log = logging.getLogger(__name__)

_HCL: Final = re.compile(
    rb'^\s*(?:namespace\s+"[^"]*"|listen|consul)\s*\{', re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class SyslogSource:
    """``source.syslog``. Every *format* is recognised whatever is said here."""

    listen_address: Annotated[Listen, Scalar("string", parse_listen)]
    format: Literal["", "auto", "rfc3164", "rfc5424", "rfc6587"] = "auto"
    tags: tuple[str, ...] = DEFAULT_TAGS


@dataclass(frozen=True, slots=True)
class Source:
    """``source``: where the lines come from."""

    files: tuple[str, ...] = ()
    syslog: SyslogSource | None = None


@dataclass(frozen=True, slots=True)
class MetricsOverride:
    """``metrics_override``: the prefix of the metrics, if not the name."""

    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Namespace:
    """One of ``namespaces``; *hosts* and *max_series* are not upstream's."""

    name: str = ""
    metrics_override: MetricsOverride | None = None
    namespace_label: str = ""
    source: Source = field(default_factory=Source)
    source_files: tuple[str, ...] = ()
    parser: Literal["", "text", "json"] = "text"
    format: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    relabel_configs: tuple[Relabeling, ...] = ()
    histogram_buckets: tuple[float, ...] = ()
    print_log: bool = False
    hosts: tuple[str, ...] = ()
    max_series: int = DEFAULT_MAX_SERIES

    def settings(self) -> Settings:
        """Return what the metrics are made of."""
        override, label = self.metrics_override, self.namespace_label
        return Settings(
            name=self.name,
            prefix=self.name if override is None else override.prefix,
            const_labels={label: self.name} if label else {},
            labels=self.labels,
            relabel_configs=self.relabel_configs,
            histogram_buckets=self.histogram_buckets,
            parser=self.parser or "text",
            format=self.format or DEFAULT_FORMAT,
            hosts=self.hosts,
            max_series=self.max_series,
        )

    def plan(self) -> Plan:
        """Return what is to be done for this namespace."""
        syslog = self.source.syslog
        return Plan(
            settings=self.settings(),
            # As upstream, source_files is the older name, and wins.
            files=self.source_files or self.source.files,
            listens=() if syslog is None else (syslog.listen_address,),
            tags=DEFAULT_TAGS if syslog is None else syslog.tags or DEFAULT_TAGS,
            print_log=self.print_log,
        )

    def problems(self) -> Iterator[Problem]:
        """Yield what only a look at the whole namespace tells."""
        try:
            AccessLog(self.settings())
        except StartError as error:
            yield Problem(str(error))


@dataclass(frozen=True, slots=True)
class ListenSection:
    """``listen``: where upstream serves its metrics; here flags say it."""

    port: int = 4040
    address: str = "0.0.0.0"
    metrics_endpoint: str = "/metrics"


@dataclass(frozen=True, slots=True)
class Config:
    """The whole file."""

    ACCEPTED: ClassVar[frozenset[str]] = frozenset(
        {"consul", "enable_experimental", "enableexperimentalfeatures"}
    )

    namespaces: tuple[Namespace, ...] = ()
    listen: ListenSection | None = None


def load(file: str) -> tuple[Plan, ...]:
    """Return what *file* asks for; raises StartError."""
    try:
        with open(file, "rb") as opened:
            data = opened.read()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StartError(f"open {file}: {reason.lower()}") from error
    return parse(data, file)


def parse(data: bytes, file: str) -> tuple[Plan, ...]:
    """Return what *data*, the content of *file*, asks for; raises StartError."""
    if file.endswith(".hcl") or _HCL.search(data):
        raise StartError(
            f"{file}: HCL is not supported, expected the same settings as YAML: "
            "namespaces: [{name: …, source: …}]"
        )
    warnings: list[str] = []
    config = decode(data, Config, file, warnings, lenient=True)
    for warning in warnings:
        log.warning("%s", warning)
    if (listen := config.listen) is not None:
        log.warning(
            "%s: listen: has no effect here, expected --web.listen-address=%s:%d "
            "--web.telemetry-path=%s",
            *(file, listen.address, listen.port, listen.metrics_endpoint),
        )
    if not config.namespaces:
        raise StartError(f"{file}: expected namespaces, found none")
    return tuple(namespace.plan() for namespace in config.namespaces)

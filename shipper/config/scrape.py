"""The ``scrape_configs`` of promtail's config file (promtail scrapeconfig)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from exporters.toolkit.decode import Problem
from shipper.config.duration import PrometheusDuration
from shipper.config.http_client import HttpClientConfig
from shipper.config.refused import REFUSED_SOURCES
from shipper.config.static import StaticConfig
from shipper.pipeline.stages import StageEntry
from shipper.relabel import RelabelConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One filter of Docker's container list."""

    name: str = ""
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerSDConfig(HttpClientConfig):
    """One Docker daemon (prometheus discovery/moby/docker.go). Times are seconds."""

    host: str = ""
    port: int = 80
    filters: tuple[Filter, ...] = ()
    host_networking_host: str = "localhost"
    refresh_interval: PrometheusDuration = 60.0
    match_first_network: bool = True

    def problems(self) -> Iterator[Problem]:
        yield from HttpClientConfig.problems(self)
        if not self.host:
            yield Problem("host missing", ("host",))
        elif "://" not in self.host:
            yield Problem(
                "host: expected unix://, tcp://, http:// or https:// in front",
                ("host",),
            )
        if self.refresh_interval <= 0:
            yield Problem(
                "refresh_interval must be greater than 0", ("refresh_interval",)
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapeConfig:
    """One job: where lines come from and how their labels are made."""

    job_name: str = ""
    pipeline_stages: tuple[StageEntry, ...] = ()
    docker_sd_configs: tuple[DockerSDConfig, ...] = ()
    static_configs: tuple[StaticConfig, ...] = ()
    relabel_configs: tuple[RelabelConfig, ...] = ()

    REFUSED: ClassVar[Mapping[str, str]] = REFUSED_SOURCES

    def problems(self) -> Iterator[Problem]:
        if not self.job_name:
            yield Problem("job_name is empty", ("job_name",))
        if not self.docker_sd_configs and not self.static_configs:
            yield Problem(
                f'no valid target scrape config defined for "{self.job_name}"'
            )

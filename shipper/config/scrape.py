"""The ``scrape_configs`` of promtail's config file (promtail scrapeconfig)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Final

from exporters.toolkit.decode import Problem
from shipper.config.duration import PrometheusDuration
from shipper.config.files import DecompressionConfig, Encoding, FileSDConfig
from shipper.config.http_client import HttpClientConfig
from shipper.config.journal import JournalConfig
from shipper.config.push import PushConfig
from shipper.config.refused import REFUSED_SOURCES
from shipper.config.static import StaticConfig
from shipper.config.syslog import SyslogConfig
from shipper.pipeline.stages import StageEntry
from shipper.relabel import RelabelConfig


SOURCES: Final = MappingProxyType(
    {
        "static_configs": "files",
        "file_sd_configs": "files",
        "journal": "the journal",
        "syslog": "syslog",
        "loki_push_api": "loki_push_api",
        "docker_sd_configs": "Docker",
    }
)
"""What a job can read, in the order in which promtail looks; it takes the first."""


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

    @property
    def unsupported(self) -> tuple[str, ...]:
        """Return what is not done for http hosts; others have no use for it."""
        http = self.host.startswith(("http://", "https://"))
        return ("oauth2", "proxy_url", "proxy_from_environment") if http else ()

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
    file_sd_configs: tuple[FileSDConfig, ...] = ()
    encoding: Encoding = ""
    decompression: DecompressionConfig | None = None
    journal: JournalConfig | None = None
    syslog: SyslogConfig | None = None
    loki_push_api: PushConfig | None = None
    relabel_configs: tuple[RelabelConfig, ...] = ()

    REFUSED: ClassVar[Mapping[str, str]] = REFUSED_SOURCES

    def problems(self) -> Iterator[Problem]:
        if not self.job_name:
            yield Problem("job_name is empty", ("job_name",))
        if not any(getattr(self, key) for key in SOURCES):
            yield Problem(
                f'no valid target scrape config defined for "{self.job_name}"'
            )

"""promtail's config file as frozen dataclasses (promtail config/config.go).

Keys, defaults and checks are promtail's. ``load.py`` fills these from YAML; the
sections that the HTTP clients share are in ``http_client.py``, the server's in
``server.py``, a relabelling rule is ``shipper.relabel.RelabelConfig``.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from exporters.toolkit.decode import Problem, Secret
from shipper.config.duration import GoDuration, PrometheusDuration
from shipper.config.http_client import NOT_YET, BasicAuth, HttpClientConfig
from shipper.config.server import ServerConfig
from shipper.config.static import StaticConfig, TargetConfig
from shipper.config.url import ClientUrl, Url
from shipper.files.target import PATH
from shipper.relabel import RelabelConfig, is_label_name


@dataclass(frozen=True, slots=True, kw_only=True)
class BackoffConfig:
    """How long to wait between attempts, and how often to try.

    *max_retries* counts attempts; 0 and None try for ever. None, not promtail's 10, is
    what stands when nobody set it: who did not choose to lose lines loses none.
    """

    min_period: GoDuration = 0.5
    max_period: GoDuration = 300.0
    max_retries: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientConfig(HttpClientConfig):
    """One Loki to push to (promtail client/config.go). Times are seconds."""

    url: Url = field(default_factory=ClientUrl)
    name: str = ""
    batchwait: GoDuration = 1.0
    batchsize: int = 1024 * 1024
    timeout: GoDuration = 10.0
    backoff_config: BackoffConfig = field(default_factory=BackoffConfig)
    external_labels: Mapping[str, str] = field(default_factory=dict)
    tenant_id: str = ""
    headers: Mapping[str, Secret] = field(default_factory=dict)
    drop_rate_limited_batches: bool = False

    @property
    def label(self) -> str:
        """Return *name*, or a short hash that tells unnamed clients apart."""
        secrets = [self.url.password, self.bearer_token, *self.headers.values()]
        if self.basic_auth:
            secrets.append(self.basic_auth.password)
        if self.authorization:
            secrets.append(self.authorization.credentials)
        parts = [repr(replace(self, name="")), *(item.reveal() for item in secrets)]
        return self.name or hashlib.sha256("\0".join(parts).encode()).hexdigest()[:6]

    @property
    def login(self) -> BasicAuth | None:
        """Return the basic auth to send: the URL's before the section's, as in Go."""
        if self.url.username or self.url.password:
            return BasicAuth(username=self.url.username, password=self.url.password)
        return self.basic_auth

    def problems(self) -> Iterator[Problem]:
        yield from HttpClientConfig.problems(self)
        for name in self.external_labels:
            if not is_label_name(name):
                text = f'"{name}" is not a valid label name'
                yield Problem(text, ("external_labels", name))
        for key in ("batchwait", "timeout", "batchsize"):
            if getattr(self, key) <= 0:
                yield Problem(f"{key} must be greater than 0", (key,))


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionsConfig:
    """Where and how often positions are written. Times are seconds."""

    filename: str = "/var/log/positions.yaml"
    sync_period: GoDuration = 10.0
    ignore_invalid_yaml: bool = False


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


_NOT_YET_IN_JOBS = (
    "file_sd_configs",
    "journal",
    "syslog",
    "gcplog",
    "loki_push_api",
    "windows_events",
    "kafka",
    "azure_event_hubs",
    "gelf",
    "cloudflare",
    "heroku_drain",
    "dns_sd_configs",
    "consul_sd_configs",
    "consulagent_sd_configs",
    "digitalocean_sd_configs",
    "dockerswarm_sd_configs",
    "serverset_sd_configs",
    "nerve_sd_configs",
    "marathon_sd_configs",
    "kubernetes_sd_configs",
    "gce_sd_configs",
    "ec2_sd_configs",
    "openstack_sd_configs",
    "azure_sd_configs",
    "triton_sd_configs",
    "pipeline_stages",
    "encoding",
    "decompression",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapeConfig:
    """One job: where lines come from and how their labels are made."""

    job_name: str = ""
    docker_sd_configs: tuple[DockerSDConfig, ...] = ()
    static_configs: tuple[StaticConfig, ...] = ()
    relabel_configs: tuple[RelabelConfig, ...] = ()

    REFUSED: ClassVar[Mapping[str, str]] = dict.fromkeys(_NOT_YET_IN_JOBS, NOT_YET)

    def problems(self) -> Iterator[Problem]:
        if not self.job_name:
            yield Problem("job_name is empty", ("job_name",))
        if not self.docker_sd_configs and not self.static_configs:
            yield Problem(
                f'no valid target scrape config defined for "{self.job_name}"'
            )
        if PATH in (rule.target_label for rule in self.relabel_configs):
            return
        for index, item in enumerate(self.static_configs):
            if not item.labels.get(PATH):
                text = f"{PATH} missing among the labels: which files are to be read?"
                yield Problem(text, ("static_configs", index))


@dataclass(frozen=True, slots=True, kw_only=True)
class WalConfig:
    """promtail's write-ahead log, which never left its experiment (loki#8197)."""

    ACCEPTED: ClassVar[frozenset[str]] = frozenset(
        {"dir", "cleansegmentsolderthan", "watchconfig"}
    )
    REFUSED: ClassVar[Mapping[str, str]] = {
        "enabled": "experimental in promtail and not needed here: lines stay in "
        "Docker's log files until Loki has them"
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """promtail's empty section ``options``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole file. *client* is the deprecated single client."""

    server: ServerConfig = field(default_factory=ServerConfig)
    client: ClientConfig | None = None
    clients: tuple[ClientConfig, ...] = ()
    positions: PositionsConfig = field(default_factory=PositionsConfig)
    scrape_configs: tuple[ScrapeConfig, ...] = ()
    target_config: TargetConfig = field(default_factory=TargetConfig)
    options: Options = field(default_factory=Options)
    wal: WalConfig = field(default_factory=WalConfig)

    ACCEPTED: ClassVar[frozenset[str]] = frozenset({"global", "tracing"})
    REFUSED: ClassVar[Mapping[str, str]] = {"limits_config": NOT_YET}

    @property
    def all_clients(self) -> tuple[ClientConfig, ...]:
        """Return the clients to push to, as promtail's Config.Setup puts them.

        The deprecated ``client`` comes last if it has a URL; its external labels go
        under those of every other client.
        """
        if self.client is None:
            return self.clients
        under = self.client.external_labels
        merged = tuple(
            replace(client, external_labels={**under, **client.external_labels})
            for client in self.clients
        )
        return (*merged, self.client) if self.client.url.text else merged

    def problems(self) -> Iterator[Problem]:
        jobs = Counter(job.job_name for job in self.scrape_configs)
        for index, job in enumerate(self.scrape_configs):
            if jobs[job.job_name] > 1:
                jobs[job.job_name] = 0  # told once, at the first
                text = f'found multiple scrape configs with job name "{job.job_name}"'
                yield Problem(text, ("scrape_configs", index, "job_name"))
        if not self.all_clients:
            yield Problem("at least one client config must be provided")
        for index, client in enumerate(self.clients):
            if not client.url.text:
                yield Problem("client needs target URL", ("clients", index, "url"))
        labels = [client.label for client in self.all_clients]
        for index, client in enumerate(self.all_clients):
            if client.label in labels[:index]:
                yield Problem(
                    "duplicate client configs are not allowed, found duplicate for "
                    f"name: {client.label}",
                    ("clients", index),
                )

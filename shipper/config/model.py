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
from typing import ClassVar, Literal

from exporters.toolkit.decode import Problem, Secret
from shipper.config.duration import GoDuration
from shipper.config.files import GlobalConfig
from shipper.config.http_client import BasicAuth, HttpClientConfig, secrets_in
from shipper.config.http_headers import header_problem
from shipper.config.limits import LimitsConfig
from shipper.config.scrape import ScrapeConfig
from shipper.config.server import ServerConfig
from shipper.config.static import TargetConfig
from shipper.config.url import ClientUrl, Url
from shipper.relabel import label_problems


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
    push_encoding: Literal["protobuf", "json"] = "protobuf"  # ours, not promtail's

    @property
    def unsupported(self) -> tuple[str, ...]:
        """Return nothing: a client of Loki does all that the keys say."""
        return ()

    @property
    def label(self) -> str:
        """Return *name*, or a short hash that tells unnamed clients apart."""
        parts = [repr(replace(self, name="")), *secrets_in(self)]
        return self.name or hashlib.sha256("\0".join(parts).encode()).hexdigest()[:6]

    @property
    def login(self) -> BasicAuth | None:
        """Return the basic auth to send: the URL's before the section's, as in Go."""
        if self.url.username or self.url.password:
            return BasicAuth(username=self.url.username, password=self.url.password)
        return self.basic_auth

    def problems(self) -> Iterator[Problem]:
        yield from HttpClientConfig.problems(self)
        yield from label_problems(self.external_labels, "external_labels")
        for name, value in self.headers.items():
            if unfit := header_problem(name, (value.reveal(),)):
                yield Problem(unfit, ("headers", name))
        if unfit := header_problem("tenant_id", (self.tenant_id,)):
            yield Problem(unfit, ("tenant_id",))
        if self.timeout <= 0:
            yield Problem("timeout must be greater than 0", ("timeout",))
        for key in ("batchwait", "batchsize"):  # 0: every line goes at once, alone
            if getattr(self, key) < 0:
                yield Problem(f"{key} must not be negative", (key,))


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionsConfig:
    """Where and how often positions are written. Times are seconds."""

    filename: str = "/var/log/positions.yaml"
    sync_period: GoDuration = 10.0
    ignore_invalid_yaml: bool = False


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
    global_: GlobalConfig = field(default_factory=GlobalConfig)
    limits_config: LimitsConfig = field(default_factory=LimitsConfig)
    options: Options = field(default_factory=Options)
    wal: WalConfig = field(default_factory=WalConfig)

    ACCEPTED: ClassVar[frozenset[str]] = frozenset({"tracing"})

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

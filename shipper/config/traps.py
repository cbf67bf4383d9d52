"""What promtail accepts without a word and people are hurt by: ``-check-syntax``.

Each is a warning; the configuration works all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from shipper.config.model import Config
from shipper.config.scrape import SOURCES, ScrapeConfig
from shipper.files.target import PATH
from shipper.pipeline.pipeline import NamedConfig


class Trap(NamedTuple):
    """One warning; *at_start*: say it also when the program starts."""

    text: str
    at_start: bool = False


# Names under which values without end come: every one makes a stream of its own.
_MANY_VALUES: Final = re.compile(
    r"(?:^|_)(?:id|uuid|guid|ip|addr|address|port|pid|time|timestamp|ts|date|duration|"
    r"latency|url|uri|path|request|query|referer|agent|user|email|session|token|trace|"
    r"span|msg|message|line|offset)$",
    re.IGNORECASE,
)


def traps(config: Config) -> list[Trap]:
    """Return what to warn about in *config*."""
    return [*_about_program(config), *_about_jobs(config.scrape_configs)]


def _about_program(config: Config) -> Iterator[Trap]:
    name = config.positions.filename
    if name.startswith(("/tmp/", "/var/tmp/")):  # noqa: S108 - asked about, not used
        yield Trap(
            f"positions: {name} is gone when a container is created anew; all logs are "
            "read from their beginning then: put it on a volume"
        )
    if not config.server.disable and config.server.http_listen_port == 80:
        yield Trap("server: http_listen_port is 80, as promtail's default is, not 9080")
    for client in config.all_clients:
        where = f"client {client.name or client.url.host}"
        if client.backoff_config.max_retries:
            yield Trap(
                f"{where}: max_retries {client.backoff_config.max_retries} gives lines "
                "up when Loki is away for longer than that; leave it out to lose none"
            )
        if client.drop_rate_limited_batches:
            yield Trap(f"{where}: drop_rate_limited_batches loses what Loki limits")
        if 0 < client.batchwait < 1e-3:
            yield Trap(f"{where}: batchwait has no unit: it is nanoseconds then")


def _about_jobs(jobs: Iterable[ScrapeConfig]) -> Iterator[Trap]:
    for job in jobs:
        where = f"job {job.job_name}"
        yield from _about_sources(job, where)
        yield from _about_paths(job, where)
        yield from _about_docker(job, where)
        yield from _about_rules(job, where)
        for name, stage in _all_stages(job.pipeline_stages):
            yield from _about_stage(
                name, stage, where, docker=bool(job.docker_sd_configs)
            )


def _about_sources(job: ScrapeConfig, where: str) -> Iterator[Trap]:
    kinds = list(dict.fromkeys(SOURCES[key] for key in SOURCES if getattr(job, key)))
    if len(kinds) > 1:
        yield Trap(
            f"{where}: promtail reads only {kinds[0]} here and ignores "
            f"{', '.join(kinds[1:])} without a word; this reads all of them",
            at_start=True,
        )


def _about_docker(job: ScrapeConfig, where: str) -> Iterator[Trap]:
    if not all(daemon.match_first_network for daemon in job.docker_sd_configs):
        yield Trap(
            f"{where}: match_first_network: false makes promtail take any network of a "
            "container; here it is the first one by name all the same"
        )


def _about_paths(job: ScrapeConfig, where: str) -> Iterator[Trap]:
    if PATH in (rule.target_label for rule in job.relabel_configs):
        return
    if any(not item.labels.get(PATH) for item in job.static_configs):
        yield Trap(
            f"{where}: static_configs without the label {PATH} name no files to read",
            at_start=True,
        )


def _about_rules(job: ScrapeConfig, where: str) -> Iterator[Trap]:
    actions = {rule.action for rule in job.relabel_configs}
    dropping = actions & {"keep", "drop", "keepequal", "dropequal"}
    if job.docker_sd_configs and dropping:
        yield Trap(
            f"{where}: with Docker promtail ignores {', '.join(sorted(dropping))} and "
            "ships the lines without labels; here they drop (loki#8620)",
            at_start=True,
        )
    if job.docker_sd_configs and not job.relabel_configs and not job.pipeline_stages:
        yield Trap(f"{where}: no rule makes a label: all containers are one stream")
    for rule in job.relabel_configs:
        if rule.action == "replace" and rule.target_label in {"container_id", "id"}:
            yield Trap(
                f"{where}: label {rule.target_label} makes a new stream of every "
                "container that is created"
            )


def _about_stage(name: str, stage: Any, where: str, *, docker: bool) -> Iterator[Trap]:
    if name == "docker" and docker:
        yield Trap(
            f"{where}: stage docker is for Docker's JSON files; what docker_sd_configs "
            "reads is unpacked already, and an application's JSON line with a key log "
            "or time has its text or time replaced by it"
        )
    elif name == "pack" and stage.ingest_timestamp:
        yield Trap(
            f"{where}: stage pack sets every time to now; ingest_timestamp: false "
            "keeps the line's own (loki#6133)"
        )
    elif name == "limit" and not stage.drop:
        yield Trap(f"{where}: stage limit without drop: true holds the whole job back")
    elif name == "geoip":
        yield Trap(f"{where}: stage geoip makes labels, a stream for every place")
    elif name == "labels":
        many = [label for label in stage.sources if _MANY_VALUES.search(label)]
        if many:
            yield Trap(
                f"{where}: stage labels: {', '.join(many)}: a label with many values "
                "makes as many streams; structured_metadata does not"
            )


def _all_stages(stages: Iterable[NamedConfig]) -> Iterator[NamedConfig]:
    """Yield *stages* and, behind each, those that are nested in it."""
    for name, stage in stages:
        yield name, stage
        yield from _all_stages(getattr(stage, "stages", ()))


def unexpanded(data: bytes) -> list[Trap]:
    """Return a warning when *data* has variables and nothing will expand them."""
    text = data.decode("utf-8", "replace")
    names = dict.fromkeys(re.findall(r"\$\{([A-Z][A-Z0-9_]*)[}:]", text))
    if not names:
        return []
    shown = ", ".join(names)
    return [Trap(f"${{…}} of {shown} stays as written without -config.expand-env")]

"""Answer ``/probe?target=…`` (blackbox_exporter ``prober/handler.go``)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from exporters.nginx.patience import time_limit
from exporters.nginx.probe.counts import ProbeCounts
from exporters.nginx.probe.errors import (
    Busy,
    ProbeRefused,
    UnknownModule,
    UnreadableTarget,
)
from exporters.nginx.probe.gate import Admission, Gate
from exporters.nginx.probe.modules import Module, succeeded
from exporters.nginx.probe.record import Note, Record
from exporters.nginx.probe.target import Asked, read_target
from exporters.toolkit.gotext import quote
from exporters.toolkit.http.request import Request
from exporters.toolkit.http.response import Response, text_answer
from exporters.toolkit.metric import GaugeMetricFamily, Metric
from exporters.toolkit.promhttp import Scrape, metrics_answer, parse_scrape


# What is left to a module when a lookup took all the time.
_LEAST_SECONDS = 0.1
# Modules keep their time themselves; this is for one that does not.
_GRACE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What the flags say; *timeout_seconds* is ``--nginx.timeout``, 0 for none."""

    default_module: str
    timeout_seconds: float
    max_concurrent: int
    openmetrics: bool


@dataclass(frozen=True, slots=True)
class Probe:
    """One probe as it was asked for."""

    name: str
    module: Module
    asked: Asked
    limit_seconds: float


class Prober:
    """Ask what *gate* lets in by one of *modules*."""

    def __init__(
        self, gate: Gate, modules: Mapping[str, Module], settings: Settings
    ) -> None:
        self._gate = gate
        self._modules = modules
        self._settings = settings
        self.counts = ProbeCounts(modules)

    async def handle(self, request: Request) -> Response:
        """Answer *request*, of any method: only the query counts."""
        try:
            with self.counts.probing():
                return await self._answer(request)
        except ProbeRefused as refusal:
            self.counts.refused(refusal.reason)
            return text_answer(refusal.status, f"{refusal}\n")

    async def _answer(self, request: Request) -> Response:
        most = self._settings.max_concurrent
        if 0 < most < self.counts.in_flight:
            raise Busy(f"Limit of concurrent probes reached ({most}), try again later.")
        scrape = parse_scrape(request)
        probe = self._read(scrape)
        if _first(scrape, "debug") == "true":
            return text_answer(200, await self._debug(probe))
        families, _ = await self._run(probe, _no_note)
        return metrics_answer(
            request,
            families,
            [],
            names=scrape.query.get("name[]"),
            openmetrics=self._settings.openmetrics,
        )

    async def _debug(self, probe: Probe) -> str:
        record = Record(module=probe.name, target=probe.asked.text)
        with record.listening():
            families, admission = await self._run(probe, record.note)
        settings = {
            "module": probe.name,
            "target": probe.asked.text,
            "allowed_by": admission.pattern,
            "timeout": f"{probe.limit_seconds:g}s",
        }
        return record.page(families, settings)

    def _read(self, scrape: Scrape) -> Probe:
        name = _first(scrape, "module") or self._settings.default_module
        module = self._modules.get(name)
        if module is None:
            known = ", ".join(self._modules)
            raise UnknownModule(f"Unknown module {quote(name[:100])}, known: {known}")
        target = _first(scrape, "target")
        if not target:
            raise UnreadableTarget("Target parameter is missing")
        asked = read_target(target, module.schemes[0])
        if asked.scheme not in module.schemes:
            raise UnreadableTarget(
                f"Target {asked.text!r}: module {name} asks "
                f"{', '.join(module.schemes)}, not {asked.scheme}"
            )
        limit = time_limit(self._settings.timeout_seconds, scrape.timeout_seconds)
        return Probe(name, module, asked, limit)

    async def _run(self, probe: Probe, note: Note) -> tuple[list[Metric], Admission]:
        began = time.perf_counter()
        note("Beginning probe", timeout_seconds=probe.limit_seconds)
        admission = await self._gate.admit(probe.asked, probe.limit_seconds)
        for address in admission.addresses:
            note("Resolved target address", ip=address)
        taken = time.perf_counter() - began
        left = max(round(probe.limit_seconds - taken, 2), _LEAST_SECONDS)
        async with asyncio.timeout(left + _GRACE_SECONDS):
            families = await probe.module.ask(admission.uri, left, admission.resolver)
        seconds, success = time.perf_counter() - began, succeeded(families)
        self.counts.made(probe.name, success=success)
        note("Probe succeeded" if success else "Probe failed", duration_seconds=seconds)
        return [*about(seconds, success=success), *families], admission


def _no_note(message: str, **fields: object) -> None:
    """Take a line that nobody asked for."""


def _first(scrape: Scrape, name: str) -> str:
    """Return the first parameter *name*, as Go's Values.Get does; "" without any."""
    return next(iter(scrape.query.get(name, ())), "")


def about(seconds: float, *, success: bool) -> list[Metric]:
    """Return the families that a probe answers beside those of its module."""
    return [
        GaugeMetricFamily(
            "probe_success",
            "Displays whether or not the probe was a success",
            float(success),
        ),
        GaugeMetricFamily(
            "probe_duration_seconds",
            "Returns how long the probe took to complete in seconds",
            seconds,
        ),
    ]

"""A prober behind a real server, and a resolver that answers what a test wants."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import ClientResponse, ClientSession

from exporters.nginx.http.client import Network
from exporters.nginx.http.resolver import Found, Lookup
from exporters.nginx.probe import add_probe
from exporters.nginx.probe.gate import Gate
from exporters.nginx.probe.handler import Prober, Settings
from exporters.nginx.probe.modules import Module, stub_status
from exporters.nginx.probe.patterns import parse_patterns
from exporters.toolkit import web
from exporters.toolkit.metric import Metric
from tests.served import served


Answers = Mapping[str, Iterable[str] | OSError]


@dataclass
class Names:
    """Know the names of *answers*; note what was looked up."""

    answers: Answers = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    held: asyncio.Event = field(default_factory=asyncio.Event)
    entered: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.held.set()

    async def resolve(
        self, host: str, port: int, family: int = socket.AF_UNSPEC
    ) -> list[Found]:
        self.asked.append(host)
        self.entered.set()
        await self.held.wait()
        answer = self.answers.get(host)
        if answer is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if isinstance(answer, OSError):
            raise answer
        return [
            Found(socket.AF_INET6 if ":" in literal else socket.AF_INET, literal, port)
            for literal in answer
        ]


def network() -> Network:
    """What is not the gate's: a resolver that nobody may ask."""
    return Network(Names(), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), "test")


@dataclass
class Exporter:
    """An exporter that serves /probe."""

    session: ClientSession
    prober: Prober | None
    names: Names

    async def get(self, target: str | None = None, **query: str) -> tuple[int, str]:
        """Return status and text of the answer."""
        response = await self.ask(target, query=query)
        return response.status, await response.text()

    async def ask(
        self,
        target: str | None = None,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> ClientResponse:
        """Return the whole answer, read to its end."""
        given = {} if target is None else {"target": target}
        async with self.session.request(
            method, "/probe", params={**given, **(query or {})}, headers=headers
        ) as response:
            await response.read()
            return response


def prober_of(
    allow: Sequence[str],
    names: Lookup,
    modules: Mapping[str, Module],
    *,
    timeout_seconds: float = 30.0,
    max_concurrent: int = 0,
) -> Prober:
    """Return what probes what *allow* says; the first of *modules* is the default."""
    settings = Settings(
        default_module=next(iter(modules)),
        timeout_seconds=timeout_seconds,
        max_concurrent=max_concurrent,
        openmetrics=False,
    )
    return Prober(Gate(parse_patterns(allow), names), modules, settings)


def app_with(prober: Prober | None) -> web.Application:
    """Return the application of an exporter that has nothing else to tell."""

    async def gather(_: web.Scrape) -> list[Metric]:
        return []

    app = web.exporter_app(name="nginx_exporter", description="", gather=gather)
    add_probe(app, prober)
    return app


@asynccontextmanager
async def exporter(
    *allow: str,
    answers: Answers | None = None,
    modules: Mapping[str, Module] | None = None,
    timeout_seconds: float = 30.0,
    max_concurrent: int = 0,
    labels: Mapping[str, str] | None = None,
) -> AsyncIterator[Exporter]:
    """Serve probes of what *allow* says."""
    names = Names(answers or {})
    modules = modules or {"stub_status": stub_status(network(), labels or {})}
    prober = None
    if allow:
        prober = prober_of(
            allow,
            names,
            modules,
            timeout_seconds=timeout_seconds,
            max_concurrent=max_concurrent,
        )
    async with (
        served(app_with(prober)) as url,
        ClientSession(url) as session,
    ):
        yield Exporter(session, prober, names)

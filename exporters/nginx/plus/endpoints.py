"""Say which endpoints are asked, since when they exist, and which records they hold.

Upstream counterpart: the versions in nginx-plus-go-client ``client/nginx.go``; the
ways through the documents are Collect's in ``collector/nginx_plus.go``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from .document import DocumentError, Where, items, mapping, text
from .fields import Table
from .numbers import uint
from .tables import general, http, stream


class Record(NamedTuple):
    """One object of a document: its *table*, its labels' *values*, *where* it is."""

    table: Table
    values: tuple[str, ...]
    content: object
    where: Where


Records = Callable[[object], Iterator[Record]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A *path* below the version, the version that it came with, what it holds."""

    path: str
    since: int
    records: Records


def _one(table: Table, document: object) -> Iterator[Record]:
    yield Record(table, (), document, ())


def _named(table: Table, document: object) -> Iterator[Record]:
    for name, content in mapping(document, ()).items():
        yield Record(table, (text(name, ()),), content, (name,))


def _upstreams(server: Table, group: Table, document: object) -> Iterator[Record]:
    for name, content in mapping(document, ()).items():
        label = text(name, ())
        peers = mapping(content, (name,)).get("peers")
        for at, peer in enumerate(items(peers, (name, "peers"))):
            where = (name, "peers", at)
            address = mapping(peer, where).get("server")
            values = (label, text(address, (*where, "server")))
            yield Record(server, values, peer, where)
        yield Record(group, (label,), content, (name,))


def _zone_sync(document: object) -> Iterator[Record]:
    content = mapping(document, ())
    for name, zone in mapping(content.get("zones"), ("zones",)).items():
        yield Record(stream.ZONE_SYNC_ZONE, (text(name, ()),), zone, ("zones", name))
    yield Record(stream.ZONE_SYNC_STATUS, (), content.get("status"), ("status",))


def _workers(document: object) -> Iterator[Record]:
    for at, worker in enumerate(items(document, ())):
        # Upstream's id is the place in the list, not the field of that name.
        pid = mapping(worker, (at,)).get("pid")
        try:
            uint(pid)
        except ValueError as error:
            raise DocumentError((at, "pid"), str(error), pid) from None
        yield Record(general.WORKER, (str(at), str(pid or 0)), worker, (at,))


def _endpoint(path: str, since: int, table: Table) -> Endpoint:
    return Endpoint(path, since, partial(_named if table.labels else _one, table))


HTTP = (
    _endpoint("http/requests", 1, http.REQUESTS),
    _endpoint("http/server_zones", 1, http.SERVER_ZONE),
    _endpoint("http/location_zones", 5, http.LOCATION_ZONE),
    Endpoint(
        "http/upstreams", 1, partial(_upstreams, http.UPSTREAM_SERVER, http.UPSTREAM)
    ),
    _endpoint("http/limit_reqs", 6, http.LIMIT_REQUEST),
    _endpoint("http/limit_conns", 6, http.LIMIT_CONNECTION),
    _endpoint("http/caches", 1, http.CACHE),
    _endpoint("ssl", 1, general.SSL_TOTALS),
    _endpoint("resolvers", 5, general.RESOLVER),
    Endpoint("workers", 9, _workers),
)
STREAM = (
    _endpoint("stream/server_zones", 1, stream.SERVER_ZONE),
    Endpoint(
        "stream/upstreams",
        1,
        partial(_upstreams, stream.UPSTREAM_SERVER, stream.UPSTREAM),
    ),
    _endpoint("stream/limit_conns", 6, stream.LIMIT_CONNECTION),
    Endpoint("stream/zone_sync", 1, _zone_sync),
)
LICENSE = _endpoint("license", 9, general.LICENSE)
CONNECTIONS = _endpoint("connections", 1, general.CONNECTIONS)

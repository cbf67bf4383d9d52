"""The nginx exporters: one nginx to ask, and a hundred."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from benchmarks import bare, programs
from benchmarks.compare import Aims, compare, memory_rows
from benchmarks.measure import Measured, Plan, scrapes
from benchmarks.part import Section, Setting
from benchmarks.programs import Peer
from benchmarks.summary import Row, Target, paired
from benchmarks.units import count, milliseconds


NAME: Final = "nginx exporter"
# Debian's 0.11 exports nothing about itself; 1.x does, as ours does.
OLD: Final = Target(1.0)
NEW: Final = Target(0.5)
START: Final = Target(ours=0.150)
TARGETS: Final = 100
# A scrape of one nginx takes a fiftieth of one of a host.
MORE: Final = 4


def one(setting: Setting) -> Iterator[Section]:
    """Yield a section for each original, all asking one nginx."""
    plan = setting.plan._replace(scrapes=setting.plan.scrapes * MORE)
    for peer in programs.peers(NAME, "NGINX_EXPORTER", "NGINX_EXPORTER_SID"):
        aim = OLD if is_old(peer) else NEW
        with programs.running_nginx(setting.folder) as ports:
            pair = programs.nginx_pair(setting.python, peer.path, ports)
            aims = Aims(cpu=aim, p99=aim, start=START)
            rows = tuple(compare(pair, plan, setting.folder, aims))
        yield Section("nginx: one target", peer.name, peer.version, rows)


def is_old(peer: Peer) -> bool:
    """Say whether *peer* is of the generation before 1.0, which knows one nginx."""
    return " 0." in peer.name


def many(setting: Setting) -> Iterator[Section]:
    """Yield the sections of a hundred nginx; one nginx answers on a hundred ports.

    Only 1.x can be given several.
    """
    for peer in programs.peers(NAME, "NGINX_EXPORTER_SID"):
        with programs.running_nginx(setting.folder, TARGETS) as ports:
            pair = programs.nginx_pair(setting.python, peer.path, ports)
            plan = Plan(max(1, setting.plan.scrapes // MORE), setting.plan.rounds)
            measured = scrapes(pair, plan, setting.folder, ["gzip"])
            limit = bare.rounds(ports, plan.sizes())
        work = f"nginx: {TARGETS} targets"
        rows = tuple(_many_rows(measured, plan))
        yield Section(work, peer.name, peer.version, rows)
        ours = measured.series["gzip"][0].median
        wall = paired("wall time of a scrape", ours, limit, milliseconds)
        about = "all asked at once over sockets that are open, the answers unread"
        yield Section(work, "bare sockets", about, (wall,))


def _many_rows(measured: Measured, plan: Plan) -> Iterator[Row]:
    ours, original = measured.series["gzip"]
    wall = paired("wall time of a scrape", ours.median, original.median, milliseconds)
    yield wall.aim(Target(0.2))
    yield paired("CPU per scrape, gzip", ours.cpu, original.cpu, milliseconds)
    yield from memory_rows(measured, plan, Aims())
    yield Row("samples", ours.samples, original.samples, count)

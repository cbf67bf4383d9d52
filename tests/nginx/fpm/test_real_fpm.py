"""Against Debian's php-fpm, in a process of its own."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from exporters.nginx.fpm.fastcgi import encode_request
from tests.nginx.fpm.conftest import Collect, Pools, reasons, samples, uri_of


def ask(listen: str, **params: str) -> socket.socket:
    """Return a connection on which php-fpm was asked for something."""
    if listen.startswith("/"):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(listen)
    else:
        host, _, port = listen.rpartition(":")
        sock = socket.create_connection((host, int(port)))
    sock.sendall(encode_request({"REQUEST_METHOD": "GET", **params}))
    return sock


@asynccontextmanager
async def busy(listen: str, folder: Path) -> AsyncIterator[None]:
    """Keep one child of the pool: it reads a pipe that is open until we leave."""
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    script = str(folder / "busy.php")
    with ask(
        listen,
        SCRIPT_FILENAME=script,
        SCRIPT_NAME="/busy.php",
        QUERY_STRING=f"pipe={pipe}",
    ) as sock:
        # Returns when the child has opened the other end.
        with await asyncio.to_thread(open, pipe, "wb", 0):
            yield
        sock.settimeout(20)
        while sock.recv(4096):
            pass


async def test_pools_of_every_kind(real_fpm: Pools, collector: Collect) -> None:
    spare = {"pm.start_servers": "2", "pm.min_spare_servers": "1"}
    fpm = real_fpm(
        static={"listen": "tcp", "pm.max_children": "3"},
        dynamic={
            "listen": "unix",
            "pm": "dynamic",
            "pm.max_children": "4",
            "pm.max_spare_servers": "3",
            **spare,
        },
        ondemand={"listen": "tcp", "pm": "ondemand"},
    )
    uris = [uri_of(listen) for listen in fpm.listen.values()]
    uris[1] = f"unix://{fpm.listen['dynamic']};/status"  # as hipages' exporter has it
    collect = collector(*uris).collect
    for _ in range(2):
        families = await collect(None)
    assert samples(families, "phpfpm_up") == dict.fromkeys(uris, 1)
    assert samples(families, "phpfpm_up", "pool").keys() == fpm.listen.keys()
    accepted = samples(families, "phpfpm_accepted_connections", "pool")
    assert accepted == dict.fromkeys(fpm.listen, 2)
    total = samples(families, "phpfpm_total_processes", "pool")
    assert total == {"static": 3, "dynamic": 2, "ondemand": 1}
    assert samples(families, "phpfpm_active_processes", "pool")["static"] == 1
    running = [
        sample.labels["pool"]
        for family in families
        if family.name == "phpfpm_process_state"
        for sample in family.samples
        if sample.labels["state"] == "Running" and sample.value == 1
    ]
    assert sorted(running) == ["dynamic", "ondemand", "static"], "who answers us"


async def test_all_children_busy(
    real_fpm: Pools, collector: Collect, caplog: pytest.LogCaptureFixture
) -> None:
    """The pool cannot answer, its pm.status_listen does."""
    fpm = real_fpm(www={"listen": "tcp", "pm.status_listen": "tcp"})
    pool, status = uri_of(fpm.listen["www"]), uri_of(fpm.listen["www.status"])
    async with busy(fpm.listen["www"], fpm.folder), asyncio.timeout(30):
        families = await collector(pool, status, timeout=0.7).collect(None)
        assert samples(families, "phpfpm_up") == {pool: 0, status: 1}
        assert samples(families, "phpfpm_up", "pool") == {"": 0, "www": 1}
        assert samples(families, "phpfpm_active_processes") == {status: 1}
        assert samples(families, "phpfpm_idle_processes") == {status: 0}
        assert "no answer within 0.7s: are all children busy?" in reasons(caplog)[0]
        with ask(fpm.listen["www"]), ask(fpm.listen["www"]):
            # php-fpm looks at its queue once a second; our own request waits there.
            collect = collector(status).collect
            while samples(await collect(None), "phpfpm_listen_queue")[status] < 3:
                pass
    assert samples(await collector(pool).collect(None), "phpfpm_up") == {pool: 1}


async def test_the_queue_of_a_unix_socket(real_fpm: Pools, collector: Collect) -> None:
    """php-fpm says 0, always; the kernel knows, and needs no child."""
    fpm = real_fpm(www={"listen": "unix"})
    uri = uri_of(fpm.listen["www"])
    async with busy(fpm.listen["www"], fpm.folder):
        with ask(fpm.listen["www"]), ask(fpm.listen["www"]):
            families = await collector(uri, timeout=0.3).collect(None)
    assert samples(families, "phpfpm_up") == {uri: 0}
    assert samples(families, "phpfpm_socket_listen_queue") == {uri: 2}
    assert samples(families, "phpfpm_socket_listen_queue_length")[uri] >= 2


async def test_max_children_reached(real_fpm: Pools, collector: Collect) -> None:
    fpm = real_fpm(
        www={"listen": "tcp", "pm": "ondemand", "pm.status_listen": "tcp"},
    )
    collect = collector(uri_of(fpm.listen["www.status"])).collect
    async with AsyncExitStack() as stack, asyncio.timeout(30):
        await stack.enter_async_context(busy(fpm.listen["www"], fpm.folder))
        stack.enter_context(ask(fpm.listen["www"]))
        name = "phpfpm_max_children_reached"
        while samples(await collect(None), name, "pool") != {"www": 1}:
            pass


@pytest.mark.parametrize(
    ("path", "error"),
    [
        (
            "/nothing",
            (
                "asked for /nothing: expected status 200, got 404 'File not found.' / "
                "'Primary script unknown': does the pool have pm.status_path = "
                "/nothing?"
            ),
        ),
        (
            "/etc/passwd",
            (
                "asked for /etc/passwd: expected status 200, got 404 'File not found.' "
                "/ 'Primary script unknown': does the pool have pm.status_path = "
                "/etc/passwd?"
            ),
        ),
        ("/ping", "expected a status page in JSON, got 'pong'"),
    ],
)
async def test_another_path(
    real_fpm: Pools,
    collector: Collect,
    caplog: pytest.LogCaptureFixture,
    path: str,
    error: str,
) -> None:
    fpm = real_fpm(www={"listen": "unix"})
    await collector(uri_of(fpm.listen["www"], path)).collect(None)
    assert reasons(caplog) == [error]


async def test_no_script_runs_whatever_path_is_asked_for(
    real_fpm: Pools, collector: Collect
) -> None:
    """The path of a probe comes from whoever may ask for one."""
    fpm = real_fpm(www={"listen": "tcp"})
    script, trace = fpm.folder / "script.php", fpm.folder / "trace"
    script.write_text(f"<?php touch('{trace}');")
    with ask(fpm.listen["www"], SCRIPT_FILENAME=str(script)) as sock:
        while sock.recv(4096):
            pass
    assert trace.exists()
    trace.unlink()
    paths = (f"{script}", f"{script}/status", f"{script}?a=b", f"/.{script}")
    uris = [uri_of(fpm.listen["www"], path) for path in paths]
    families = await collector(uri_of(fpm.listen["www"]), *uris).collect(None)
    assert not trace.exists()
    assert list(samples(families, "phpfpm_up").values()) == [1, 0, 0, 0, 0]


async def test_an_address_that_may_not_ask(
    real_fpm: Pools, collector: Collect, caplog: pytest.LogCaptureFixture
) -> None:
    fpm = real_fpm(www={"listen": "tcp", "listen.allowed_clients": "127.0.0.2"})
    await collector(uri_of(fpm.listen["www"])).collect(None)
    assert "listen.allowed_clients" in reasons(caplog)[0]


async def test_what_visitors_send(real_fpm: Pools, collector: Collect) -> None:
    """A name with a quote in it is printed by php-fpm among the numbers."""
    fpm = real_fpm(www={"listen": "tcp", "pm.max_children": "2"})
    for name in ('a"b', '","state":"Running","x":"', "\\", "\udcff"):
        with ask(
            fpm.listen["www"],
            SCRIPT_FILENAME=f"/{name}.php",
            SCRIPT_NAME=f"/{name}.php",
            QUERY_STRING=name,
            REMOTE_USER=name,
            HTTP_AUTHORIZATION="Basic YSI6Yg==",
        ) as sock:
            sock.settimeout(20)
            while sock.recv(4096):
                pass
        families = await collector(uri_of(fpm.listen["www"])).collect(None)
        assert samples(families, "phpfpm_up", "pool") == {"www": 1}
        requests = samples(families, "phpfpm_process_requests", "child")
        assert requests.keys() == {"0", "1"}

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from functools import partial
from pathlib import Path

import pytest

from exporters.toolkit.errors import StartError
from shipper.config.syslog import SyslogConfig
from shipper.config.tls import TlsConfig
from shipper.relabel import RelabelConfig, relabel
from shipper.syslog import tcp, udp
from shipper.syslog.source import SyslogSource
from tests.shipper.certificates import Authority
from tests.shipper.sink import Sink
from tests.shipper.syslog.conftest import SHOW_ALL, Counts, listening


MESSAGE = b'<165>1 2003-10-11T22:14:15.003Z web app 42 ID47 [a@1 b="c"] hello'
WHEN = 1065910455_003_000_000


async def test_labels_as_promtail_names_them() -> None:
    async with listening(
        *SHOW_ALL, labels={"job": "syslog", "__x": "y"}, label_structured_data=True
    ) as rig:
        await rig.send(MESSAGE + b"\n")
        await rig.sink.count(1)
        assert rig.sink.streams == [
            {
                "job": "syslog",
                "connection_ip_address": "127.0.0.1",
                "connection_hostname": "peer.example.",
                "message_severity": "notice",
                "message_facility": "local4",
                "message_hostname": "web",
                "message_app_name": "app",
                "message_proc_id": "42",
                "message_msg_id": "ID47",
                "message_sd_a_1_b": "c",
            }
        ]
        assert rig.sink.lines == [b"hello"]
        assert rig.counts == {"entries": 1}


async def test_without_label_structured_data_and_nil_values() -> None:
    async with listening(*SHOW_ALL, labels={"job": "s"}) as rig:
        await rig.send(b'<13>1 - - - - - [a b="c"] x')
        await rig.sink.count(1)
        assert set(rig.sink.streams[0]) == {
            "job", "connection_ip_address", "connection_hostname",
            "message_severity", "message_facility",
        }  # fmt: skip


@pytest.mark.parametrize("incoming", [True, False])
async def test_timestamps(*, incoming: bool) -> None:
    before = time.time_ns()
    async with listening(use_incoming_timestamp=incoming) as rig:
        await rig.send(MESSAGE + b"\n<1>1 - - - - - - no time")
        await rig.sink.count(2)
        first, second = (entry.timestamp_ns for _, entry in rig.sink.entries)
        assert (first == WHEN) is incoming
        assert second >= before


async def test_the_whole_message_when_asked_for() -> None:
    async with listening(use_rfc5424_message=True) as rig:
        await rig.send(MESSAGE + b"\n")
        assert await rig.sink.count(1) == [MESSAGE]


async def test_rfc3164() -> None:
    async with listening(*SHOW_ALL, syslog_format="rfc3164") as rig:
        await rig.send(b"<34>Oct 11 22:14:15 web su[1]: failed\n")
        assert await rig.sink.count(1) == [b"failed"]
        found = rig.sink.streams[0]
        assert found["message_hostname"] == "web"
        assert found["message_app_name"] == "su"
        assert found["message_proc_id"] == "1"


async def test_what_is_no_message_is_shipped_as_it_came() -> None:
    async with listening(*SHOW_ALL, labels={"job": "s"}) as rig:
        await rig.send(b"<13>plain old text\n" + MESSAGE)
        assert await rig.sink.count(2) == [b"<13>plain old text", b"hello"]
        assert rig.sink.streams[0] == {
            "job": "s",
            "connection_ip_address": "127.0.0.1",
            "connection_hostname": "peer.example.",
        }
        assert rig.counts == {"entries": 2, "parsing_errors": 1}


async def test_the_complaint_is_not_repeated(caplog: pytest.LogCaptureFixture) -> None:
    async with listening() as rig:
        await rig.send(b"junk\n" * 20)
        await rig.sink.count(20)
    assert len([r for r in caplog.records if "parsing syslog" in r.message]) == 1


async def test_a_message_without_a_text_is_counted_and_nothing_else() -> None:
    async with listening() as rig:
        await rig.send(b"<13>1 - - - - - -\n" + MESSAGE)
        assert await rig.sink.count(1) == [b"hello"]
        assert rig.counts == {"entries": 1, "empty_messages": 1}


async def test_a_dropped_message_is_not_shipped_without_labels() -> None:
    drop = RelabelConfig(
        source_labels=("__syslog_message_severity",), regex="notice", action="drop"
    )
    async with listening(drop) as rig:
        await rig.send(MESSAGE + b"\n<8>1 - - - - - - kept")
        assert await rig.sink.count(1) == [b"kept"]
        assert rig.counts == {"entries": 1, "filtered": 1}


async def test_a_stream_without_a_label_gets_the_job() -> None:
    async with listening() as rig:
        await rig.send(MESSAGE)
        await rig.sink.count(1)
        assert rig.sink.streams == [{"job": "job"}]


async def test_the_last_line_of_an_open_connection_does_not_wait_for_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tcp, "CONTINUATION_SECONDS", 0.01)
    async with listening() as rig:
        _, writer = await asyncio.open_connection("127.0.0.1", rig.port)
        writer.write(MESSAGE + b"\n")
        assert await rig.sink.count(1) == [b"hello"]
        writer.close()
        await writer.wait_closed()


async def test_every_connection_has_a_cursor_of_its_own() -> None:
    async with listening() as rig:
        await rig.send(MESSAGE + b"\n" + MESSAGE)
        await rig.send(MESSAGE)
        await rig.sink.count(3)
        assert len({id(cursor) for cursor in rig.sink.cursors}) == 2


async def test_an_idle_connection_is_closed_and_gives_what_it_had() -> None:
    async with listening(idle_timeout=0.05) as rig:
        reader, writer = await asyncio.open_connection("127.0.0.1", rig.port)
        writer.write(b"99 <13>1 - - - - - - half")
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        assert rig.sink.lines == [b"half"]
        assert rig.counts == {"entries": 1, "parsing_errors": 1}
        writer.close()
        await writer.wait_closed()


async def test_nothing_is_read_while_there_is_no_room() -> None:
    line = b"<13>1 - - - - - - " + b"x" * 1000 + b"\n"
    async with listening() as rig:
        rig.sink.gate.clear()
        _, writer = await asyncio.open_connection("127.0.0.1", rig.port)
        writer.transport.set_write_buffer_limits(high=0)
        writer.write(line)
        writer.write(line)
        await rig.sink.until(lambda: rig.sink.waiting == 1)
        writer.write(line * 30_000)  # more than all buffers on the way hold
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await writer.drain()
        assert rig.sink.waiting == 1
        rig.sink.gate.set()
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        await rig.sink.count(30_002)


async def test_a_stop_hands_over_what_was_received() -> None:
    async with listening() as rig:
        _, writer = await asyncio.open_connection("127.0.0.1", rig.port)
        writer.write(MESSAGE + b"\n" + MESSAGE + b"\n")
        await rig.sink.count(1)  # the second waits for a continuation
        await rig.stop()
        assert rig.sink.lines == [b"hello", b"hello"]
        with pytest.raises(OSError, match="Connect call failed"):
            await asyncio.open_connection("127.0.0.1", rig.port)
        writer.close()
        await writer.wait_closed()


async def test_too_many_connections_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tcp, "MAX_CONNECTIONS", 1)
    async with listening() as rig:
        _, first = await asyncio.open_connection("127.0.0.1", rig.port)
        first.write(MESSAGE + b"\n" + MESSAGE + b"\n")
        await rig.sink.count(1)
        reader, second = await asyncio.open_connection("127.0.0.1", rig.port)
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        assert rig.counts["refused"] == 1
        for writer in (first, second):
            writer.close()
            await writer.wait_closed()


# UDP


async def test_datagrams() -> None:
    async with listening(*SHOW_ALL, listen_protocol="udp") as rig:
        await rig.datagrams(
            MESSAGE, b"%d %s" % (len(MESSAGE), MESSAGE), MESSAGE + b"\n", b"junk", b""
        )
        assert await rig.sink.count(4) == [b"hello"] * 3 + [b"junk"]
        assert rig.sink.streams[0]["connection_ip_address"] == "127.0.0.1"
        assert rig.counts == {"entries": 4, "parsing_errors": 1}


async def test_a_long_datagram_is_cut() -> None:
    async with listening(listen_protocol="udp", max_message_length=30) as rig:
        await rig.datagrams(b"<13>1 - - - - - - " + b"x" * 50)
        assert await rig.sink.count(1) == [b"x" * 12]
        assert rig.counts == {"entries": 1, "truncated": 1}


async def test_the_newest_datagrams_are_dropped_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(udp, "MAX_QUEUED", 2)
    async with listening(listen_protocol="udp") as rig:
        rig.sink.gate.clear()
        await rig.datagrams(b"<13>1 - - - - - - 0")
        await rig.sink.until(lambda: rig.sink.waiting == 1)
        server = rig.source._server
        assert isinstance(server, udp.UdpServer)
        for number in range(1, 6):
            data = b"<13>1 - - - - - - %d" % number
            server.datagram_received(data, ("127.0.0.1", 1))
        assert rig.counts["overflowed"] == 3
        rig.sink.gate.set()
        assert await rig.sink.count(3) == [b"0", b"1", b"2"]


async def test_a_stop_hands_over_the_datagrams_that_are_here() -> None:
    async with listening(listen_protocol="udp") as rig:
        rig.sink.gate.clear()
        await rig.datagrams(MESSAGE)
        await rig.sink.until(lambda: rig.sink.waiting == 1)
        server = rig.source._server
        assert isinstance(server, udp.UdpServer)
        server.datagram_received(MESSAGE, ("127.0.0.1", 1))
        rig.source.stop_reading()
        rig.sink.gate.set()
        await rig.stop()
        assert rig.sink.lines == [b"hello", b"hello"]


# TLS


def _client(authority: Authority, name: str | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.pair.cert))
    if name is not None:
        pair = authority.issue(name)
        context.load_cert_chain(pair.cert, pair.key)
    return context


async def test_tls_and_a_client_that_must_show_a_certificate(
    authority: Authority,
) -> None:
    pair = authority.issue("server")
    config = TlsConfig(
        cert_file=str(pair.cert),
        key_file=str(pair.key),
        ca_file=str(authority.pair.cert),
    )
    async with listening(tls_config=config) as rig:
        _, writer = await asyncio.open_connection(
            "127.0.0.1", rig.port, ssl=_client(authority, "client")
        )
        writer.write(MESSAGE)
        writer.close()
        await writer.wait_closed()
        assert await rig.sink.count(1) == [b"hello"]
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", rig.port, ssl=_client(authority)
        )
        # With TLS 1.3 the refusal comes after connecting.
        with pytest.raises((ssl.SSLError, ConnectionResetError, EOFError)):
            await reader.readexactly(1)
        writer.transport.abort()
        await rig.send(b"not TLS at all\n")
    assert rig.sink.lines == [b"hello"]


def test_a_certificate_that_cannot_be_read(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.pem")
    config = SyslogConfig(
        listen_address=":0", tls_config=TlsConfig(cert_file=missing, key_file=missing)
    )
    with pytest.raises(StartError, match="unable to load server certificate or key"):
        SyslogSource("job", config, partial(relabel, rules=()), Sink(), Counts())


# The port


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
async def test_a_port_that_is_taken_is_tried_again(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shipper.binding._FIRST_WAIT_SECONDS", 0.01)
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if protocol == "tcp":
            taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        config = SyslogConfig(listen_address=address, listen_protocol=protocol)  # type: ignore[arg-type]
        source = SyslogSource(
            "job", config, partial(relabel, rules=()), Sink(), Counts()
        )
        assert source.not_ready() == "job job: syslog: not listening yet"
        task = asyncio.create_task(source.run())
        async with asyncio.timeout(5):
            while "in use" not in (source.not_ready() or ""):  # noqa: ASYNC110
                await asyncio.sleep(0)
        assert source.not_ready() == (
            f"job job: syslog: listen {protocol} {address}: bind: "
            "address already in use"
        )
        [target] = source.targets()
        assert target.error == source.not_ready()
    async with asyncio.timeout(5):
        await source.listening.wait()
    assert source.not_ready() is None
    source.stop_reading()
    await task


async def test_a_stop_ends_the_waiting_for_a_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = SyslogConfig(listen_address=f"127.0.0.1:{taken.getsockname()[1]}")
        source = SyslogSource(
            "job", config, partial(relabel, rules=()), Sink(), Counts()
        )
        task = asyncio.create_task(source.run())
        await asyncio.sleep(0)
        source.stop_reading()
        async with asyncio.timeout(5):
            await task
        assert not source.listening.is_set()


async def test_targets() -> None:
    async with listening(labels={"job": "s"}) as rig:
        await rig.send(MESSAGE)
        await rig.sink.count(1)
        [target] = rig.source.targets()
        assert (target.job, target.kind) == ("job", "syslog")
        assert target.name == rig.source.address
        assert target.streams == {"tcp": (("job", "s"),)}
        assert target.details["messages"] == "1"
        assert target.details["protocol"] == "tcp"

"""Where a target that is let in may be connected to."""

from __future__ import annotations

import asyncio
import logging
import socket

import pytest

from exporters.nginx.probe.errors import NotAllowed
from exporters.nginx.probe.gate import Admission, Gate
from exporters.nginx.probe.patterns import parse_patterns
from exporters.nginx.probe.target import read_target
from tests.nginx.probe.conftest import Answers, Names


PATIENCE = 30.0


async def admit(target: str, *allow: str, answers: Answers | None = None) -> Admission:
    gate = Gate(parse_patterns(allow), Names(answers or {}))
    return await gate.admit(read_target(target), PATIENCE)


@pytest.mark.parametrize(
    ("allow", "found", "connects"),
    [
        (["10.0.0.0/8"], ["10.0.0.1"], ("10.0.0.1",)),
        (["10.0.0.0/8"], ["10.0.0.1", "10.0.0.2"], ("10.0.0.1", "10.0.0.2")),
        (["10.0.0.0/8"], ["2a00::1", "10.0.0.1"], ("10.0.0.1",)),
        (["10.0.0.0/8"], ["127.0.0.1", "10.0.0.1"], ("10.0.0.1",)),
        (["10.0.0.0/8"], ["127.0.0.1"], None),
        (["10.0.0.0/8"], ["::ffff:10.0.0.1"], ("::ffff:10.0.0.1",)),
        (["10.0.0.0/8"], ["::ffff:127.0.0.1"], None),
        (["fe80::/10"], ["fe80::1%2"], ("fe80::1%2",)),
        (["web1.example"], ["127.0.0.1"], ("127.0.0.1",)),
        (["*.example"], ["10.0.0.1"], ("10.0.0.1",)),
        (["*.example"], ["127.0.0.1"], None),
        (["*.example"], ["169.254.169.254"], None),
        (["*.example", "127.0.0.0/8"], ["127.0.0.1"], ("127.0.0.1",)),
        (["*.other"], ["10.0.0.1"], None),
    ],
)
async def test_every_address_is_checked(
    allow: list[str], found: list[str], connects: tuple[str, ...] | None
) -> None:
    answers = {"web1.example": found}
    if connects is None:
        with pytest.raises(NotAllowed):
            await admit("http://web1.example/s", *allow, answers=answers)
        return
    admission = await admit("http://web1.example/s", *allow, answers=answers)
    assert admission.addresses == connects
    resolved = await admission.resolver.resolve("web1.example", 80)
    assert tuple(each.address for each in resolved) == connects


async def test_a_name_is_looked_up_once() -> None:
    """DNS rebinding: the second answer would be another one."""
    names = Names({"web1": ["10.0.0.1"]})
    gate = Gate(parse_patterns(("10.0.0.0/8",)), names)
    admission = await gate.admit(read_target("http://web1:8080/s"), PATIENCE)
    names.answers = {"web1": ["127.0.0.1"]}
    for _ in range(2):
        (only,) = await admission.resolver.resolve("web1", 8080)
        assert (only.address, only.port) == ("10.0.0.1", 8080)
    assert names.asked == ["web1"]


async def test_another_host_is_not_answered_for() -> None:
    admission = await admit("http://a/s", "a", answers={"a": ["10.0.0.1"]})
    with pytest.raises(OSError, match="evil was not asked for"):
        await admission.resolver.resolve("evil", 80)


async def test_families() -> None:
    answers = {"a": ["10.0.0.1", "fd00::1"]}
    admission = await admit("http://a/s", "a", answers=answers)
    for family, host in ((socket.AF_INET, "10.0.0.1"), (socket.AF_INET6, "fd00::1")):
        (only,) = await admission.resolver.resolve("a", 80, family)
        assert only.address == host


@pytest.mark.parametrize("target", ["http://a:81/s", "http://b/s", "https://a/s"])
async def test_what_cannot_be_let_in_is_not_looked_up(target: str) -> None:
    names = Names({"a": ["10.0.0.1"], "b": ["10.0.0.1"]})
    gate = Gate(parse_patterns(("http://a/s", "http://[10.0.0.0/8]:82/s")), names)
    with pytest.raises(NotAllowed):
        await gate.admit(read_target(target), PATIENCE)
    assert names.asked == []


async def test_an_unknown_name_is_for_the_module_to_tell_of() -> None:
    admission = await admit("http://a/s", "10.0.0.0/8")
    assert admission.addresses == ()
    with pytest.raises(socket.gaierror, match="not known"):
        await admission.resolver.resolve("a", 80)


async def test_a_name_server_that_hangs() -> None:
    names = Names({"a": ["10.0.0.1"]})
    names.held.clear()
    gate = Gate(parse_patterns(("a",)), names)
    admission = await gate.admit(read_target("http://a/s"), 0.01)
    with pytest.raises(socket.gaierror, match=r"no answer within 0\.01s"):
        await admission.resolver.resolve("a", 80)


async def test_who_gives_up_is_not_held() -> None:
    names = Names({"a": ["10.0.0.1"]})
    names.held.clear()
    gate = Gate(parse_patterns(("a",)), names)
    task = asyncio.create_task(gate.admit(read_target("http://a/s"), PATIENCE))
    await names.entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    ("target", "uri"),
    [
        ("http://10.1.1.1:8080/s", "http://one:1@10.1.1.1:8080/s"),
        ("http://10.2.2.2:8080/s", "http://two:2@10.2.2.2:8080/s"),
        ("http://name:8080/s", "http://two:2@name:8080/s"),
        ("http://10.3.3.3:8080/s", "http://10.3.3.3:8080/s"),
    ],
)
async def test_credentials_go_to_what_their_pattern_lets_in(
    target: str, uri: str
) -> None:
    admission = await admit(
        target,
        "http://one:1@[10.1.0.0/16]:8080/s",
        "http://two:2@[10.2.0.0/16]:8080/s",
        "10.0.0.0/8",
        answers={"name": ["10.2.9.9"]},
    )
    assert admission.uri == uri
    assert "@" not in repr(admission)
    assert "@" not in admission.pattern


async def test_a_socket_has_no_addresses() -> None:
    admission = await admit("unix:/run/a.sock:/s", "unix:/run/*.sock")
    assert admission.uri == "unix:/run/a.sock:/s"
    with pytest.raises(OSError, match="was not asked for"):
        await admission.resolver.resolve("unix", 80)


async def test_who_runs_it_is_told_where_a_name_leads(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(NotAllowed) as caught:
        await admit("http://a/s", "10.0.0.0/8", answers={"a": ["192.0.2.1"]})
    assert str(caught.value) == "Target 'http://a/s' is not allowed by --probe.allow"
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    fields = {"target": "http://a/s", "addresses": "192.0.2.1"}
    assert record.__dict__["fields"] == fields


@pytest.mark.parametrize(
    ("target", "host"),
    [("http://[::1]:81/s", "::1"), ("http://[::ffff:10.0.0.1]:81/s", "10.0.0.1")],
)
async def test_an_address_is_its_own_answer(target: str, host: str) -> None:
    """Whoever connects asks for it, as for a name."""
    admission = await admit(target, "::1", "10.0.0.0/8")
    (only,) = await admission.resolver.resolve(host, 81)
    assert (only.address, only.port) == (host, 81)

"""What must not be reached is not reached: attacks over real connections.

A server that nobody may ask stands beside one that may be asked. Whatever is sent to
/probe, no connection arrives at the first.
"""

from __future__ import annotations

import pytest

from tests.nginx.conftest import always, fake_nginx, page, response
from tests.nginx.probe.conftest import exporter


SECRET = response(b"sekret")

# {good} is the port of who may be asked, {bad} of who may not.
ALLOWED = "http://nginx.example:{good}/stub_status"
ATTACKS = [
    "http://127.0.0.1:{bad}/stub_status",
    "http://127.0.0.1:{good}/stub_status",  # its address is not its name
    "http://localhost:{bad}/stub_status",
    "http://nginx.example:{bad}/stub_status",
    "http://nginx.example@127.0.0.1:{bad}/stub_status",
    "http://nginx.example:{good}@127.0.0.1:{bad}/stub_status",
    "http://nginx.example:{good}\\@127.0.0.1:{bad}/stub_status",
    "http://127.0.0.1:{bad}\\@nginx.example:{good}/stub_status",
    "http://127.0.0.1:{bad}#@nginx.example:{good}/stub_status",
    "http://127.0.0.1:{bad}?@nginx.example:{good}/stub_status",
    "http://127.0.0.1:{bad}/?http://nginx.example:{good}/stub_status",
    "http://nginx.example:{good}/stub_status\r\nHost: 127.0.0.1:{bad}",
    "http://nginx.example:{good}/stub_status http://127.0.0.1:{bad}/",
    "http://nginx.example:{good},http://127.0.0.1:{bad}/",
    "http://nginx.example:{good}/../stub_status",
    "http://nginx.example:{good}/stub_status/../admin",
    "http://nginx.example:{good}/stub_status/%2e%2e/admin",
    "http://nginx.example:{good}/stub_status?admin",
    "http://0x7f.1:{bad}/stub_status",
    "http://2130706433:{bad}/stub_status",
    "http://0177.0.0.1:{bad}/stub_status",
    "http://127.1:{bad}/stub_status",
    "http://0:{bad}/stub_status",
    "http://[::ffff:127.0.0.1]:{bad}/stub_status",
    "http://[::1%lo]:{bad}/stub_status",
    "http://\uff11\uff12\uff17.0.0.1:{bad}/stub_status",
    "http://127\u30020\u30020\u30021:{bad}/stub_status",
    "https://nginx.example:{good}/stub_status",
    "//127.0.0.1:{bad}/stub_status",
    "127.0.0.1:{bad}/stub_status",
    "unix:/proc/self/environ:/stub_status",
    "http://evil.example:{good}/stub_status",
]


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("debug", ["true", "false"])
async def test_nobody_is_asked(attack: str, debug: str) -> None:
    answers = {
        "nginx.example": ["127.0.0.1"],
        "localhost": ["127.0.0.1"],
        "evil.example": ["127.0.0.1"],
    }
    async with (
        fake_nginx(always(response(page()))) as (good, good_uri),
        fake_nginx(always(SECRET)) as (bad, bad_uri),
    ):
        ports = {
            "good": good_uri.split(":")[2].split("/")[0],
            "bad": bad_uri.split(":")[2].split("/")[0],
        }
        async with exporter(ALLOWED.format(**ports), answers=answers) as prober:
            status, text = await prober.get(attack.format(**ports), debug=debug)
            assert status in {400, 403}
            assert (good.connections, bad.connections) == (0, 0)
            assert "sekret" not in text
            status, text = await prober.get(ALLOWED.format(**ports))
    assert "probe_success 1\n" in text


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{bad}/stub_status",
        "//127.0.0.1:{bad}/stub_status",
        "http://nginx.example:{bad}/stub_status",
        "http://nginx.example:{good}/admin",
        "/admin",
    ],
)
async def test_no_redirect_is_followed(location: str) -> None:
    """The host that may be asked says: ask that one."""
    redirects = 0
    async with fake_nginx(always(SECRET)) as (bad, bad_uri):
        port = bad_uri.split(":")[2].split("/")[0]
        moved = response(
            b"", "302 Found", f"Location: {location}".replace("{bad}", port)
        )
        async with fake_nginx(always(moved)) as (good, good_uri):
            target = good_uri.replace("127.0.0.1", "nginx.example")
            answers = {"nginx.example": ["127.0.0.1"]}
            async with exporter("nginx.example", answers=answers) as prober:
                status, text = await prober.get(target)
            redirects = len(good.requests)
    assert status == 200
    assert "probe_success 0\n" in text
    assert (redirects, bad.connections) == (1, 0)


@pytest.mark.parametrize("found", ["127.0.0.1", "::ffff:127.0.0.1", "::1", "0.0.0.0"])
async def test_a_name_that_leads_home(found: str) -> None:
    """Where a name leads that a star lets in, or a network, is for others to say."""
    async with fake_nginx(always(SECRET)) as (bad, uri):
        target = uri.replace("127.0.0.1", "a.example")
        for allow in ("http://*.example:*", "10.0.0.0/8"):
            async with exporter(allow, answers={"a.example": [found]}) as prober:
                status, _ = await prober.get(target)
                assert status == 403
    assert bad.connections == 0


async def test_a_name_that_leads_elsewhere_the_second_time() -> None:
    """DNS rebinding: what was checked is what is connected to."""
    async with (
        fake_nginx(always(response(page()))) as (_, uri),
        exporter("127.0.0.0/8", answers={"a.example": ["127.0.0.1"]}) as prober,
    ):
        _, text = await prober.get(uri.replace("127.0.0.1", "a.example"))
        assert "probe_success 1\n" in text
        assert prober.names.asked == ["a.example"]

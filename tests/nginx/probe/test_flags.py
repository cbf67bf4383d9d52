"""From the flags to what answers, and back to nothing."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from aiohttp import ClientSession

from exporters.nginx.probe import FLAGS, open_prober
from exporters.nginx.probe.modules import stub_status
from exporters.toolkit.errors import StartError
from exporters.toolkit.flags import Program, Values
from tests.nginx.conftest import always, fake_nginx, page, response
from tests.nginx.probe.conftest import app_with, network
from tests.served import served


def values(*argv: str, environ: Mapping[str, str] | None = None) -> Values:
    return Program("test", "", FLAGS).parse(argv, environ or {})


MODULES = {"stub_status": stub_status(network(), {})}


@pytest.mark.parametrize("argv", [(), ("--probe.allow=",), ("--probe.allow= , ",)])
async def test_off_is_the_default(argv: tuple[str, ...]) -> None:
    async with open_prober(
        values(*argv), lambda: MODULES, timeout_seconds=1.0
    ) as prober:
        assert prober is None


@pytest.mark.parametrize(
    ("argv", "environ"),
    [
        (("--probe.allow=http://u:sekret@", "--probe.allow=a"), {}),
        ((), {"PROBE_ALLOW": "a\nb, http://u:sekret@"}),
    ],
)
async def test_what_cannot_be_read(
    argv: tuple[str, ...], environ: Mapping[str, str]
) -> None:
    opened = open_prober(
        values(*argv, environ=environ), lambda: MODULES, timeout_seconds=1.0
    )
    with pytest.raises(StartError, match=r"cannot read --probe\.allow '\.\.\.@'"):
        await opened.__aenter__()


async def test_from_the_environment_to_an_answer() -> None:
    """With the real resolver: /etc/hosts knows localhost."""
    given = values(environ={"PROBE_ALLOW": "10.0.0.0/8\nlocalhost, other"})
    async with (
        fake_nginx(always(response(page()))) as (_, uri),
        open_prober(given, lambda: MODULES, timeout_seconds=30.0) as prober,
        served(app_with(prober)) as url,
        ClientSession(url) as session,
    ):
        target = uri.replace("127.0.0.1", "localhost")
        async with session.get("/probe", params={"target": target}) as answer:
            assert "probe_success 1\n" in await answer.text()

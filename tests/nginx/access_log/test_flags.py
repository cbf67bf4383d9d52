from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from exporters.nginx.access_log import flags
from exporters.nginx.access_log.flags import access_logs
from exporters.nginx.access_log.from_flags import COMBINED, plans_of
from exporters.nginx.access_log.plan import Plan
from exporters.nginx.access_log.settings import Settings
from exporters.nginx.access_log.sources.listen import Listen
from exporters.toolkit.errors import StartError, UsageError
from tests.nginx.access_log.sending import values


async def test_nothing_asked_for() -> None:
    async with access_logs(values()) as logs:
        assert logs is None


def test_nothing_of_it_is_imported_when_nothing_is_asked_for() -> None:
    code = (
        "import sys, exporters.nginx.access_log.flags\n"
        "print(*sorted(m for m in sys.modules if '.access_log.' in m or m in "
        "('yaml', 're2')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [
        "exporters.nginx.access_log.flags",
    ]


def test_everything_asked_for() -> None:
    asked = values(
        "--accesslog.syslog-listen=udp://:5514",
        "--accesslog.syslog-listen=unix:/run/a.sock",
        "--accesslog.syslog-listen=udp://:5514",
        "--accesslog.syslog-tag=shop",
        "--accesslog.file=/var/log/nginx/*.log",
        "--accesslog.format=combined",
        "--accesslog.namespace=web",
        "--accesslog.host=A.example, b.example",
        "--accesslog.host=c.example",
        "--accesslog.label=app=shop,tier=front",
        "--accesslog.buckets=0.1, 1,10",
        "--accesslog.max-series=50",
    )
    assert plans_of(asked, {"env": "prod"}) == (
        Plan(
            settings=Settings(
                name="web",
                prefix="web",
                const_labels={"env": "prod"},
                labels={"app": "shop", "tier": "front"},
                histogram_buckets=(0.1, 1.0, 10.0),
                parser="text",
                format=COMBINED,
                hosts=("a.example", "b.example", "c.example"),
                max_series=50,
            ),
            files=("/var/log/nginx/*.log",),
            listens=(Listen("udp", "", 5514), Listen("unix", path="/run/a.sock")),
            tags=("shop",),
        ),
    )


def test_by_environment() -> None:
    asked = values(
        env={
            "ACCESSLOG_SYSLOG_LISTEN": "udp://:1\nudp://:2",
            "ACCESSLOG_FILE": "/a\n/b",
            "ACCESSLOG_HOST": "a,b",
            "ACCESSLOG_SYSLOG_SOCKET_MODE": "0660",
            "ACCESSLOG_FORMAT": '$remote_addr "$request" $status',
        }
    )
    (plan,) = plans_of(asked, {})
    assert plan.listens == (Listen("udp", "", 1), Listen("udp", "", 2))
    assert plan.files == ("/a", "/b")
    assert plan.settings.hosts == ("a", "b")
    assert plan.settings.format == '$remote_addr "$request" $status'
    assert plan.tags == ("nginx",)
    assert asked[flags.SYSLOG_SOCKET_MODE] == 0o660


def test_the_file_and_the_flags(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("namespaces: [{name: blog, namespace_label: env}]")
    both = values(f"--accesslog.config-file={file}", "--accesslog.file=/a")
    assert [
        (plan.settings.prefix, plan.settings.const_labels)
        for plan in plans_of(both, {"env": "prod"})
    ] == [("nginx", {"env": "prod"}), ("blog", {"env": "blog"})]
    (one,) = plans_of(values(f"--accesslog.config-file={file}"), {})
    assert one.settings.name == "blog"


@pytest.mark.parametrize(
    ("argument", "error"),
    [
        ("syslog-socket-mode=rw", "expected permissions like 0660, got 'rw'"),
        ("syslog-socket-mode=7777", "expected permissions like 0660, got '7777'"),
        ("buckets=1,a", "expected seconds that rise, like 0.1,0.5,1; got '1,a'"),
        ("buckets=2,1", "expected seconds that rise, like 0.1,0.5,1; got '2,1'"),
        ("buckets=1,inf", "expected seconds that rise, like 0.1,0.5,1; got '1,inf'"),
        ("max-series=0", "expected a number of at least 1, got '0'"),
        ("max-series=-1", "expected a number of at least 1, got '-1'"),
        ("label=x", "expected KEY=VALUE got 'x'"),
    ],
)
def test_a_usage_error(argument: str, error: str) -> None:
    with pytest.raises(UsageError) as caught:
        values(f"--accesslog.{argument}")
    flag = argument.partition("=")[0]
    named = "" if flag == "label" else f"--accesslog.{flag}: "
    assert str(caught.value) == named + error


async def test_flags_without_an_access_log_are_pointed_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    given = values("--accesslog.host=shop.example", "--accesslog.format=combined")
    async with flags.access_logs(given) as logs:
        assert logs is None
    (record,) = caplog.records
    assert record.__dict__["fields"]["flags"] == "--accesslog.format, --accesslog.host"
    caplog.clear()
    async with flags.access_logs(values()) as logs:
        assert logs is None
    assert not caplog.records


def test_an_address_that_is_none() -> None:
    with pytest.raises(StartError) as caught:
        plans_of(values("--accesslog.syslog-listen=:5514"), {})
    assert str(caught.value) == (
        "--accesslog.syslog-listen: cannot read syslog address ':5514': expected "
        "udp://[host]:port, tcp://[host]:port or unix:/path"
    )

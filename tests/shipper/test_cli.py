from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from exporters.toolkit.errors import StartError
from shipper.cli import Options, load, main, parse_argv, usage
from shipper.config.model import Config
from shipper.goflag import FlagError
from shipper.show import show


CONFIG = """\
server:
  http_listen_port: 9080
clients:
  - url: http://u:s3cret@loki:3100/loki/api/v1/push
scrape_configs:
  - job_name: docker
    docker_sd_configs:
      - host: unix:///var/run/docker.sock
"""


class Ran(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    return str(path)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Stand in for the shipper itself: note that it was started."""
    starts: list[bool] = []

    def run(serve: object, *, reload: object) -> int:
        starts.append(True)
        return 0

    monkeypatch.setattr("shipper.cli.lifecycle.run", run)
    monkeypatch.setattr("shipper.cli.logs.setup", lambda level, format_: None)
    return starts


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> Ran:
    code = main(argv, {"PORT": "9081"})
    out, err = capsys.readouterr()
    return Ran(code, out, err)


def config(*argv: str) -> Config:
    return load(parse_argv(argv), {"PORT": "9081"}).config


def test_check_syntax(capsys: pytest.CaptureFixture[str], file: str) -> None:
    text = "Valid config file! No syntax issues found\n"
    code, out, err = run(capsys, "-check-syntax", "-config.file", file)
    assert (code, out) == (0, text)
    assert err == (
        f"warning: {file}: job docker: no rule makes a label: all containers are one "
        "stream\n"
    )


def test_what_is_piped_in_has_no_traps(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "piped.yaml"
    path.write_text(CONFIG + "target_config: {stdin: true}\n")
    code, _, err = run(capsys, "-check-syntax", "-config.file", str(path))
    assert (code, err) == (0, "")


def test_check_syntax_without_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "-check-syntax") == (1, "", "Invalid config file\n")


def test_every_mistake_on_a_line_of_its_own(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(CONFIG.replace("9080", "many") + "nope: 1\n")
    code, out, err = run(capsys, "-check-syntax", "-config.file", str(path))
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 2
    assert all(line.startswith(f"{path}:") for line in err.splitlines())


@pytest.mark.parametrize("argv", [["-config.file=/no/where"], ["-config.file=/tmp"]])
def test_a_file_that_cannot_be_read(
    capsys: pytest.CaptureFixture[str], argv: list[str]
) -> None:
    code, out, err = run(capsys, *argv)
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert argv[0].partition("=")[2] in err


def test_a_wrong_flag(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "-nope")
    assert (code, out) == (2, "")
    assert err.startswith("flag provided but not defined: -nope\nUsage of promtail")


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (
            ["-server.http-listen-port=x"],
            'invalid value "x" for flag -server.http-listen-port: parse error',
        ),
        (
            ["-dry-run=maybe"],
            'invalid boolean value "maybe" for -dry-run: parse error',
        ),
        (
            ["-server.disable=maybe"],
            'invalid boolean value "maybe" for -server.disable: parse error',
        ),
        (
            ["-log.level=loud"],
            'invalid value "loud" for flag -log.level: unrecognized log level "loud"',
        ),
        (
            ["-client.batch-wait=soon"],
            'invalid value "soon" for flag -client.batch-wait: parse error',
        ),
    ],
)
def test_wrong_values_in_gos_words(argv: Sequence[str], text: str) -> None:
    with pytest.raises(FlagError) as told:
        parse_argv(argv)
    assert str(told.value) == text


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "-help")
    assert (code, out, err) == (0, "", usage() + "\n")
    assert "  -client.url\n    \tURL of log server (deprecated)." in err
    code, out, err = run(capsys, "-version")
    assert (code, err) == (0, "")
    assert out.startswith("promtail, version ")


def test_starts(
    capsys: pytest.CaptureFixture[str], file: str, started: list[bool]
) -> None:
    assert run(capsys, "-config.file", file).code == 0
    assert started == [True]


def test_print_config_hides_secrets(
    capsys: pytest.CaptureFixture[str], file: str, started: list[bool]
) -> None:
    code, _, err = run(capsys, "-print-config-stderr", "-config.file", file)
    assert code == 0
    assert "http_listen_port: 9080" in err
    assert "s3cret" not in err


def test_the_first_file_that_exists(file: str) -> None:
    assert config(f"-config.file=/no/where,{file}").server.http_listen_port == 9080


def test_flags_win_over_the_file(file: str) -> None:
    found = config(
        f"--config.file={file}",
        "--server.http-listen-port=1234",
        "-server.http-listen-address=127.0.0.1",
        "-positions.file=/p.yaml",
        "-positions.sync-period=1m",
        "-log.level=debug",
        "-client.external-labels=a=b,c=d",
    )
    assert found.server.listen == "127.0.0.1:1234"
    assert (found.positions.filename, found.positions.sync_period) == ("/p.yaml", 60.0)
    assert found.server.log_level == "debug"
    assert found.all_clients[0].external_labels == {"a": "b", "c": "d"}
    assert len(found.all_clients) == 1


def test_a_client_from_the_command_line_joins_those_of_the_file(file: str) -> None:
    found = config(f"-config.file={file}", "-client.url=http://b/push")
    assert [client.url.text for client in found.all_clients] == [
        "http://loki:3100/loki/api/v1/push",
        "http://b/push",
    ]


@pytest.mark.parametrize("expand", [[], ["-config.expand-env"]])
def test_the_only_client_may_be_a_flag(tmp_path: Path, expand: list[str]) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("server: {http_listen_port: 1}")
    found = config(f"-config.file={path}", "-client.url=http://b/$${x}", *expand)
    assert [client.url.text for client in found.all_clients] == ["http://b/$${x}"]
    assert config("-client.url=http://b/p").all_clients


def test_flags_are_checked_as_the_file_is(file: str) -> None:
    with pytest.raises(StartError, match="70000 is not a port"):
        config(f"-config.file={file}", "-server.http-listen-port=70000")


def test_expand_env(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(CONFIG.replace("9080", "${PORT}"))
    assert config("-config.expand-env", f"-config.file={path}").server.listen == ":9081"
    with pytest.raises(StartError):
        config(f"-config.file={path}")


def test_flags_without_meaning_are_accepted(file: str) -> None:
    argv = [f"-config.file={file}", "-server.grpc-listen-port=0"]
    name = "server.grpc-listen-port"
    assert parse_argv(argv) == Options((file,), frozenset(), {}, (name,))


def test_every_flag_of_promtail_is_known() -> None:
    """The names that ``promtail -help`` of 3.4.6 prints."""
    listed = Path(__file__).parent / "promtail_flags.txt"
    missing = [
        name for name in listed.read_text().split() if f"  {name}\n" not in usage()
    ]
    assert missing == []


def test_show_can_be_read_back_as_yaml(file: str) -> None:
    text = show(config(f"-config.file={file}"))
    assert "url: http://loki:3100/loki/api/v1/push" in text
    assert "s3cret" not in text

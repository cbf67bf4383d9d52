from __future__ import annotations

import stat
from pathlib import Path

import pytest

from deploy.stack import cli, values
from deploy.stack.settings import DEFAULTS, load, parse
from deploy.stack.shell import StackError


def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    load(tmp_path / ".env", tmp_path / "state")
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600


def test_second_run_keeps_what_is_there(tmp_path: Path) -> None:
    first = load(tmp_path / ".env", tmp_path / "state")
    text = (tmp_path / ".env").read_text()
    second = load(tmp_path / ".env", tmp_path / "state")
    assert second == first
    assert (tmp_path / ".env").read_text() == text


def test_own_values_win_and_only_what_lacks_is_added(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("NGINX_PORT=80\nMYSQL_USER=mine")
    settings = load(tmp_path / ".env", tmp_path / "state")
    assert settings.values["NGINX_PORT"] == "80"
    assert settings.values["MYSQL_USER"] == "mine"
    assert settings.values["LOKI_PORT"] == DEFAULTS["LOKI_PORT"]
    assert parse((tmp_path / ".env").read_text()) == settings.values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("# a=b\n\n", {}),
        ("A=1\n B = two \n", {"A": "1", "B": "two"}),
        ("A='x y'\nB=\"z\"\n", {"A": "x y", "B": "z"}),
        ("A=b=c\n", {"A": "b=c"}),
        ("A=\n", {"A": ""}),
        ("A=80 # the web\nB=a#b\nC=#none\n", {"A": "80", "B": "a#b", "C": ""}),
        ("A='x # y' # z\nB=\"it's\"\n", {"A": "x # y", "B": "it's"}),
        ("export A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
    ],
)
def test_parse(text: str, values: dict[str, str]) -> None:
    assert parse(text) == values


@pytest.mark.parametrize(
    ("text", "profiles"),
    [
        ("", {"tools"}),
        ("COMPOSE_PROFILES=\n", set()),
        ("COMPOSE_PROFILES=tls, alerts,\n", {"tls", "alerts"}),
    ],
)
def test_profiles(tmp_path: Path, text: str, profiles: set[str]) -> None:
    (tmp_path / ".env").write_text(text)
    assert load(tmp_path / ".env", tmp_path / "state").profiles == profiles


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("NGINX_PORT=http", "a port, 1 to 65535"),
        ("NGINX_PORT=", "a port, 1 to 65535"),
        ("LOKI_PORT=0", "a port, 1 to 65535"),
        ("GRAFANA_PORT=70000", "a port, 1 to 65535"),
        ("BIND_ADDRESS=localhost", "an IP address of this host (IPv6 in brackets)"),
        ("SITE_ADDRESS=::1", "an IP address of this host (IPv6 in brackets)"),
        (
            "COMPOSE_PROFILES=tool",
            "of acme, alerts, grafana, tls, tools, with commas between",
        ),
        (
            "COMPOSE_PROJECT_NAME=My Site",
            "small letters, digits, - and _, a letter or digit first",
        ),
        ("NAME_PREFIX=-a", "letters, digits, - _ and ., a letter or digit first"),
        ("MYSQL_MEMORY=much", "a size, such as 512m or 1g"),
        ("PROMETHEUS_RETENTION=two weeks", "a duration, such as 15d or 1y"),
        ("PROMETHEUS_RETENTION_SIZE=10", "a size, such as 512MB or 10GB"),
    ],
)
def test_a_wrong_value_is_said_with_its_line(
    tmp_path: Path, line: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    env = tmp_path / ".env"
    env.write_text(f"# mine\n\n{line}\n")
    arguments = [f"--env-file={env}", f"--state={tmp_path / 'state'}", "local"]
    assert cli.main(arguments) == 1
    assert capsys.readouterr().err == f"deploy: {env}:3: {line}: expected {expected}\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "BIND_ADDRESS=0.0.0.0\nSITE_ADDRESS=[::1]\nNGINX_PORT='80' # http\n",
        "NGINX_PORT=http\nNGINX_PORT=80\n",
        "COMPOSE_PROFILES=\nNAME_PREFIX=\nMYSQL_MEMORY=\nSITE_ADDRESS=\n",
        "COMPOSE_PROFILES=tls, acme,\nMYSQL_MEMORY=1.5GiB\nLOKI_MEMORY=1gb\n",
        "PROMETHEUS_RETENTION=1y6w\nPROMETHEUS_RETENTION_SIZE=512MiB\nMINE=?\n",
    ],
)
def test_what_may_stand_there(tmp_path: Path, text: str) -> None:
    (tmp_path / ".env").write_text(text)
    values.check(load(tmp_path / ".env", tmp_path / "state"))


def test_what_cannot_be_read_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    env, state = tmp_path / ".env", tmp_path / "state"
    arguments = [f"--env-file={env}", f"--state={state}", "down"]
    env.write_bytes(b"NAME_PREFIX=\xff\n")
    with pytest.raises(
        StackError, match=r"\.env: expected text in UTF-8: byte 12 is no"
    ):
        load(env, state)
    env.unlink()
    env.mkdir()
    assert cli.main(arguments) == 1
    assert (
        capsys.readouterr().err == f"deploy: {env}: Is a directory, expected a file\n"
    )
    state.rmdir()
    state.write_text("")
    assert cli.main(arguments) == 1
    assert capsys.readouterr().err == f"deploy: {state}: File exists\n"

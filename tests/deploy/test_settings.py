from __future__ import annotations

import stat
from pathlib import Path

import pytest

from deploy.stack.settings import DEFAULTS, load, parse


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

"""What docs/nginx-flags.md says of upstream, beside upstream's own help."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from docs import nginx_flags
from docs.nginx_flags import UPSTREAM
from exporters.nginx.cli import PROGRAM
from tests.programs import program


# What every kingpin program has.
BUILT_IN = {"help", "version"}
OURS = {flag.name: flag for flag in PROGRAM.flags}


def test_the_page_is_what_the_code_says() -> None:
    assert nginx_flags.PAGE.read_text() == nginx_flags.page(), (
        "run python -m docs.nginx_flags"
    )


def test_no_flag_of_upstream_is_missing() -> None:
    assert UPSTREAM.keys() <= OURS.keys()


@pytest.mark.parametrize("name", UPSTREAM)
def test_default_and_environment_are_those_of_1x_or_else_of_0x(name: str) -> None:
    upstream, flag = UPSTREAM[name], OURS[name]
    expected = upstream.of_0x if upstream.of_1x is None else upstream.of_1x
    assert nginx_flags.default(flag) == expected
    # One variable cannot have two flags: const_labels() in legacy.py.
    env = "" if name == "prometheus.const-labels" else upstream.env
    assert (flag.env or "") == env
    assert flag.hidden == (upstream.of_1x is None)


def _help(command: str, flag: str) -> str:
    done = subprocess.run(
        [command, flag],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
        env=os.environ | {"COLUMNS": "400"},
    )
    return done.stdout + done.stderr


@pytest.mark.oracle
def test_1x() -> None:
    sid = program("NGINX_EXPORTER_SID", "prometheus-nginx-exporter-sid", "")
    flags: dict[str, str] = {}
    pattern = r"(?m)^ +(?:-h, )?--(?:\[no-\])?([a-z.-]+)(?:=(\S+))?( \.\.\.)?"
    for name, shown, repeatable in re.findall(pattern, _help(sid, "--help")):
        # kingpin shows the name in capitals where there is no default.
        value = "" if shown == name.upper() else shown.strip('"')
        flags[name] = value or ("" if shown else "false")
        if name not in BUILT_IN:
            assert bool(repeatable) == OURS[name].repeatable
            assert (shown == "") == (OURS[name].parse is None)
    recorded = {n: u.of_1x for n, u in UPSTREAM.items() if u.of_1x is not None}
    assert {n: v for n, v in flags.items() if n not in BUILT_IN} == recorded


@pytest.mark.oracle
def test_1x_says_the_same_of_its_flags() -> None:
    sid = program("NGINX_EXPORTER_SID", "prometheus-nginx-exporter-sid", "")
    text = " ".join(_help(sid, "--help").split())
    for name, upstream in UPSTREAM.items():
        if upstream.of_1x is not None:
            found = re.search(rf"--{name}\S*(?: \.\.\.)? (.*?)(?= +--|$)", text)
            assert found, name
            assert OURS[name].help.startswith(found[1].strip()), name


@pytest.mark.oracle
def test_0x() -> None:
    debian = program("NGINX_EXPORTER", "prometheus-nginx-exporter", "/usr/bin")
    flags = {}
    usage = _help(debian, "-h")
    for block in re.findall(r"(?ms)^  (-\S+.*?)(?=^  -|\Z)", usage):
        name, kind = re.match(r"-(\S+) ?(\w*)", block).groups()  # type: ignore[union-attr] # else it fails
        default = re.search(r"\(default \"?(.*?)\"?\)\s*$", block)
        env = re.search(r"overwritten by (\w+)", block)
        nothing = {"": "false", "uint": "0"}.get(kind, "")
        flags[name] = (env[1] if env else "", default[1] if default else nothing)
    del flags["version"]
    recorded = {
        name: (upstream.env, upstream.of_0x)
        for name, upstream in UPSTREAM.items()
        if upstream.of_0x is not None
    }
    assert flags == recorded

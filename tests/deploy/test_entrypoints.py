"""The stand-ins start as compose.yaml has it: not root, no capability, read-only.

Volumes that older versions of this project filled from a root-started container are
here, too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from deploy.stack.settings import DEPLOY
from tests.deploy.hardened import (
    SERVICES,
    Container,
    container,
    options,
    stand_in,
    volume,
)
from tests.e2e.stack import docker, wait_until


pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

ROOT_PASSWORD = 'it\'s "a\\root" $word'
PASSWORD = "a'quote`and%more"
# The first process takes no SIGSTOP from within: its children do the work.
HANG = (
    "for process in /proc/[0-9]*; do "
    "grep -q '^PPid:.1$' $process/status && kill -{} ${{process#/proc/}}; done"
)
QUERY = (
    'MYSQL_PWD="$(cat /run/secrets/mysql_password)" '
    'mysql -N -h 127.0.0.1 -u wordpress -e "$0" wordpress'
)


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """The folder that is mounted as /run/secrets: root's, but to be read by all."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    for name, text in {
        "mysql_root_password": ROOT_PASSWORD,
        "mysql_password": PASSWORD,
        "phpmyadmin_secret": "s" * 32,
    }.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def data() -> Iterator[str]:
    with volume() as name:
        yield name


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def hardened_mysql(data: str, secrets: Path, *more: str) -> list[str]:
    return [
        *options("mysql"),
        f"--volume={data}:/var/lib/mysql",
        f"--volume={secrets}:/run/secrets:ro",
        "--env=MYSQL_ROOT_PASSWORD_FILE=/run/secrets/mysql_root_password",
        "--env=MYSQL_PASSWORD_FILE=/run/secrets/mysql_password",
        "--env=MYSQL_USER=wordpress",
        "--env=MYSQL_DATABASE=wordpress",
        *more,
    ]


def query(one: Container, statement: str) -> str:
    done = one.run("sh", "-c", QUERY, statement)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def wait_for_mysql(one: Container) -> None:
    def answers() -> bool:
        assert one.running(), one.logs()
        return one.run("sh", "-c", QUERY, "SELECT 1").returncode == 0

    wait_until(answers, f"{one.name} answers", 120)


def assert_powerless(one: Container, user: int) -> None:
    status = one.run("cat", "/proc/1/status").stdout
    assert re.search(rf"^Uid:\s+{user}\s+{user}\s+{user}\s", status, re.MULTILINE)
    for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert re.search(rf"^{name}:\s+0+$", status, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)
    assert one.run("touch", "/usr/x").returncode != 0


def test_mysql_is_made_without_root_and_keeps_its_data(
    data: str, secrets: Path, stack: ExitStack
) -> None:
    image = stand_in("mysql")
    with container(image, *hardened_mysql(data, secrets)) as one:
        wait_for_mysql(one)
        assert_powerless(one, 999)
        query(one, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (42)")
        environment = one.run("cat", "/proc/1/environ").stdout
        assert PASSWORD not in environment
        assert ROOT_PASSWORD not in environment
        assert PASSWORD not in one.logs()
        assert one.run("find", "/var/lib/mysql", "!", "-user", "999").stdout == ""
        assert one.stop() == 0
    with container(image, *hardened_mysql(data, secrets)) as two:
        wait_for_mysql(two)
        assert query(two, "SELECT n FROM kept") == "42"


def test_mysql_goes_on_with_the_volume_that_root_began(
    data: str, secrets: Path
) -> None:
    image = stand_in("mysql")
    before = [
        f"--volume={data}:/var/lib/mysql",
        f"--volume={secrets}:/run/secrets:ro",  # for this test's own questions
        f"--env=MYSQL_ROOT_PASSWORD={ROOT_PASSWORD}",
        f"--env=MYSQL_PASSWORD={PASSWORD}",
        "--env=MYSQL_USER=wordpress",
        "--env=MYSQL_DATABASE=wordpress",
    ]
    with container(image, *before) as one:
        wait_for_mysql(one)
        assert re.search(
            r"^Uid:\s+999\s", one.run("cat", "/proc/1/status").stdout, re.MULTILINE
        )
        query(one, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (42)")
        assert one.stop() == 0
    with container(image, *hardened_mysql(data, secrets)) as two:
        wait_for_mysql(two)
        assert_powerless(two, 999)
        assert query(two, "SELECT n FROM kept") == "42"


def test_mysql_runs_what_is_to_be_run_first(
    data: str, secrets: Path, tmp_path: Path
) -> None:
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    # As in the official image: what is executable is run, the rest is read.
    (scripts / "1-run.sh").write_text("#!/bin/bash\nlost=1; echo ran-as-$$-$(id -u)\n")
    (scripts / "1-run.sh").chmod(0o755)
    (scripts / "2-read.sh").write_text('echo "read-by-$$-${lost:-none}"\n')
    (scripts / "3-made.sql").write_text("CREATE TABLE made AS SELECT 7 AS n;\n")
    mount = f"--volume={scripts}:/docker-entrypoint-initdb.d:ro"
    with container(stand_in("mysql"), *hardened_mysql(data, secrets, mount)) as one:
        wait_for_mysql(one)
        assert "read-by-1-none" in one.logs()
        assert re.search(r"ran-as-\d{2,}-999", one.logs())
        assert query(one, "SELECT n FROM made") == "7"


def test_mysql_takes_a_password_from_one_place_only(data: str, secrets: Path) -> None:
    twice = hardened_mysql(data, secrets, "--env=MYSQL_PASSWORD=x")
    with container(stand_in("mysql"), *twice) as one:
        docker("wait", one.name)
        assert "both MYSQL_PASSWORD and MYSQL_PASSWORD_FILE are set" in one.logs()


def test_phpmyadmin_writes_only_where_nothing_stays(secrets: Path) -> None:
    ours = DEPLOY / "phpmyadmin"
    mounts = [
        f"--volume={ours / name}:/etc/phpmyadmin/{name}:ro"
        for name in ("config.secret.inc.php", "config.user.inc.php")
    ]
    arguments = [
        *options("phpmyadmin"),
        *mounts,
        f"--volume={secrets}:/run/secrets:ro",
        "--env=PMA_HOST=nobody.invalid",
    ]
    page = ("curl", "-fsS", "http://127.0.0.1/")
    with container(stand_in("phpmyadmin"), *arguments) as one:
        wait_until(lambda: one.run(*page).returncode == 0, "phpMyAdmin answers")
        assert_powerless(one, 33)
        text = one.run(*page).stdout
        assert "<title>phpMyAdmin" in text
        # It says on its page what it could not write, or that its key is no key.
        assert "blowfish_secret" not in text
        assert "TempDir" not in text
        assert one.run("sh", "-c", "ls /sessions | grep -q ^sess_").returncode == 0
        assert "Read-only" not in one.logs()
        assert one.stop() == 0


def test_prometheus_starts_on_the_volume_of_the_image(data: str) -> None:
    image = stand_in("prometheus")
    arguments = [
        *options("prometheus"),
        f"--volume={data}:/prometheus",
        f"--volume={DEPLOY / 'prometheus'}:/etc/prometheus:ro",
    ]
    ready = ("wget", "-q", "-O", os.devnull, "http://127.0.0.1:9090/-/ready")
    with container(image, *arguments) as one:
        wait_until(lambda: one.run(*ready).returncode == 0, "Prometheus is ready")
        assert_powerless(one, 65534)
        assert one.stop() == 0


def test_wordpress_is_healthy_while_php_answers() -> None:
    """The kernel takes connections for a php-fpm that hangs: a port says nothing."""
    etc, ours = "/usr/local/etc", DEPLOY / "wordpress"
    arguments = [
        *options("wordpress"),
        f"--volume={ours}/zz-status.conf:{etc}/php-fpm.d/zz-status.conf:ro",
        f"--volume={ours}/ping.php:{etc}/ping.php:ro",
    ]
    check = ("sh", "-c", SERVICES["wordpress"]["healthcheck"]["test"][1])
    with container(stand_in("wordpress"), *arguments) as one:
        wait_until(lambda: one.run(*check).returncode == 0, "php-fpm answers")
        assert_powerless(one, 33)
        for signal, code in (("STOP", 1), ("CONT", 0)):
            one.run("sh", "-c", HANG.format(signal))
            assert one.run(*check).returncode == code
        assert one.stop() == 0

"""Dump, load and swap beside a real server; BACKUP_MYSQL_IMAGE names another."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from deploy.stack.backup import swap
from deploy.stack.backup.database import Database, literal, quoted
from deploy.stack.shell import StackError


pytestmark = [pytest.mark.docker, pytest.mark.timeout(180)]

IMAGE = os.environ.get("BACKUP_MYSQL_IMAGE", "local/mysql:trixie")
PASSWORD = 'it\'s "a" \\ #password; $HOME `id` ä'
NAME = "wörd`press"
TEXTS = [
    "",
    "NULL",
    "a\tb\nc\\n\0d",
    "日本語 ไทย العربية",
    "👩‍👩‍👧‍👦 🇫🇷",
    "'\"`;--",
    "x" * 70_000,
]

PARENT = """
CREATE TABLE parent (id INT PRIMARY KEY, name LONGTEXT, data LONGBLOB)
ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci"""
CHILD = """
CREATE TABLE `the child` (id INT AUTO_INCREMENT PRIMARY KEY, parent INT,
CONSTRAINT fk FOREIGN KEY (parent) REFERENCES parent (id)) ENGINE=InnoDB"""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    if subprocess.run(
        ["docker", "image", "inspect", IMAGE], check=False, capture_output=True
    ).returncode:
        pytest.skip(f"no image {IMAGE}: make e2e builds it")
    secret = tmp_path_factory.mktemp("secrets") / "mysql_root_password"
    secret.write_text(PASSWORD + "\n")
    secret.parent.chmod(0o755)
    started = subprocess.run(
        [
            "docker", "run", "--detach", "--rm", "--network=none",
            "--env=MYSQL_ROOT_PASSWORD_FILE=/run/secrets/mysql_root_password",
            f"--env=MYSQL_DATABASE={NAME}",
            f"--volume={secret.parent}:/run/secrets:ro",
            "--tmpfs=/var/lib/mysql",  # nothing to keep, so no disk to wait for
            IMAGE,
        ],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    container = started.stdout.strip()
    try:
        wait_for(Database(container))
        yield Database(container)
    finally:
        subprocess.run(["docker", "rm", "-fv", container], check=True)


def wait_for(database: Database) -> None:
    """Return when the real server answers, not that of the first start."""
    deadline = time.monotonic() + 90
    while True:
        try:
            if number(database, "@@GLOBAL.skip_networking") == 0:
                return
        except StackError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)


def number(database: Database, expression: str) -> int:
    return int(database.names(f"SELECT HEX(CONCAT('', 0 + {expression}))")[0])


@pytest.fixture
def site(database: Database) -> Iterator[Database]:
    database.run(
        [
            f"DROP DATABASE IF EXISTS {quoted(NAME)}",
            f"CREATE DATABASE {quoted(NAME)}",
            f"USE {quoted(NAME)}",
            PARENT,
            CHILD,
            *(
                f"INSERT INTO parent VALUES ({i}, {literal(text)}, "
                f"X'{bytes(range(256)).hex()}')"
                for i, text in enumerate(TEXTS)
            ),
            "INSERT INTO `the child` (parent) VALUES (1), (2)",
        ]
    )
    database.load(NAME, objects("old"))
    yield database
    swap.tidy(database, NAME)


def objects(word: str) -> list[bytes]:
    return [
        f"""
DELIMITER ;;
CREATE TRIGGER tr BEFORE INSERT ON parent FOR EACH ROW SET NEW.name = '{word}' ;;
CREATE FUNCTION f() RETURNS TEXT DETERMINISTIC NO SQL RETURN '{word};' ;;
CREATE PROCEDURE `p q`() BEGIN SELECT '{word}'; SELECT 2; END ;;
CREATE VIEW v AS SELECT f() AS word, COUNT(*) AS n FROM parent ;;
CREATE VIEW `-v x.ü` AS SELECT * FROM v ;;
CREATE EVENT ev ON SCHEDULE EVERY 1 DAY DO SELECT '{word}' ;;
DELIMITER ;
""".encode()
    ]


def fail(text: str) -> None:
    raise StackError(text)


def rows(database: Database, name: str = NAME) -> list[list[str]]:
    return database.rows(
        "SELECT HEX(CONCAT('', id)), HEX(name), HEX(HEX(data))"
        f" FROM {quoted(name)}.parent"
        " ORDER BY id"
    )


def kept(database: Database) -> tuple[bytes, bytes]:
    return comparable(database.dump_tables(NAME)), comparable(
        database.dump_objects(NAME)
    )


def comparable(chunks: Iterable[bytes]) -> bytes:
    # MySQL names the character set of a column that was made with it named.
    text = b"".join(chunks).replace(b" CHARACTER SET utf8mb4", b"")
    lines = text.splitlines()
    return b"\n".join(line for line in lines if not line.startswith(b"-- Dump comp"))


def test_all_comes_back_as_it_was(site: Database) -> None:
    before, was = kept(site), rows(site)
    assert [row[1] for row in was] == TEXTS
    tables, others = (
        [b"".join(site.dump_tables(NAME))],
        [b"".join(site.dump_objects(NAME))],
    )
    site.run(
        [
            f"USE {quoted(NAME)}",
            "DROP TRIGGER tr",
            "DELETE FROM `the child`",
            "DELETE FROM parent",
            "CREATE TABLE newer (id INT PRIMARY KEY)",
            "CREATE TRIGGER another AFTER DELETE ON newer FOR EACH ROW SET @x = 1",
            "CREATE VIEW newest AS SELECT * FROM newer",
        ]
    )
    swap.stage(site, NAME, tables)
    with swap.swapped(site, NAME, others):
        pass
    swap.tidy(site, NAME)
    assert rows(site) == was
    assert kept(site) == before
    assert site.tables(NAME) == ["parent", "the child"]
    assert site.views(NAME) == ["-v x.ü", "v"]
    assert not site.tables(swap.staged(NAME))
    assert not site.tables(swap.replaced(NAME))
    with pytest.raises(StackError, match=r"(?i)foreign key"):
        site.run([f"INSERT INTO {quoted(NAME, 'the child')} (parent) VALUES (99)"])


@pytest.mark.parametrize("empty", [True, False])
def test_all_is_as_before_when_what_comes_after_fails(
    site: Database, empty: bool
) -> None:
    tables = [b"".join(site.dump_tables(NAME))]
    if empty:
        site.run([f"DROP DATABASE {quoted(NAME)}", f"CREATE DATABASE {quoted(NAME)}"])
    else:
        site.run([f"UPDATE {quoted(NAME, 'parent')} SET name = 'changed'"])
    before = kept(site)
    swap.stage(site, NAME, tables)
    with (
        pytest.raises(StackError, match=r"^the disk is full; all is as it was$"),
        swap.swapped(site, NAME, objects("new")),
    ):
        fail("the disk is full")
    assert kept(site) == before


def test_all_is_as_before_when_the_last_dump_cannot_be_loaded(site: Database) -> None:
    before = kept(site)
    swap.stage(site, NAME, [b"".join(site.dump_tables(NAME))])
    bad = [*objects("new"), b"CREATE VIEW w AS SELECT * FROM nowhere;\n"]
    with (
        pytest.raises(StackError, match=r"nowhere.*; all is as it was"),
        swap.swapped(site, NAME, bad),
    ):
        pass
    assert kept(site) == before


def test_a_dump_that_cannot_be_loaded_changes_nothing(site: Database) -> None:
    before = kept(site)
    with pytest.raises(StackError, match=r"^loading the dump: ERROR .*syntax"):
        swap.stage(site, NAME, [b"CREATE TABLE a (id INT);\nNONSENSE;\n"])
    with pytest.raises(StackError, match=r"^the backup has no tables$"):
        swap.stage(site, NAME, [b"-- nothing\n"])
    assert kept(site) == before


def test_a_row_twice_as_large_as_the_server_takes(site: Database) -> None:
    """It came in as bytes and goes as hexadecimal digits."""
    packet = number(site, "@@GLOBAL.max_allowed_packet")
    size = min(packet, 32 << 20) * 3 // 4
    site.run(
        [
            f"USE {quoted(NAME)}",
            "CREATE TABLE big (id INT PRIMARY KEY, data LONGBLOB)",
            f"INSERT INTO big VALUES (1, REPEAT(CHAR(255), {size}))",
        ]
    )
    swap.stage(site, NAME, site.dump_tables(NAME))
    staged = quoted(swap.staged(NAME), "big")
    assert number(site, f"(SELECT LENGTH(data) FROM {staged})") == size
    assert number(site, "@@GLOBAL.max_allowed_packet") == packet


def test_the_password_is_in_no_process_list(site: Database) -> None:
    # More than the pipes between hold: the dump waits for who reads it.
    rows = ", ".join(f"({i}, REPEAT('x', 1000000))" for i in range(10))
    site.run(
        [
            f"USE {quoted(NAME)}",
            "CREATE TABLE big (id INT PRIMARY KEY, data LONGTEXT)",
            f"INSERT INTO big VALUES {rows}",
        ]
    )
    dump = site.dump_tables(NAME)
    next(dump)
    seen = []
    for process in Path("/proc").glob("[0-9]*"):
        for file in ("cmdline", "environ"):
            try:
                seen.append((process / file).read_bytes())
            except OSError:
                continue  # ended in between
    assert any(b"dump" in text and b"--single-transaction" in text for text in seen)
    assert not [text for text in seen if PASSWORD.encode() in text]
    for _ in dump:
        pass

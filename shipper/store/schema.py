"""The file: one SQLite database, its tables, and how it is opened.

``entries`` is clustered by (stream, time, arrival): a query reads a stream's range in
one walk, and lines of one timestamp keep the order in which they came.
"""

from __future__ import annotations

import os
import sqlite3
from typing import Final
from urllib.parse import quote

from shipper.store.errors import StoreStartError
from shipper.wire.errors import failure


APPLICATION_ID: Final = 0x4C6F6753  # "LogS"
VERSION: Final = 1
PAGE_BYTES: Final = 8192

_TABLES: Final = """
CREATE TABLE streams (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    labels TEXT NOT NULL,
    UNIQUE (tenant, labels)
) STRICT;
CREATE TABLE labels (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    stream INTEGER NOT NULL,
    PRIMARY KEY (tenant, name, value, stream)
) STRICT, WITHOUT ROWID;
CREATE TABLE entries (
    stream INTEGER NOT NULL,
    ts INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    line BLOB NOT NULL,
    metadata TEXT,
    PRIMARY KEY (stream, ts, seq)
) STRICT, WITHOUT ROWID;
"""


def open_writer(path: str) -> sqlite3.Connection:
    """Return the writing connection to the database *path*, made if it is missing.

    A commit is on the disk when it returns (WAL, synchronous=FULL). Raises
    StoreStartError for a folder that cannot be written and for a file that is damaged,
    another program's, or from a newer version: it is never overwritten.
    """
    folder = os.path.dirname(path) or "."
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise StoreStartError(
            f"storage folder {folder}: {error.strerror}; expected a writable folder"
        ) from None
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, timeout=5
    )
    try:
        _prepare(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise StoreStartError(
            f"storage file {path}: {failure(error)}; expected a writable log store "
            "database"
        ) from None
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(path: str) -> sqlite3.Connection:
    """Return a read-only connection to the database *path*, which must exist."""
    connection = sqlite3.connect(
        f"file:{quote(os.path.abspath(path))}?mode=ro",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=5,
    )
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA cache_size = -8192")
    return connection


def used_bytes(connection: sqlite3.Connection) -> int:
    """Return the bytes of the database's pages that hold something."""
    pages = _pragma(connection, "page_count") - _pragma(connection, "freelist_count")
    return pages * _pragma(connection, "page_size")


def _prepare(connection: sqlite3.Connection, path: str) -> None:
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    empty = _pragma(connection, "schema_version") == 0
    application = _pragma(connection, "application_id")
    version = _pragma(connection, "user_version")
    if empty and application == 0:
        _create(connection)
    elif application != APPLICATION_ID:
        raise StoreStartError(
            f"storage file {path}: another program's database (application id "
            f"{application:#x}); expected a log store's ({APPLICATION_ID:#x})"
        )
    elif version != VERSION:
        raise StoreStartError(
            f"storage file {path}: format {version}; expected format {VERSION}"
        )
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA journal_size_limit = 67108864")
    connection.execute("PRAGMA cache_size = -16384")
    # A write that changes nothing: a read-only file or folder is found out now.
    connection.execute(f"PRAGMA user_version = {VERSION}")
    _check(connection, path)


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(
        f"BEGIN IMMEDIATE; {_TABLES}"
        f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION};"
        "COMMIT;"
    )


def _check(connection: sqlite3.Connection, path: str) -> None:
    """Look at the small tables whole and at one page of the large one."""
    damage = [
        row[0]
        for table in ("streams", "labels")
        for row in connection.execute(f"PRAGMA quick_check({table})")
        if row[0] != "ok"
    ]
    if damage:
        raise StoreStartError(
            f"storage file {path}: {damage[0].splitlines()[0]}; expected an intact "
            "database"
        )
    connection.execute("SELECT stream FROM entries LIMIT 1").fetchall()


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])

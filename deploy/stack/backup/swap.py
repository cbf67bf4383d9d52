"""Put one database in another's place, by names: in a moment, and all tables or none.

The tables change places in one RENAME TABLE. It refuses tables with triggers and has no
word for views, routines and events: those go before and come back from the dump after.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from deploy.stack.backup.database import Database, literal, quoted
from deploy.stack.backup.packing import CHUNK
from deploy.stack.shell import StackError


LONGEST = 64 - len("__replaced")


# HEX, as all that is asked: a name may hold anything.
DROPPED = """
SELECT HEX('TRIGGER'), HEX(TRIGGER_NAME) FROM information_schema.TRIGGERS
WHERE TRIGGER_SCHEMA = {schema}
UNION ALL SELECT HEX('VIEW'), HEX(TABLE_NAME) FROM information_schema.VIEWS
WHERE TABLE_SCHEMA = {schema}
UNION ALL SELECT HEX(ROUTINE_TYPE), HEX(ROUTINE_NAME) FROM information_schema.ROUTINES
WHERE ROUTINE_SCHEMA = {schema}
UNION ALL SELECT HEX('EVENT'), HEX(EVENT_NAME) FROM information_schema.EVENTS
WHERE EVENT_SCHEMA = {schema}
"""


def staged(name: str) -> str:
    """Return the database in which the one that comes is made."""
    return f"{name[:LONGEST]}__restore"


def replaced(name: str) -> str:
    """Return the database in which the one that goes waits."""
    return f"{name[:LONGEST]}__replaced"


def stage(database: Database, name: str, tables: Iterable[bytes]) -> None:
    """Load *tables* beside the database *name*, which nobody notices."""
    tidy(database, name)
    database.run([f"CREATE DATABASE {quoted(staged(name))}"])
    database.load(staged(name), tables)
    if not database.tables(staged(name)):
        raise StackError("the backup has no tables")


def tidy(database: Database, name: str) -> None:
    """Drop what `stage` and `swap` left beside the database *name*."""
    database.run(
        f"DROP DATABASE IF EXISTS {quoted(other)}"
        for other in (staged(name), replaced(name))
    )


@contextmanager
def swapped(database: Database, name: str, objects: Iterable[bytes]) -> Iterator[None]:
    """Put what was staged in the place of *name* for what is done in the block.

    All is as before where that, or the block, fails.
    """
    with tempfile.TemporaryFile() as before:
        before.writelines(database.dump_objects(name))
        try:
            replace(database, staged(name), name, replaced(name))
            database.load(name, objects)
            yield
        except BaseException as error:
            before.seek(0)
            unswap(database, name, iter(lambda: before.read(CHUNK), b""))
            if isinstance(error, StackError):
                raise StackError(f"{error}; all is as it was") from error
            raise


def unswap(database: Database, name: str, objects: Iterable[bytes]) -> None:
    """Undo a swap that ended half way, with the *objects* that *name* had."""
    if not database.tables(staged(name)):
        replace(database, replaced(name), name, staged(name))
    else:
        database.run(drop_objects(database, name))
    database.load(name, objects)


def replace(database: Database, source: str, target: str, aside: str) -> None:
    """Move the tables of *target* to *aside* and those of *source* to *target*."""
    moves = [
        *((target, aside, table) for table in database.tables(target)),
        *((source, target, table) for table in database.tables(source)),
    ]
    database.run(
        [
            f"CREATE DATABASE IF NOT EXISTS {quoted(target)}",
            f"CREATE DATABASE IF NOT EXISTS {quoted(aside)}",
            *drop_objects(database, target),
            "SET FOREIGN_KEY_CHECKS = 0",
            *([rename(moves)] if moves else []),
        ]
    )


def rename(moves: Iterable[tuple[str, str, str]]) -> str:
    """Return the statement that makes *moves* (from, to, table), all or none."""
    pairs = [f"{quoted(a, table)} TO {quoted(b, table)}" for a, b, table in moves]
    return f"RENAME TABLE {', '.join(pairs)}"


def drop_objects(database: Database, name: str) -> Iterator[str]:
    """Yield the statements that drop triggers, views, routines and events of *name*."""
    schema = literal(name)
    rows = database.rows(DROPPED.format(schema=schema))
    for kind, entry in rows:
        yield f"DROP {kind} {quoted(name, entry)}"

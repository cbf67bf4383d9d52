"""The command line of ``python -m shipper.store``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from exporters.toolkit import lifecycle, logs
from exporters.toolkit.flags import (
    Program,
    Values,
    boolean,
    main as run_program,
    string,
)
from exporters.toolkit.web import listen_address
from shipper.store.app import run
from shipper.store.limits import LIMIT_FLAGS, age, limits_from, size
from shipper.store.settings import RetentionPolicy, Settings
from shipper.wire.model import SECOND_NS


STORAGE_PATH: Final = string(
    "storage.path",
    "The database file; made with its folder when it is missing.",
    default="data/logs.db",
)
LISTEN: Final = listen_address(":3100")
AUTH: Final = boolean(
    "auth.enabled",
    "Keep tenants apart by X-Scope-OrgID; without it all is the tenant fake.",
)
RETENTION: Final = age(
    "store.retention",
    "Delete lines older than this; 0 keeps them.",
    31 * 86400 * SECOND_NS,
)
RETENTION_SIZE: Final = size(
    "store.retention-size",
    "Delete the oldest lines while the database holds more than this; 0: no limit.",
    0,
)

PROGRAM: Final = Program(
    name="log_store",
    help="A small log store with Loki's HTTP API, in one SQLite file.",
    flags=(
        STORAGE_PATH,
        LISTEN,
        AUTH,
        RETENTION,
        RETENTION_SIZE,
        *LIMIT_FLAGS,
        logs.LOG_LEVEL,
        logs.LOG_FORMAT,
    ),
)


def main(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run the store with the arguments *argv* and return its exit code."""
    return run_program(PROGRAM, argv, environ, _run)


def settings_from(values: Values) -> Settings:
    """Return the settings that the parsed command line asks for."""
    return Settings(
        path=values[STORAGE_PATH],
        listen=values[LISTEN],
        auth_enabled=values[AUTH],
        limits=limits_from(values),
        policy=RetentionPolicy(values[RETENTION], values[RETENTION_SIZE]),
    )


def _run(values: Values) -> int:
    logs.setup(values[logs.LOG_LEVEL], values[logs.LOG_FORMAT])
    settings = settings_from(values)
    return lifecycle.run(lambda stop: run(settings, stop))

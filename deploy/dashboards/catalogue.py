"""The dashboards that there are, and their JSON."""

from __future__ import annotations

import json

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.dashboards import (
    host,
    logs,
    monitoring,
    nginx,
    overview,
    php_fpm,
    wordpress,
)
from deploy.stack.settings import DEPLOY


FOLDER = DEPLOY / "grafana" / "dashboards"
MODULES = (overview, host, nginx, php_fpm, wordpress, logs, monitoring)


def rendered() -> dict[str, str]:
    """Return what each file of the folder holds, by its name."""
    boards = [module.build() for module in MODULES]
    return {f"{board.uid}.json": text(board) for board in boards}


def text(board: Dashboard) -> str:
    """Return *board* as JSON in which a change is a change of few lines."""
    return json.dumps(board, cls=JSONEncoder, indent=1, sort_keys=True) + "\n"

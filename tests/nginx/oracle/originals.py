"""The originals that ours runs beside: where each is, and what it had already."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass

import pytest


@dataclass(frozen=True, slots=True)
class Original:
    """A released program of upstream, named by a variable of the environment."""

    version: str
    variable: str
    single_dash: bool = False  # 0.x: one dash, one URI, --nginx.retries
    name_filter: bool = True  # ?name[]= came with client_golang 1.24

    def __str__(self) -> str:
        """Return the version, for the name of a test."""
        return self.version

    def find(self) -> str | None:
        """Return its path, None if it is not here."""
        given = os.environ.get(self.variable, "")
        return shutil.which(given) if given else None

    def program(self) -> str:
        """Return its path, or skip the test and say why."""
        found = self.find()
        if found is None:
            given = os.environ.get(self.variable, "")
            pytest.skip(f"no nginx exporter {self.version} at {self.variable}={given}")
        return found


BOOKWORM = Original("0.11.0", "NGINX_EXPORTER", single_dash=True, name_filter=False)
SID = Original("1.5.1", "NGINX_EXPORTER_SID", name_filter=False)
MASTER = Original("master", "NGINX_EXPORTER_MASTER")
ONE_X = (SID, MASTER)

"""Programs that are not ours: named by a variable, installed, or unpacked."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

import pytest


_ORACLES: Final = Path(__file__).parents[1] / "deploy" / ".state" / "oracles"
# Where deploy/oracles puts what Debian has, and what its sid has.
UNPACKED: Final = str(_ORACLES / "usr" / "bin")
SID: Final = str(_ORACLES / "sid" / "usr" / "bin")
# nginx and others stand where PATH need not lead.
SYSTEM: Final = f"/usr/sbin:{_ORACLES / 'usr' / 'sbin'}"


def program(variable: str, name: str, places: str) -> str:
    """Return the path of a program, or skip the test and say why."""
    # make names it, whether or not it could be had (deploy/oracles).
    path = f"{os.environ.get('PATH', '')}:{places}"
    found = shutil.which(os.environ.get(variable) or name, path=path)
    if not found:
        pytest.skip(f"no {name}: not in ${variable}, PATH or {places}")
    return found

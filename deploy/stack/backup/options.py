"""What stands behind `make backup` and `make restore` on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from deploy.stack.shell import StackError


def parsed(parser: argparse.ArgumentParser, rest: Sequence[str]) -> argparse.Namespace:
    """Return what *rest* asks for; raise StackError when it is not understood."""
    try:
        found, unknown = parser.parse_known_args(rest)
    except argparse.ArgumentError as error:
        raise StackError(f"{parser.prog}: {error}") from error
    if unknown:
        raise StackError(f"{parser.prog}: unknown {' '.join(unknown)}")
    return found

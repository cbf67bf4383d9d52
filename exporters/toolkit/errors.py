"""The two ways a program may refuse to start."""

from __future__ import annotations


class StartError(Exception):
    """Say in one line what was read, where, and what was expected; exit code 1."""


class UsageError(StartError):
    """Report a command line that kingpin would refuse (``…, try --help``)."""

"""What can go wrong while nginx is read: one root, always one line of text."""

from __future__ import annotations


class ScrapeError(Exception):
    """Say in one line what was read from nginx and what was expected.

    The text carries no credentials: it goes to the log as it is.
    """


class StubStatusError(ScrapeError):
    """Report a body that is not a stub_status page."""

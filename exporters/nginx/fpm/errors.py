"""What can go wrong while php-fpm is read."""

from __future__ import annotations

from exporters.nginx.errors import ScrapeError


class FpmError(ScrapeError):
    """Say in one line what was asked of php-fpm and what was expected."""

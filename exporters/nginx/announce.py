"""Say once, at the start, what will be asked and read: the first thing to look at.

Upstream says nothing of its targets; a typing error shows at the first scrape there.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final


log = logging.getLogger(__name__)

SHOWN: Final = 10


def announce(message: str, names: Iterable[str]) -> None:
    """Log *message* with *names*, of a thousand the first ten and how many more.

    *names* must be without credentials. Without any nothing is logged.
    """
    first, rest = (found := list(names))[:SHOWN], found[SHOWN:]
    if not first:
        return
    fields: dict[str, object] = {"targets": ", ".join(first)}
    if rest:
        fields["more"] = len(rest)
    log.info(message, extra={"fields": fields})

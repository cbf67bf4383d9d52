"""Match texts with ``*`` in them: never across what separates their parts.

In time that grows with the text and not with the number of stars: who sends a target
chooses the text.
"""

from __future__ import annotations


def matches_parts(pattern: str, text: str, separator: str) -> bool:
    """Return whether *text* has the parts of *pattern*, each ``*`` within one."""
    globs, parts = pattern.split(separator), text.split(separator)
    return len(globs) == len(parts) and all(map(matches, globs, parts))


def matches(pattern: str, text: str) -> bool:
    """Return whether *text* is *pattern*, in which ``*`` is any text."""
    first, *rest = pattern.split("*")
    if not rest:
        return text == first
    *middle, last = rest
    place, end = len(first), len(text) - len(last)
    if place > end or not (text.startswith(first) and text.endswith(last)):
        return False
    for part in middle:
        place = text.find(part, place, end)
        if place < 0:
            return False
        place += len(part)
    return True

"""Look at a bcrypt hash without computing one (golang.org/x/crypto ``bcrypt``)."""

from __future__ import annotations

import re
from typing import Final


_SHORTEST: Final = 59
_LOWEST_COST, _HIGHEST_COST = 4, 31
_COST: Final = re.compile(r"[-+]?[0-9]+", re.ASCII)


def hash_problem(hashed: str) -> str | None:
    """Return why *hashed* is no hash, with upstream's text, or None.

    No text shows the hash: of what is no hash it may be the password.
    """
    if len(hashed) < _SHORTEST:
        return "crypto/bcrypt: hashedSecret too short to be a bcrypted password"
    if hashed[0] != "$":
        return "crypto/bcrypt: bcrypt hashes must start with '$'"
    if hashed[1] > "2":
        return (
            "crypto/bcrypt: bcrypt algorithm version requested is newer than current"
            " version '2'"
        )
    cost = hashed[3:5] if hashed[2] == "$" else hashed[4:6]
    if not _COST.fullmatch(cost):
        return "crypto/bcrypt: expected the cost, two digits, behind the version"
    if not _LOWEST_COST <= int(cost) <= _HIGHEST_COST:
        return (
            f"crypto/bcrypt: cost {int(cost)} is outside allowed inclusive range"
            f" {_LOWEST_COST}..{_HIGHEST_COST}"
        )
    return None

"""Check user and password of a request (exporter-toolkit ``handler.go``, ``cache.go``).

One bcrypt at a time, in a thread of its own. Unknown users cost what known ones do.
What was right once is remembered for as long as its hash is in the file; what was
wrong is remembered apart, so nobody can push a scraper's password out by guessing.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import os
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from .decode import Secret


# A hash of nothing, behind its cost: what users that are not there are compared with.
_NOBODY = "." * 22 + "M" * 31
_REMEMBERED = 100
# bcrypt looks at no more; the library refuses what is longer.
_LONGEST = 72


class Credentials(NamedTuple):
    """What a client says who it is."""

    user: str
    password: Secret


def parse_basic(header: str) -> Credentials | None:
    """Return what an Authorization *header* says, or None if it is no Basic one."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        plain = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
    text = plain.decode("utf-8", "surrogateescape")
    user, colon, password = text.partition(":")
    return Credentials(user, Secret(password)) if colon else None


class BasicAuth:
    """Remembers who was right and who was wrong."""

    def __init__(self) -> None:
        self._right: dict[str, bytes] = {}
        self._wrong: OrderedDict[bytes, None] = OrderedDict()
        self._salt = os.urandom(32)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="web-bcrypt")

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def allows(self, users: Mapping[str, Secret], given: Credentials) -> bool:
        """Tell whether *given* are the user and password of one of *users*."""
        known = given.user in users
        hashed = users[given.user] if known else _nobody(users)
        key = self._key(given, hashed)
        if known and self._right.get(given.user) == key:
            return True
        if key in self._wrong:
            return False
        loop = asyncio.get_running_loop()
        same = await loop.run_in_executor(
            self._thread, _matches, given.password, hashed
        )
        self._remember(given.user, key, users, right=same and known)
        return same and known

    def _remember(
        self, user: str, key: bytes, users: Mapping[str, Secret], *, right: bool
    ) -> None:
        if right:
            kept = {name: old for name, old in self._right.items() if name in users}
            self._right = {**kept, user: key}
            return
        self._wrong[key] = None
        while len(self._wrong) > _REMEMBERED:
            self._wrong.popitem(last=False)

    def _key(self, given: Credentials, hashed: Secret) -> bytes:
        """Return what stands for the three in memory; no password can be read in it."""
        parts = (given.user, given.password.reveal(), hashed.reveal())
        digest = hashlib.blake2b(key=self._salt)
        for part in parts:
            data = part.encode("utf-8", "surrogateescape")
            digest.update(len(data).to_bytes(8, "big") + data)
        return digest.digest()


def _nobody(users: Mapping[str, Secret]) -> Secret:
    """Return a hash that costs what the dearest of *users* costs."""
    costs = [hashed.reveal()[4:6] for hashed in users.values()]
    cost = max([cost for cost in costs if cost.isdecimal()], default="10")
    return Secret(f"$2b${cost}${_NOBODY}")


def _matches(password: Secret, hashed: Secret) -> bool:
    # Loaded where there are users; memory is what an exporter is short of.
    import bcrypt  # noqa: PLC0415

    data = password.reveal().encode("utf-8", "surrogateescape")[:_LONGEST]
    try:
        return bcrypt.checkpw(data, hashed.reveal().encode())
    except ValueError:  # no hash: upstream starts with none, but it may become one
        return False

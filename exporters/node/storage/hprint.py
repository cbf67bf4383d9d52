"""Numbers as bcache and bcachefs print them for people: ``4.9k``, ``226G``.

The writers are ``bch_hprint`` (drivers/md/bcache/util.c) and
``prt_human_readable_u64`` (fs/bcachefs/util/printbuf.c). Units are powers of 1024.
"""

from __future__ import annotations

import re


# No file has more digits than 64 bits need; more would not fit into a float.
_NUMBER = re.compile(r"(-?)([0-9]{1,20})(?:\.([0-9]{1,20}))? *([kKMGTPEZY]?)")
_FACTORS = {unit: 1024.0**power for power, unit in enumerate(("", *"kMGTPEZY"))}


def parse_bcache(text: str) -> int:
    """Return a number of bcache, which may be negative. Raises ValueError.

    What follows the dot is no decimal fraction but 0 to 1023 divided by 100: .10 is
    more than .9. Upstream divides it by 10.24, hence so does this.
    """
    sign, whole, fraction, unit = _split(text)
    if not unit:
        number = float(f"{whole}.{fraction}")
    else:
        number = (float(whole) + float(fraction) / 10.24) * _FACTORS[unit]
    return int(-number if sign else number)


def parse_bcachefs(text: str) -> int:
    """Return a number of bcachefs, cut off to an integer. Raises ValueError."""
    sign, whole, fraction, unit = _split(text.strip())
    number = float(f"{whole}.{fraction}") * _FACTORS[unit]
    return int(-number if sign else number)


def _split(text: str) -> tuple[str, str, str, str]:
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise ValueError(f"expected a number such as 4.9k, got {text[:60]!r}")
    unit = "k" if found[4] == "K" else found[4]
    return found[1], found[2], found[3] or "0", unit

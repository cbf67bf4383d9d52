"""Write the time as HTTP does: ``Sun, 06 Nov 1994 08:49:37 GMT``.

In place of ``email.utils.formatdate``, which imports 2 MiB of mail.
"""

from __future__ import annotations

import functools
import time


_DAYS = "MonTueWedThuFriSatSun"
_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"


@functools.lru_cache(maxsize=1)
def http_date(seconds: int) -> str:
    """Return the time *seconds* after 1970; the last one is remembered."""
    year, month, day, hour, minute, second, weekday, _, _ = time.gmtime(seconds)
    return (
        f"{_DAYS[3 * weekday :][:3]}, {day:02} {_MONTHS[3 * month - 3 :][:3]} {year:04}"
        f" {hour:02}:{minute:02}:{second:02} GMT"
    )

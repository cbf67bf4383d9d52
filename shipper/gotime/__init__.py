"""Go's times: layouts such as ``02/Jan/2006:15:04:05 -0700`` (Go's package time).

A layout is the reference time, Mon Jan 2 15:04:05 MST 2006, as the logs write it.
Times are nanoseconds since 1970, as exact as they are written.
"""

from __future__ import annotations

from shipper.gotime.location import UTC, Location, local
from shipper.gotime.parse import Layout, TimeError
from shipper.gotime.render import format_time


__all__ = ["UTC", "Layout", "Location", "TimeError", "format_time", "local"]

"""What a syslog message says, whichever RFC it follows, and its names for numbers.

The keywords are those of go-syslog (common/facility.go, severity.go): they are in the
labels that promtail's users filter by.
"""

from __future__ import annotations

from typing import Final, NamedTuple


SEVERITIES: Final = (
    "emergency", "alert", "critical", "error",
    "warning", "notice", "informational", "debug",
)  # fmt: skip
FACILITIES: Final = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news",
    "uucp", "cron", "authpriv", "ftp", "ntp", "security", "console", "cron2",
    "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
)  # fmt: skip

Params = tuple[tuple[str, str], ...]
StructuredData = tuple[tuple[str, Params], ...]


class ParseError(ValueError):
    """Report bytes that are no syslog message of the format asked for."""


class Message(NamedTuple):
    """One message. A field that was left out, or is ``-``, is the empty string.

    *timestamp_ns* counts from 1970, None without a timestamp; *timestamp* is how RFC
    5424 writes it. *structured_data* has no name twice; *text* is as it was received.
    """

    priority: int
    timestamp_ns: int | None
    hostname: str
    app_name: str
    proc_id: str
    msg_id: str
    text: bytes
    structured_data: StructuredData = ()
    timestamp: str = ""
    version: int = 0

    @property
    def severity(self) -> str:
        """Return the keyword of the severity."""
        return SEVERITIES[self.priority & 7]

    @property
    def facility(self) -> str:
        """Return the keyword of the facility."""
        return FACILITIES[self.priority >> 3]

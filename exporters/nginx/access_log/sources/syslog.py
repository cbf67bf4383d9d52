"""Syslog messages as nginx sends them: bytes in, tag and text out.

``<190>Oct 11 22:14:15 host nginx: text``, without the host when ``nohostname`` is set
(nginx ``ngx_syslog.c``, ngx_syslog_add_header). A relay may have rewritten the time
(RFC 3339) or the whole header (RFC 5424: the tag is APP-NAME); both are read, too.
rsyslog's RSYSLOG_SyslogProtocol23Format has two blanks in front of the text.
"""

from __future__ import annotations

import re
from typing import Final


# The text of a message is what follows the match; the tag is the group that is set.
# Without a host first: ``nginx: a b: c`` must not be host "nginx:" and tag "b". Every
# repetition is bounded: what no nginx sends costs no more than a look.
_MESSAGE: Final = re.compile(
    rb"<\d{1,3}>(?:"
    rb"(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT[^ ]{8,32}) "
    rb"(?:[^ ]{1,255} {1,2})??([^ :\[]{1,48})(?:\[[^\] ]{0,64}\])?:(?: |$)"
    rb"|1 [^ ]{1,64} [^ ]{1,255} ([^ ]{1,48}) [^ ]{1,128} [^ ]{1,32} "
    rb'(?:-|(?:\[(?:[^\]"\\]|"(?:[^"\\]|\\.)*")*\])+)(?: {1,2}(?:\xef\xbb\xbf)?|$)'
    rb")"
)
# What error_log writes to the same server with the same tag (ngx_log.c,
# ngx_log_error_core); no log_format begins like that.
_ERROR_LOG: Final = re.compile(
    rb"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d "
    rb"\[(?:emerg|alert|crit|error|warn|notice|info|debug)\] "
)


def parse_message(data: bytes) -> tuple[bytes, bytes] | None:
    """Return tag and text of the message *data*, None when it is none."""
    found = _MESSAGE.match(data)
    if found is None:
        return None
    text = data[found.end() :]
    if text.endswith((b"\n", b"\0")):
        text = text.rstrip(b"\r\n\0")
    return found[1] or found[2], text


def is_error_log(text: bytes) -> bool:
    """Say whether *text* comes from error_log, and not from access_log."""
    return _ERROR_LOG.match(text) is not None

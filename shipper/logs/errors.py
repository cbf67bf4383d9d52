"""What keeps the lines from being shown, as one line for people and a hint."""

from __future__ import annotations


class LogsError(Exception):
    """Report in one line what failed; *hint* says what may help."""

    def __init__(self, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint


class UsageError(LogsError):
    """Report a command line that cannot be understood; exit code 2."""


class Unreachable(LogsError):  # noqa: N818 -- a state, which may pass
    """Report that the server gives no answer now; asking again may help."""


class Refused(LogsError):  # noqa: N818 -- an answer
    """Report that the server answered with *status* and not with what was asked."""

    def __init__(self, status: int, text: str, hint: str = "") -> None:
        super().__init__(text, hint)
        self.status = status

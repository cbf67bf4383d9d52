from __future__ import annotations

import errno

import pytest

from exporters.node.errno_text import errno_text, error_text


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (errno.ENOENT, "no such file or directory"),
        (errno.EACCES, "permission denied"),
        (errno.EIO, "input/output error"),
        (errno.ENOTCONN, "transport endpoint is not connected"),
        (errno.ESTALE, "stale NFS file handle"),
        (errno.EHOSTDOWN, "host is down"),
        (errno.EDOTDOT, "RFS specific error"),
    ],
)
def test_words_are_those_of_go(code: int, expected: str) -> None:
    assert errno_text(code) == expected


def test_an_error_without_a_number_keeps_its_text() -> None:
    assert error_text(OSError("odd")) == "odd"

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from exporters.nginx.access_log.sources import unix_socket
from exporters.nginx.access_log.sources.listen import Listen
from exporters.nginx.access_log.sources.unix_socket import UnixSocket
from exporters.toolkit.errors import StartError
from tests.nginx.access_log.sending import send_unix


@contextmanager
def opened(path: Path, mode: int = 0o666) -> Iterator[socket.socket]:
    unix = UnixSocket(Listen("unix", path=str(path)), mode)
    with unix.open() as sock:
        yield sock
    unix.remove()


def test_a_socket_file_comes_and_goes(tmp_path: Path) -> None:
    path = tmp_path / "access.sock"
    with opened(path, 0o620) as sock:
        assert stat.S_IMODE(path.stat().st_mode) == 0o620
        send_unix(path, b"x")
        assert sock.recv(10) == b"x"
        with pytest.raises(BlockingIOError):
            sock.recv(10)
    assert not path.exists()


def test_what_an_exporter_left_that_was_killed_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "access.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as killed:
        killed.bind(str(path))
    with opened(path) as sock:
        send_unix(path, b"x")
        assert sock.recv(10) == b"x"


def test_what_another_program_put_there_is_left(tmp_path: Path) -> None:
    path = tmp_path / "access.sock"
    with opened(path):
        path.unlink()
        path.write_text("other")
    assert path.read_text() == "other"
    path.unlink()
    with opened(path):
        path.unlink()
    assert not path.exists()


def test_a_file_that_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "access.sock"
    unix = UnixSocket(Listen("unix", path=str(path)), 0o666)
    with unix.open():
        assert not unix.is_lost()
        path.unlink()
        assert unix.is_lost()
        with unix.open() as sock:
            assert not unix.is_lost()
            send_unix(path, b"x")
            assert sock.recv(10) == b"x"
            path.unlink()
            path.touch()  # another's: left alone
            assert not unix.is_lost()


def _error(path: Path) -> str:
    with pytest.raises(StartError) as caught:
        UnixSocket(Listen("unix", path=str(path)), 0o666).open()
    return str(caught.value)


def test_a_path_that_cannot_be_used(tmp_path: Path) -> None:
    path = tmp_path / "access.sock"
    with opened(path):
        assert _error(path) == f"listen unix:{path}: bind: address already in use"
    path.write_text("mine")
    assert _error(path) == (
        f"listen unix:{path}: expected a socket or nothing at that path, found "
        "another kind of file"
    )
    assert path.read_text() == "mine"
    nowhere = tmp_path / "none" / "access.sock"
    assert _error(nowhere) == (
        f"listen unix:{nowhere}: expected the folder {nowhere.parent}, which nginx "
        "sees, too: there is none"
    )


def test_a_folder_where_nothing_can_be_made() -> None:
    # What root is refused, too.
    assert _error(Path("/proc/access.sock")).startswith(
        "listen unix:/proc/access.sock: bind: "
    )


@pytest.mark.parametrize(
    ("call", "said"),
    [("chmod", "bind"), ("unlink", "remove the socket of before")],
)
def test_a_folder_of_another_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, said: str
) -> None:
    """As a volume is that another container made; root is refused nothing there."""
    path = tmp_path / "access.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as killed:
        killed.bind(str(path))

    def denied(*_: object) -> None:
        raise PermissionError(errno.EACCES, "x")

    monkeypatch.setattr(os, call, denied)
    monkeypatch.setattr(os, "geteuid", lambda: 65534)
    assert _error(path) == (
        f"listen unix:{path}: {said}: permission denied: expected a folder that user "
        f"65534 may write to, {tmp_path} is user {tmp_path.stat().st_uid}'s"
    )


@pytest.mark.parametrize(("length", "warned"), [("10", True), ("512", False)])
def test_a_short_queue_is_said(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    length: str,
    warned: bool,
) -> None:
    (tmp_path / "qlen").write_text(f"{length}\n")
    monkeypatch.setattr(unix_socket, "_QUEUE", tmp_path / "qlen")
    UnixSocket(Listen("unix", path="/a"), 0o666).look_at_queue()
    assert [record.__dict__["fields"]["more"] for record in caplog.records] == [
        "sysctl net.unix.max_dgram_qlen=512"
    ] * warned

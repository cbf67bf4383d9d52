from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from exporters.toolkit import unix_socket
from exporters.toolkit.errors import StartError
from exporters.toolkit.listen import format_address, open_listener


@pytest.mark.parametrize(
    ("address", "path", "request_path"),
    [
        ("unix:/run/x.sock", "/run/x.sock", ""),
        ("unix:/run/x.sock:/metrics", "/run/x.sock", "/metrics"),
        ("unix:/run/x.sock:/", "/run/x.sock", "/"),
        ("unix:/run/a:b.sock", "/run/a:b.sock", ""),
        ("unix:x.sock", "x.sock", ""),
        ("unix:@name", "\0name", ""),
        ("unix:", "", ""),
    ],
)
def test_split(address: str, path: str, request_path: str) -> None:
    assert unix_socket.split(address) == (path, request_path)


async def test_closing_takes_the_file_along(tmp_path: Path) -> None:
    path = tmp_path / "s"
    before = os.umask(0o027)
    try:
        with await open_listener(f"unix:{path}") as sock:
            assert format_address(sock) == str(path)
            assert path.stat().st_mode & 0o777 == 0o750, "the umask, as in Go"
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(path))
            sock.close()
            assert not path.exists()
    finally:
        os.umask(before)


def test_a_file_that_a_killed_program_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
    with unix_socket.listen(f"unix:{path}"):
        assert path.is_socket()
    assert not path.exists()


def test_a_listener_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with unix_socket.listen(f"unix:{path}") as first:
        with pytest.raises(StartError) as caught:
            unix_socket.listen(f"unix:{path}")
        assert path.is_socket(), "who could not listen there removes nothing"
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            first.accept()[0].close()
    text = f"listen unix {path}: bind: address already in use"
    assert str(caught.value) == text


@pytest.mark.parametrize("kind", ["file", "directory", "link"])
def test_what_is_no_socket_stays(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x"
    if kind == "file":
        path.write_text("precious")
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StartError, match=r"bind: address already in use$"):
        unix_socket.listen(f"unix:{path}")
    assert os.path.lexists(path)


def test_a_file_that_is_another_ones_by_now_stays(tmp_path: Path) -> None:
    path = tmp_path / "s"
    first = unix_socket.listen(f"unix:{path}")
    path.unlink()
    with unix_socket.listen(f"unix:{path}"):
        first.close()
        assert path.is_socket()
    assert not path.exists()


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with unix_socket.listen(f"unix:{path}"):
        path.unlink()


def test_abstract_namespace(tmp_path: Path) -> None:
    address = f"unix:@{tmp_path}"
    with unix_socket.listen(address):
        with pytest.raises(StartError) as caught:
            unix_socket.listen(address)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(f"\0{tmp_path}")
    text = f"listen unix @{tmp_path}: bind: address already in use"
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("unix:", "listen unix:: expected unix:/path/of/socket"),
        (
            "unix:/none/s",
            "listen unix /none/s: bind: no such file or directory",
        ),
        (
            f"unix:/{'x' * 200}",
            f"listen unix /{'x' * 200}: bind: AF_UNIX path too long",
        ),
    ],
)
async def test_refused(address: str, text: str) -> None:
    with pytest.raises(StartError) as caught:
        await open_listener(address)
    assert str(caught.value) == text

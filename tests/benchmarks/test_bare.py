from __future__ import annotations

import socket
import threading

import pytest

from benchmarks import bare
from benchmarks.process import BenchmarkError


def serve(server: socket.socket, answers: int) -> None:
    """Answer the first connection so often, and close it."""
    connection, _ = server.accept()
    with connection:
        for _ in range(answers):
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize(("answers", "whole"), [(6, True), (3, False)])
def test_rounds(answers: int, whole: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server, answers))
        thread.start()
        port = server.getsockname()[1]
        if whole:
            found = bare.rounds([port], [3, 2])
            assert len(found) == 2
            assert all(seconds > 0 for seconds in found)
        else:
            with pytest.raises((BenchmarkError, ConnectionError)):
                bare.rounds([port], [3, 2])
        thread.join()

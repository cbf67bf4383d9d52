from __future__ import annotations

from hypothesis import given, strategies as st

from shipper.logs.lines import Line
from shipper.logs.query import Ask, Pager, Window


LABELS = (("app", "a"),)


class Server:
    """Answers as Loki does: the first or last lines of a window, at most *most*."""

    def __init__(self, times: list[int], most: int) -> None:
        self.lines = [Line(t, LABELS, f"line {n}") for n, t in enumerate(sorted(times))]
        self.most = most
        self.asked = 0

    def answer(self, ask: Ask) -> list[Line] | None:
        self.asked += 1
        if ask.limit > self.most:
            return None
        window = ask.window
        found = [
            line
            for line in self.lines
            if window.start_ns <= line.timestamp_ns < window.end_ns
        ]
        return found[: ask.limit] if ask.forward else found[-ask.limit :]


def read(server: Server, pager: Pager) -> list[Line]:
    pages: list[list[Line]] = []
    while (ask := pager.ask()) is not None:
        lines = server.answer(ask)
        if lines is None:
            assert pager.refused(server.most)
            continue
        page = pager.take(lines)
        forward = pager._forward
        pages = [*pages, page] if forward else [page, *pages]
    return [line for page in pages for line in page]


@given(
    times=st.lists(st.integers(0, 12), max_size=60),
    most=st.integers(8, 40),
    batch=st.integers(1, 60),
    limit=st.none() | st.integers(1, 70),
    forward=st.booleans(),
)
def test_nothing_is_lost_and_nothing_twice(
    times: list[int], most: int, batch: int, limit: int | None, forward: bool
) -> None:
    server = Server(times, most)
    pager = Pager(Window(0, 13), limit=limit, forward=forward, batch=batch)
    found = read(server, pager)
    if max((times.count(t) for t in times), default=0) > most:
        # Not even both ends of such a time together need to be all of it.
        assert len(set(found)) == len(found)
        return
    wanted = server.lines
    if limit is not None:
        wanted = wanted[:limit] if forward else wanted[-limit:]
    assert found == wanted
    assert not pager.hidden_at


def test_a_time_with_up_to_twice_the_servers_limit_is_read_from_both_ends() -> None:
    for forward in (True, False):
        server = Server([1] + [5] * 19 + [7], 10)
        pager = Pager(Window(0, 9), limit=None, forward=forward, batch=4)
        assert read(server, pager) == server.lines
        assert not pager.hidden_at


def test_more_lines_of_one_time_than_the_server_gives_are_told() -> None:
    for forward in (True, False):
        server = Server([1] + [5] * 25 + [7], 10)
        pager = Pager(Window(0, 9), limit=None, forward=forward, batch=10)
        found = read(server, pager)
        assert len(found) == 22
        assert found == sorted(set(found), key=server.lines.index)
        assert pager.hidden_at == [5]


def test_a_limit_within_a_batch_is_one_request() -> None:
    server = Server(list(range(50)), 5000)
    found = read(server, Pager(Window(0, 60), limit=30, forward=False))
    assert [line.timestamp_ns for line in found] == list(range(20, 50))
    assert server.asked == 1


def test_an_empty_window_asks_nothing() -> None:
    assert Pager(Window(5, 5), limit=None, forward=True).ask() is None


def test_a_refusal_that_does_not_help_is_said() -> None:
    pager = Pager(Window(0, 5), limit=None, forward=True, batch=10)
    assert pager.refused(5)
    assert not pager.refused(5)


def test_the_parameters_are_lokis() -> None:
    assert Ask(Window(1, 2), 3, forward=False).params("{a='b'}") == {
        "query": "{a='b'}",
        "start": "1",
        "end": "2",
        "limit": "3",
        "direction": "backward",
    }

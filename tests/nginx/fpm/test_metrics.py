from __future__ import annotations

from dataclasses import replace

import pytest

from exporters.nginx.fpm.metrics import Reading, fpm_metrics
from exporters.nginx.fpm.names import STATES
from exporters.nginx.fpm.status import parse_status
from exporters.nginx.fpm.unix_queue import Queue
from exporters.toolkit.exposition import encode
from tests.nginx.fpm.conftest import samples
from tests.nginx.fpm.pages import child, page


STATUS = parse_status(page(child(), peak=',"memory peak":8388608'))
WWW = 'pool="www",scrape_uri="tcp://h/status"'
CHILD = f'child="0",{WWW}'


def _text(*readings: Reading, processes: bool = True) -> list[str]:
    return encode(fpm_metrics(readings, processes=processes)).decode().splitlines()


def test_every_name() -> None:
    lines = _text(Reading("tcp://h/status", "www", 0, STATUS))
    assert [line for line in lines if not line.startswith("#")] == [
        f"phpfpm_accepted_connections{{{WWW}}} 31",
        f"phpfpm_active_processes{{{WWW}}} 2",
        f"phpfpm_idle_processes{{{WWW}}} 1",
        f"phpfpm_listen_queue{{{WWW}}} 2",
        f"phpfpm_listen_queue_length{{{WWW}}} 511",
        f"phpfpm_max_active_processes{{{WWW}}} 3",
        f"phpfpm_max_children_reached{{{WWW}}} 4",
        f"phpfpm_max_listen_queue{{{WWW}}} 5",
        f"phpfpm_memory_peak{{{WWW}}} 8.388608e+06",
        f"phpfpm_process_last_request_cpu{{{CHILD}}} 12.5",
        f"phpfpm_process_last_request_memory{{{CHILD}}} 2.097152e+06",
        f"phpfpm_process_request_duration{{{CHILD}}} 850",
        f"phpfpm_process_requests{{{CHILD}}} 7",
        f'phpfpm_process_state{{{CHILD},state="Ending"}} 0',
        f'phpfpm_process_state{{{CHILD},state="Finishing"}} 0',
        f'phpfpm_process_state{{{CHILD},state="Getting request informations"}} 0',
        f'phpfpm_process_state{{{CHILD},state="Idle"}} 1',
        f'phpfpm_process_state{{{CHILD},state="Reading headers"}} 0',
        f'phpfpm_process_state{{{CHILD},state="Running"}} 0',
        f"phpfpm_scrape_failures{{{WWW}}} 0",
        f"phpfpm_slow_requests{{{WWW}}} 6",
        f"phpfpm_start_since{{{WWW}}} 155",
        f"phpfpm_total_processes{{{WWW}}} 3",
        f"phpfpm_up{{{WWW}}} 1",
    ]


def test_a_pool_that_cannot_be_read() -> None:
    lines = _text(Reading("tcp://h/status", "", 3, None))
    assert [line for line in lines if not line.startswith("#")] == [
        'phpfpm_scrape_failures{pool="",scrape_uri="tcp://h/status"} 3',
        'phpfpm_up{pool="",scrape_uri="tcp://h/status"} 0',
    ]


def test_a_unix_socket_is_known_even_then() -> None:
    lines = _text(Reading("u", "www", 3, None, Queue(4, 511)))
    assert [line for line in lines if not line.startswith("#")] == [
        'phpfpm_scrape_failures{pool="www",scrape_uri="u"} 3',
        'phpfpm_socket_listen_queue{pool="www",scrape_uri="u"} 4',
        'phpfpm_socket_listen_queue_length{pool="www",scrape_uri="u"} 511',
        'phpfpm_up{pool="www",scrape_uri="u"} 0',
    ]


def test_what_is_not_known_has_no_sample() -> None:
    status = parse_status(page(child(cpu=None), queue=""))
    text = "\n".join(_text(Reading("tcp://h/status", "www", 0, status)))
    for name in ("listen_queue", "memory_peak", "process_last_request_cpu"):
        assert f"phpfpm_{name}" not in text
    assert "phpfpm_process_last_request_memory" in text


def test_without_processes() -> None:
    reading = Reading("tcp://h/status", "www", 0, STATUS)
    lines = _text(reading, processes=False)
    assert len([line for line in lines if not line.startswith("#")]) == 14
    assert not any("child=" in line for line in lines)


@pytest.mark.parametrize(
    ("state", "names"),
    [
        *((state, STATES) for state in STATES),
        ("Getting request information", STATES),  # PHP 7.4: the same series
        ("(null)", (*STATES, "(null)")),
    ],
)
def test_states(state: str, names: tuple[str, ...]) -> None:
    """One child is in one state, and the six series are always there."""
    reading = Reading("u", "www", 0, parse_status(page(child(state=state))))
    found = samples(
        fpm_metrics([reading], processes=True), "phpfpm_process_state", "state"
    )
    assert tuple(found) == names
    assert sum(found.values()) == 1
    assert found[state if state in names else "Getting request informations"] == 1


def test_pools_of_one_name_at_two_addresses() -> None:
    readings = [Reading(uri, "www", 0, STATUS) for uri in ("a", "b")]
    problems: list[str] = []
    encode(fpm_metrics(readings, processes=True), problems.append)
    assert problems == []


def test_names_that_need_escaping() -> None:
    status = replace(STATUS, name='a"b\\c\n')
    lines = _text(Reading("u", status.name, 0, status), processes=False)
    assert 'phpfpm_up{pool="a\\"b\\\\c\\n",scrape_uri="u"} 1' in lines


def test_const_labels_come_along_and_give_way() -> None:
    reading = Reading("u", "www", 0, STATUS, const_labels={"env": "x", "child": "y"})
    lines = _text(reading)
    assert 'phpfpm_up{child="y",env="x",pool="www",scrape_uri="u"} 1' in lines
    name = "phpfpm_process_requests"
    assert f'{name}{{child="0",env="x",pool="www",scrape_uri="u"}} 7' in lines

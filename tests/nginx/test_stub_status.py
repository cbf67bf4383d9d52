from __future__ import annotations

import pytest
from hypothesis import example, given, strategies as st

from exporters.nginx.errors import StubStatusError
from exporters.nginx.stub_status import (
    EXCERPT_BYTES,
    MAX_VALUE,
    StubStatus,
    excerpt,
    parse_stub_status,
)


# As nginx 1.22.1 prints it, blanks at the ends of lines included.
PAGE = (
    b"Active connections: 7 \n"
    b"server accepts handled requests\n"
    b" 16 15 31 \n"
    b"Reading: 1 Writing: 2 Waiting: 4 \n"
)
STATUS = StubStatus(7, 16, 15, 31, 1, 2, 4)

TENGINE = (
    b"Active connections: 7 \n"
    b"server accepts handled requests request_time\n"
    b" 16 15 31 75806\n"
    b"Reading: 1 Writing: 2 Waiting: 4 \n"
)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(PAGE, id="nginx"),
        pytest.param(TENGINE, id="tengine"),
        pytest.param(PAGE.replace(b"\n", b"\r\n"), id="crlf"),
        pytest.param(PAGE.rstrip(), id="no last newline"),
        pytest.param(PAGE + b"and more\n", id="something after line 4"),
        pytest.param(PAGE.replace(b" \n", b"\n"), id="no trailing blanks"),
        pytest.param(PAGE.replace(b": ", b":\t "), id="other blanks"),
    ],
)
def test_page(body: bytes) -> None:
    assert parse_stub_status(body) == STATUS


# The format strings of ngx_http_stub_status_module.c; %uA is an unsigned number. Read
# in angie 1.13.0, OpenNJet and tengine 1.2.3, 1.4.0, 2.0.0, 2.2.3, 2.4.1 and 3.1.0;
# openresty has no patch for the module.
NGINX_FORMATS = (
    "Active connections: %uA \n",
    "server accepts handled requests\n",
    " %uA %uA %uA \n",
    "Reading: %uA Writing: %uA Waiting: %uA \n",
)
TENGINE_FORMATS = (
    "Active connections: %uA \n",
    "server accepts handled requests request_time\n",
    " %uA %uA %uA %uA\n",
    "Reading: %uA Writing: %uA Waiting: %uA \n",
)


@pytest.mark.parametrize(
    ("formats", "numbers"),
    [
        pytest.param(NGINX_FORMATS, (7, 16, 15, 31, 1, 2, 4), id="nginx"),
        pytest.param(TENGINE_FORMATS, (7, 16, 15, 31, 75806, 1, 2, 4), id="tengine"),
    ],
)
def test_body_of_each_program(formats: tuple[str, ...], numbers: object) -> None:
    body = "".join(formats).replace("%uA", "%d") % numbers
    assert parse_stub_status(body.encode()) == STATUS


def test_largest_number() -> None:
    body = PAGE.replace(b" 31 ", b" 9223372036854775807 ")
    assert parse_stub_status(body).requests == MAX_VALUE


@pytest.mark.parametrize(
    ("body", "text"),
    [
        pytest.param(
            b"",
            "body, line 1: expected 'Active connections: N', got ''",
            id="empty",
        ),
        pytest.param(
            b"<html>\n<head><title>401</title>",
            "body, line 1: expected 'Active connections: N', got '<html>'",
            id="html",
        ),
        pytest.param(
            PAGE[: PAGE.index(b" accepts")],
            "body, line 2: expected 'server accepts handled requests', got 'server'",
            id="cut in line 2",
        ),
        pytest.param(
            PAGE[: PAGE.index(b"15")],
            "body, line 3: expected three numbers, got ' 16 '",
            id="cut in line 3",
        ),
        pytest.param(
            PAGE[: PAGE.index(b"Writing")],
            "body, line 4: expected 'Reading: N Writing: N Waiting: N', "
            "got 'Reading: 1 '",
            id="cut in line 4",
        ),
        pytest.param(
            PAGE.replace(b" 31 ", b" 31 5 "),
            "body, line 3: expected three numbers, got ' 16 15 31 5 '",
            id="four numbers without request_time",
        ),
        pytest.param(
            TENGINE.replace(b" 75806", b""),
            "body, line 3: expected four numbers, got ' 16 15 31'",
            id="request_time without its number",
        ),
        pytest.param(
            PAGE.replace(b": 7", b": -7"),
            f"body, line 1: expected a number from 0 to {MAX_VALUE}, got '-7'",
            id="negative",
        ),
        pytest.param(
            PAGE.replace(b" 31 ", b" 9223372036854775808 "),
            f"body, line 3: expected a number from 0 to {MAX_VALUE}, "
            "got '9223372036854775808'",
            id="overflow",
        ),
        pytest.param(
            # What nginx prints of a counter that a crashed worker left below zero.
            PAGE.replace(b"Writing: 2", b"Writing: 18446744073709551615"),
            f"body, line 4: expected a number from 0 to {MAX_VALUE}, "
            "got '18446744073709551615'",
            id="-1, unsigned",
        ),
        pytest.param(
            PAGE.replace(b"Waiting: 4", b"Waiting: " + b"9" * 5000),
            f"body, line 4: expected a number from 0 to {MAX_VALUE}, "
            f"got '{'9' * EXCERPT_BYTES}'...",
            id="too long for int()",
        ),
        pytest.param(
            PAGE.replace(b"7", "٧".encode()),
            "body, line 1: expected 'Active connections: N', "
            r"got 'Active connections: \u0667 '",
            id="digits of another script",
        ),
        pytest.param(
            b"\n" + PAGE,
            "body, line 1: expected 'Active connections: N', got ''",
            id="empty line first",
        ),
    ],
)
def test_other_body(body: bytes, text: str) -> None:
    with pytest.raises(StubStatusError) as caught:
        parse_stub_status(body)
    assert str(caught.value) == text


MUTATED = st.builds(
    lambda at, cut, new: PAGE[:at] + new + PAGE[at + cut :],
    st.integers(0, len(PAGE)),
    st.integers(0, 20),
    st.binary(max_size=20),
)


@given(st.binary() | MUTATED)
@example(b"\xff\xfe\n\n\n\n")
def test_any_body_parses_or_is_refused_in_one_line(body: bytes) -> None:
    try:
        status = parse_stub_status(body)
    except StubStatusError as error:
        assert "\n" not in str(error)  # noqa: PT017 - both outcomes are right
        assert str(error).isprintable()  # noqa: PT017
    else:
        assert 0 <= status.active <= MAX_VALUE


COUNT = st.integers(0, MAX_VALUE)


@given(st.tuples(*[COUNT] * 7))
def test_what_nginx_prints_is_what_is_read(
    n: tuple[int, int, int, int, int, int, int],
) -> None:
    body = (
        f"Active connections: {n[0]} \n"
        "server accepts handled requests\n"
        f" {n[1]} {n[2]} {n[3]} \n"
        f"Reading: {n[4]} Writing: {n[5]} Waiting: {n[6]} \n"
    )
    assert parse_stub_status(body.encode()) == StubStatus(*n)


def test_excerpt_is_short_and_on_one_line() -> None:
    assert excerpt(b"a\nb\x00") == r"'a\nb\x00'"
    assert excerpt(b"x" * 81) == f"'{'x' * 80}'..."

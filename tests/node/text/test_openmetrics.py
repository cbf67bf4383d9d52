"""OpenMetrics files give what they say; the line that is at fault is named."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, strategies as st

from exporters.node.text import openmetrics, textfiles, textformat
from exporters.node.text.textfamilies import convert
from exporters.node.text.textformat_line import ParseError
from exporters.toolkit.exposition import encode


def printed(data: bytes) -> str:
    return encode(map(convert, openmetrics.parse(data))).decode()


EVERYTHING = b"""\
# TYPE build info
# HELP build Which one.
build_info{version="1.2"} 1
# TYPE state stateset
state{state="on",pump="a"} 1
state{state="off",pump="a"} 0
# TYPE heat_celsius unknown
# UNIT heat_celsius celsius
heat_celsius 21.5
# TYPE jobs counter
# HELP jobs Done.\\nAll of them.
jobs_total{queue="a # b"} 7 # {trace="x"} 1 1700000000.5
jobs_created{queue="a # b"} 1700000000.25
# TYPE wait_seconds histogram
wait_seconds_bucket{le="0.5"} 1 # {trace="y"} 0.3
wait_seconds_bucket{le="+Inf"} 3
wait_seconds_sum 4.5
wait_seconds_count 3
# TYPE size gaugehistogram
size_bucket{disk="b",le="10.0"} 2
size_bucket{disk="b",le="+Inf"} 4
size_gsum{disk="b"} 31
size_gcount{disk="b"} 4
# TYPE few histogram
few_bucket{le="+Inf"} 2
# TYPE took_seconds summary
took_seconds{quantile="0.9"} 0.25
took_seconds_sum 5
took_seconds_count 20
took_seconds_created 1700000001
# TYPE level gauge
level{x="\\"1\\\\"} -Inf
# TYPE nothing gauge
plain 1e-3
# EOF
"""


def test_everything_that_openmetrics_has() -> None:
    assert printed(EVERYTHING) == (
        "# HELP build_info Which one.\n# TYPE build_info gauge\n"
        'build_info{version="1.2"} 1\n'
        '# HELP few \n# TYPE few histogram\nfew_bucket{le="+Inf"} 2\n'
        "few_sum 0\nfew_count 2\n"
        "# HELP heat_celsius \n# TYPE heat_celsius untyped\nheat_celsius 21.5\n"
        "# HELP jobs_created \n# TYPE jobs_created gauge\n"
        'jobs_created{queue="a # b"} 1.70000000025e+09\n'
        "# HELP jobs_total Done.\\nAll of them.\n# TYPE jobs_total counter\n"
        'jobs_total{queue="a # b"} 7\n'
        '# HELP level \n# TYPE level gauge\nlevel{x="\\"1\\\\"} -Inf\n'
        "# HELP plain \n# TYPE plain untyped\nplain 0.001\n"
        "# HELP size \n# TYPE size histogram\n"
        'size_bucket{disk="b",le="10"} 2\nsize_bucket{disk="b",le="+Inf"} 4\n'
        'size_sum{disk="b"} 31\nsize_count{disk="b"} 4\n'
        "# HELP state \n# TYPE state gauge\n"
        'state{pump="a",state="off"} 0\nstate{pump="a",state="on"} 1\n'
        "# HELP took_seconds \n# TYPE took_seconds summary\n"
        'took_seconds{quantile="0.9"} 0.25\ntook_seconds_sum 5\n'
        "took_seconds_count 20\n"
        "# HELP took_seconds_created \n# TYPE took_seconds_created gauge\n"
        "took_seconds_created 1.700000001e+09\n"
        "# HELP wait_seconds \n# TYPE wait_seconds histogram\n"
        'wait_seconds_bucket{le="0.5"} 1\nwait_seconds_bucket{le="+Inf"} 3\n'
        "wait_seconds_sum 4.5\nwait_seconds_count 3\n"
    )


def test_comments_and_empty_lines_are_passed_over_and_the_end_may_be_missing() -> None:
    data = b'# Written by hand.\n\n#TYPE nonsense\n# TYPE a info\n  \na_info{b="c"} 1\n'
    assert openmetrics.is_meant(data)
    assert 'a_info{b="c"} 1\n' in printed(data)


@pytest.mark.parametrize(
    ("data", "meant"),
    [
        (b"", False),
        (b"a 1\n", False),
        (b"a 1\n# EOF", True),
        (b"a 1\n# EOF\n", True),
        (b"# EOF\na 1\n", False),
        (b"# TYPE a info\n", True),
        (b"# TYPE a info", False),  # cut off
        (b"# TYPE a information\n", False),
        (b"b 1\n# UNIT a_seconds seconds\n", True),
        (b"# HELP a TYPE a info\n", False),
        (b"# TYPE a gauge\n", False),
        (b'a_total{b="c"} 1 # {id="d"} 1\n', True),
        (b"# a 1 # {}\n", False),
    ],
)
def test_what_is_meant_to_be_openmetrics(data: bytes, meant: bool) -> None:
    assert openmetrics.is_meant(data) is meant


@pytest.mark.parametrize(
    ("data", "line", "reason"),
    [
        (b"# TYPE a info\na_info 2\n", 2, "Info samples can only have value one"),
        (b"# TYPE a info\n\n# x\na_info{b=} 1\n", 4, "Invalid labels"),
        (b"# TYPE a bogus\na 1\nb 1\n", 2, "Invalid metric type"),
        (b"a 1\na 2 1700000000.5\n", 2, "client-side timestamps are not supported"),
        (b'a{x="} 1 2"} 1\na{x="y"} 1 2\n', 2, "client-side timestamps"),
        (b"a 1\nb x\n", 2, "could not convert string to float"),
        (b"a 1\nb\n", 2, "metric name"),
        (b'a{__b="1"} 1\n', 1, 'label name "__b" is reserved'),
        (b'a{b="1", __c="1"} 1\n', 1, 'label name "__c" is reserved'),
        (b'a{0b="1"} 1\n', 1, 'invalid label name "0b"'),
        (b'a{"b.c"="1"} 1\n', 1, "invalid label name"),
        (b'{"a.b"} 1\n', 1, "invalid metric name"),
        (b'{b="1"} 1\n', 1, "invalid metric name"),
        (b"a-b 1\n", 1, "invalid metric name"),
        (b"# TYPE a-b gauge\n", 1, "a line that is not understood"),
        (b'a 1\na{b="\xff"} 1\n', 2, "not UTF-8"),
        (b"# TYPE a counter\n# UNIT a seconds\na_total 1\nb 1\n", 3, "Unit does not"),
        (
            b'# TYPE a histogram\na_bucket{le="1.0"} 1\n# TYPE b gauge\nb 1\n',
            2,
            "+Inf bucket missing",
        ),
        (b"# EOF\na 1\n", 2, "Received line after # EOF"),
        (
            b"# TYPE a histogram\na {count:1,sum:1,schema:0,zero_count:0}\n",
            2,
            "native histograms are not supported",
        ),
        (b"# TYPE a counter\na_total -1\n", 2, "cannot be negative"),
        (b"a 1\na 1\n\n# TYPE a gauge\n", 4, "Received metadata after samples"),
    ],
)
def test_refusals_name_the_line(data: bytes, line: int, reason: str) -> None:
    with pytest.raises(ParseError) as caught:
        openmetrics.parse(data + b"# EOF\n" if b"EOF" not in data else data)
    assert reason in caught.value.reason
    assert caught.value.line == line
    assert str(caught.value).startswith(f"OpenMetrics parsing error in line {line}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        b"# TYPE a counter\na_total 1\n# EOF\n",
        b"# TYPE a_s summary\n# UNIT a_s s\na_s_sum 1\na_s_created 5\n# EOF\n",
    ],
)
def test_what_upstream_accepts_is_read_as_upstream_reads_it(data: bytes) -> None:
    assert textfiles.parse(data) == textformat.parse(data)
    assert textfiles.parse(data) != openmetrics.parse(data)


WORDS = st.sampled_from(
    [
        *(b"# TYPE a info", b"# TYPE a counter", b"# TYPE a histogram", b"# EOF"),
        *(b"# UNIT a s", b"# HELP a ", b"a", b"a_total", b"a_bucket", b"a_info"),
        *(b"{", b"}", b'le="', b'"', b"=", b",", b"\\", b" ", b"\n", b"1", b"NaN"),
        *(b"+Inf", b"# {", b"1e999", b"__x", b"\xff", b"{count:", b"schema:"),
    ]
)


@given(st.one_of(st.binary(max_size=80), st.lists(WORDS, max_size=25).map(b"".join)))
def test_nothing_but_a_parse_error(data: bytes) -> None:
    for whole in (data, data + b"\n# EOF\n"):
        with contextlib.suppress(ParseError):
            encode(map(convert, openmetrics.parse(whole)))

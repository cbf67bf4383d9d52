from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given, strategies as st

from exporters.node.text import textformat
from exporters.node.text.textformat import Family, Point
from exporters.node.text.textformat_line import ParseError
from exporters.toolkit.exposition import encode
from exporters.toolkit.metric import Metric


def test_families_in_the_order_of_the_file() -> None:
    data = (
        b'# HELP b_total Two\\nlines, a \\\\ and a \\".\n'
        b"# TYPE b_total counter\n"
        b"# TYPE nothing gauge\n"
        b"#a comment\n# EOF\n#\n# HELP\n# TYPE b_total\n\n \t\n"
        b'b_total{x="1",y="a\\"b\\\\c\\nd" , } 3\n'
        b"\ta{ }\t-.5e1\n"
        b'b_total {x = "2"}+Inf\n'
    )
    b, a = textformat.parse(data)
    assert (b.name, b.kind, b.help) == (
        "b_total",
        "counter",
        'Two\nlines, a \\ and a ".',
    )
    assert b.points == [
        Point((("x", "1"), ("y", 'a"b\\c\nd')), 3.0),
        Point((("x", "2"),), math.inf),
    ]
    assert (a.name, a.kind, a.help) == ("a", "untyped", None)
    assert a.points == [Point((), -5.0)]


def test_a_summary_is_one_point() -> None:
    (family,) = textformat.parse(
        b"# TYPE s summary\n"
        b's{quantile="0.5",x="1"} 3\ns{x="1",quantile="0.9"} NaN\n'
        b's_sum{x="1"} 7.5\ns_count{x="1"} 4\n'
        b's_count{x="2"} 9\ns 3\n'
    )
    one, two, rest = family.points
    assert one.labels == (("x", "1"),)
    assert list(one.parts) == [0.5, 0.9]
    assert (one.parts[0.5], one.total, one.count) == (3.0, 7.5, 4.0)
    assert (two.count, two.total, two.parts) == (9.0, 0.0, {})
    assert (rest.labels, rest.parts) == ((), {})


def test_a_histogram_is_one_point() -> None:
    (family,) = textformat.parse(
        b"# TYPE h HISTOGRAM\n"
        b'h_bucket{le="0.1"} 1\nh_bucket{le="+Inf"} 3\nh_sum 2.5\nh_count 3\n'
    )
    assert family.kind == "histogram"
    assert family.points == [Point((), parts={0.1: 1, math.inf: 3}, count=3, total=2.5)]


def test_suffixes_belong_to_families_that_came_before() -> None:
    late = textformat.parse(b"s_count 1\n# TYPE s summary\ns_count 2\n")
    assert [(f.name, f.kind) for f in late] == [("s_count", "untyped")]
    assert [p.value for p in late[0].points] == [1, 2]


def test_names_inside_braces() -> None:
    (family,) = textformat.parse(
        b'{"m",a="1"} 1\n{b="2","m"} 2\n{m} 3\n"m"{"a"="4"} 4\n'
    )
    assert [(p.labels, p.value) for p in family.points] == [
        ((("a", "1"),), 1),
        ((("b", "2"),), 2),
        ((), 3),
        ((("a", "4"),), 4),
    ]


def test_timestamps_are_noticed() -> None:
    families = textformat.parse(b"a 1\na 1 1395066363000\nb 1\na 1 2\n")
    assert [f.stamped_line for f in families] == [2, None]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"a 1", "unexpected end of input stream"),
        (b"a 1\r\n", 'expected float as value, got "1\\r"'),
        (b"a 0x10\n", 'expected float as value, got "0x10"'),
        (b"a 1_000\n", 'expected float as value, got "1_000"'),
        (b"a 1e400\n", 'expected float as value, got "1e400"'),
        (b"a +nan\n", 'expected float as value, got "+nan"'),
        ("a ١\n".encode(), 'expected float as value, got "١"'),
        (b"a\n", 'expected float as value, got ""'),
        (b"a-b 1\n", 'expected float as value, got "-b"'),
        (b"0a 1\n", "invalid metric name"),
        (b"a 1 \n", 'expected integer as timestamp, got ""'),
        (b"a 1 2.5\n", 'expected integer as timestamp, got "2.5"'),
        (b"a 1 99999999999999999999\n", "expected integer as timestamp"),
        (b"a 1 2 3\n", 'spurious string after timestamp: " 3"'),
        (b'a{b="1",b="2"} 1\n', 'duplicate label names for metric "a"'),
        (b'a{b="1"\n', 'unexpected end of label value "1"'),
        (b'a{b="1\n', 'label value "1" contains unescaped new-line'),
        (b"a{b=1}\n", "expected '\"' at start of label value, found '1'"),
        (b"a{b 1}\n", "expected '=' after label name, found '1'"),
        (b'a{,b="1"} 1\n', 'invalid label name for metric "a"'),
        (b'a{0="1"} 1\n', 'invalid label name for metric "a"'),
        (b'a{"x.y"="1"} 1\n', 'invalid label name "x.y"'),
        (b'a{b="\\x"} 1\n', "invalid escape sequence '\\x'"),
        (b'a{b="\xff"} 1\n', "invalid label value"),
        (b'a{__name__="x"} 1\n', 'label name "__name__" is reserved'),
        (b'{"x.y"} 1\n', 'invalid metric name "x.y"'),
        (b'{"a","b"} 1\n', 'multiple metric names for metric "a"'),
        (b"# HELP a x\n# HELP a y\n", 'second HELP line for metric name "a"'),
        (b"# HELP a \\t\n", "invalid escape sequence '\\t'"),
        (b"# HELP a-b x\n", "invalid metric name in comment"),
        (b"a 1\n# TYPE a gauge\n", "or TYPE reported after samples"),
        (b"# TYPE a gauge\n# TYPE a gauge\n", 'second TYPE line for metric name "a"'),
        (b"# TYPE a info\n", 'unknown metric type "info"'),
        (b"# TYPE a gauge \n", 'unknown metric type "gauge "'),
        (
            b'# TYPE s summary\ns{quantile="x"} 1\n',
            "expected float as value for 'quantile' label, got \"x\"",
        ),
        (
            b'# TYPE h histogram\nh_bucket{le=""} 1\n',
            "expected float as value for 'le' label",
        ),
        (b"# TYPE h histogram\nh_count -1\n", 'negative count for histogram "h"'),
        (
            b'# TYPE h histogram\nh_bucket{le="1"} -1\n',
            'negative bucket population for histogram "h"',
        ),
        # These end node_exporter itself (#3374); here they are the file's fault.
        (b'foo{__a="1"} 1\n', 'label name "__a" is reserved'),
        (b'{host="x"} 1\n', "invalid metric name"),
        (b"# TYPE a gaugehistogram\n", 'unknown metric type "gaugehistogram"'),
        (b"{} 1\n", "invalid metric name"),
        # Go would make a number up.
        (b"# TYPE s summary\ns_count NaN\n", 'impossible count for summary "s"'),
    ],
)
def test_refusals_are_worded_as_in_go_and_name_the_line(
    line: bytes, reason: str
) -> None:
    with pytest.raises(ParseError) as caught:
        textformat.parse(b"good 1\n" + line)
    assert reason in caught.value.reason
    assert caught.value.line == line.removesuffix(b"\n").count(b"\n") + 2
    assert str(caught.value).startswith(
        f"text format parsing error in line {caught.value.line}: "
    )
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"1", 1.0),
        (b"+1.", 1.0),
        (b".5", 0.5),
        (b"1e3", 1000.0),
        (b"-Inf", -math.inf),
        (b"iNfInItY", math.inf),
        (b"1e-400", 0.0),
    ],
)
def test_floats(text: bytes, value: float) -> None:
    assert textformat.parse(b"a " + text + b"\n")[0].points[0].value == value


def test_blanks_after_the_last_newline_do_not_matter() -> None:
    assert textformat.parse(b"a 1\n \t") == textformat.parse(b"a 1\n")
    assert textformat.parse(b"") == []


valid = st.characters(exclude_categories=["Cs"])
label_names = st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True)
label_sets = st.dictionaries(label_names, st.text(valid, max_size=8), max_size=3)
names = st.from_regex(r"[a-z:][a-z0-9:]{0,6}", fullmatch=True)
kinds = st.sampled_from(["counter", "gauge", "untyped"])


@st.composite
def metrics(draw: st.DrawFn) -> list[Metric]:
    found = []
    for name in draw(st.lists(names, unique=True, max_size=5)):
        metric = Metric(name, "x" + draw(st.text(valid)), draw(kinds))
        for labels in draw(st.lists(label_sets, min_size=1, max_size=4)):
            value = draw(st.floats())
            metric.add_sample(name, labels, value)
        found.append(metric)
    return found


@given(metrics())
def test_what_the_encoder_prints_comes_back(found: list[Metric]) -> None:
    """An independent writer and this reader agree on names, help, labels, values."""
    printed = encode(found)
    again = [_metric(family) for family in textformat.parse(printed)]
    assert encode(again) == printed


def _metric(family: Family) -> Metric:
    metric = Metric(family.name, family.help or "", family.kind or "")
    for point in family.points:
        metric.add_sample(family.name, dict(point.labels), point.value)
    return metric


tokens = st.sampled_from(
    [b"# HELP ", b"# TYPE ", b"a", b"summary", b"histogram", b"{", b"}", b'"', b"=",
     b",", b" ", b"\n", b"1", b"\\", b"_count", b"_sum", b"_bucket", b"le", b"NaN",
     b"quantile", b'="', b"\xff", b"-", b"__a", b"e400"]
)  # fmt: skip


@given(st.lists(tokens | st.binary(max_size=3)))
def test_rubbish_raises_nothing_but_parse_error(parts: list[bytes]) -> None:
    data = b"".join(parts) + b"\n"
    with contextlib.suppress(ParseError):
        textformat.parse(data)


plain = st.sampled_from(
    [b'a{x="1"} 2\n', b'a{x="1",y="2"} -2.5e3\n', b'a{x="1",} 2\n', b"a 7\n",
     b'a{x="1",x="2"} 2\n', b'a{__x="1"} 2\n', b'a{x="\xff"} 2\n', b"a 1e99\n",
     b'a{x="=,\\""} 1\n', b'a{x="=,"} 1\n', b'a{x="}{"} 1\n', b'a{x="1"y="2"} 1\n',
     b"a 1 2\n", b"b 1\n", b"a_count 1\n", b"# TYPE a gauge\n",
     b"# TYPE a summary\n", b"a " + b"9" * 400 + b"\n"]
)  # fmt: skip


@given(st.lists(plain | st.binary(max_size=8), max_size=6))
def test_the_hot_path_takes_nothing_that_the_other_would_not(
    parts: list[bytes],
) -> None:
    data = b"a 1\n" + b"".join(parts) + b"\n"
    with pytest.MonkeyPatch.context() as patch:
        hot = _outcome(data)
        patch.setattr(textformat._Parser, "_plain_sample", lambda *_: False)
        assert hot == _outcome(data)


def _outcome(data: bytes) -> object:
    try:
        return textformat.parse(data)
    except ParseError as error:
        return str(error)

"""From bytes to the values of one line."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, strategies as st

from exporters.nginx.access_log.counts.amounts import number, total
from exporters.nginx.access_log.counts.measures import MEASURES
from exporters.nginx.access_log.lines.json_line import JsonReader, parse
from exporters.nginx.access_log.lines.labels import Labels
from exporters.nginx.access_log.lines.text_line import TextReader
from exporters.nginx.access_log.settings import DEFAULT_FORMAT, Relabeling, Settings
from exporters.toolkit.errors import StartError


COMBINED = (
    b'203.0.113.7 - alice [03/Feb/2026:11:22:33 +0800] "GET /a?b=c HTTP/1.1" 200 518 '
    b'"https://example.org/" "Mozilla/5.0 (X11)" "10.0.0.1, 10.0.0.2"'
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"a":"b"}', {"a": "b"}),
        (b' \t{"a": "b"} \r\n', {"a": "b"}),
        (b"{}", {}),
        (b'{"a":200,"b":0.023,"c":1e3}', {"a": "200", "b": "0.023", "c": "1e3"}),
        (b'{"a":true,"b":null}', {"a": True, "b": None}),
        (b'{"a":"first","a":"last"}', {"a": "last"}),
        (b'{"a":{"b":[1]}}', {"a": {"b": ["1"]}}),
        (b'{"a":"\xff\xc3\xa4"}', {"a": "\ufffd\xe4"}),
        (b'{"a":"tab\there"}', {"a": "tab\there"}),
        # escape=default in a format of JSON
        (rb'{"a":"say \x22hi\x22\x5C"}', {"a": 'say "hi"\\'}),
        (rb'{"a":"\xC3\xA4\xFF\x0A"}', {"a": "\xe4\ufffd\n"}),
        (rb'{"a":"C:\\x22","b":"\x22"}', {"a": "C:\\x22", "b": '"'}),
        # a format without the quotes that it needs
        (b'{"a":009}', {"a": "009"}),
        (b'{"a":NaN,"b":-Infinity}', {"a": "NaN", "b": "-Infinity"}),
        (b'{"a":,"b": ,"c":}', {"a": "", "b": "", "c": ""}),
        (b'{ "a" : - , "b" : true , "c" : - }', {"a": "-", "b": True, "c": "-"}),
        (b'{"a":0.1, 0.2,"b":502, - : 200}', {"a": "0.1, 0.2", "b": "502, - : 200"}),
        (b'{"a":{"b":},"c":[1]}', {"a": {"b": ""}, "c": ["1"]}),
        (
            b'{"a":"x\\":y,z","b":,"c":"," ,"d":":"}',
            {
                "a": 'x":y,z',
                "b": "",
                "c": ",",
                "d": ":",
            },
        ),
        (rb'{"a":"\x22:","b":-}', {"a": '":', "b": "-"}),
    ],
)
def test_json(line: bytes, expected: dict[str, object]) -> None:
    assert parse(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b" ",
        b"[]",
        b'"text"',
        b"1",
        b"null",
        b'{"a":"b"',
        b'{"a":"b"} {"a":"b"}',
        b"{'a':'b'}",
        b'{"a":"\\x2"}',
        b'{"a":"\\xZZ"}',
        b'{"a":x"y}',
        b'{"a":-',
        b'\xef\xbb\xbf{"a":"b"}',
        b'{"a":' + b"[" * 100_000,
        COMBINED,
    ],
)
def test_not_json(line: bytes) -> None:
    assert parse(line) is None


@pytest.mark.parametrize(
    "filler",
    [b'\\"', b'"', b'":', b'":,', b'":-, ', b" ", b": ", b"{", b'":{', b"\\x22"],
)
@pytest.mark.parametrize("begin", [b'{"a":"', b'{"a":', b'{"a"', b"{"])
def test_time_is_linear_in_json(begin: bytes, filler: bytes) -> None:
    began = time.process_time()
    JsonReader(()).read(begin + filler * (262_144 // len(filler)))
    # Quadratic would be minutes.
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "line",
    [
        b'{"time":"x","@fields":{"status":"200","request_time":"0.1"},"more":{}}',
        b'{"http": {"status_code": 200}, "a": {"b": {"duration": 0.1}}}',
        b'{"status":"200","upstream":{"status":"502","request_time":0.1}}',
        b'{"a":"\\":{","status":"200","request_time":0.1}',
    ],
)
def test_members_of_members(line: bytes) -> None:
    found = JsonReader(Labels(Settings()).rules).read(line)
    assert found is not None
    layout, record = found
    assert [record[place] for _, place, _ in layout.labels] == ["200"]
    assert [record[place] for _, place, _ in layout.measures] == ["0.1"]


def test_a_number_may_have_any_length() -> None:
    digits = "9" * 100_000
    assert parse(b'{"a":%s}' % digits.encode()) == {"a": digits}


def _values(log_format: str, line: str | bytes, *names: str) -> list[object] | None:
    """Return the values of the variables *names* in *line*."""
    relabelings = [Relabeling(f"l{index}", name) for index, name in enumerate(names)]
    labels = Labels(Settings(relabel_configs=tuple(relabelings)))
    data = line if isinstance(line, bytes) else line.encode()
    found = TextReader(log_format, labels.rules).read(data)
    return None if found is None else list(labels.values(*found)[: len(names)])


@pytest.mark.parametrize(
    ("log_format", "line", "expected"),
    [
        ("$a $b", "1 2", ["1", "2"]),
        ("$a $b", "1 2 3", ["1", "2"]),  # the end of a line is free
        ("$a $b ", "1 2", ["1", "2"]),
        ("[$a] $b", "[x y] z", ["x y", "z"]),
        ("${a}s $b", "1s 2", ["1", "2"]),
        ('"$a" $b', '"x \\x22y" 2', ["x \\x22y", "2"]),
        ('"$a" $b', '"x \\" 1" 2', ['x \\" 1', "2"]),  # escape=json
        ("a.b|$a|$b", "a.b|1|2", ["1", "2"]),
        ("rt=$a $b", "rt=0.1 -", ["0.1", "-"]),
        ("$a\t$b", "\t", ["", ""]),
        ("$a $a $b", "1 2 3", ["2", "3"]),
        ('{"a":"$a","b":"$b"}', '{"a":"x","b":"y"}', ["x", "y"]),
        ("$a$b;", "12;", ["12", ""]),  # nothing tells them apart
        # a value ends where all of the text behind it comes
        ("$a [$b]", "x y [z]", ["x y", "z"]),
        ("$a | $b", "x|y  z | w", ["x|y  z", "w"]),
        ("r=$a ua=$b", "r=x y=z ua=w", ["x y=z", "w"]),
        ('"$a" "$b"', '"x "y" "z"', ['x "y', "z"]),  # escape=none
        ('{"a":"$a","b":$b}', '{"a":"x\\",\\"b\\":1","b":2}', ['x\\",\\"b\\":1', "2"]),
        ("$a | $b", "x | y | z", ["x", "y"]),
    ],
)
def test_text(log_format: str, line: str, expected: list[str]) -> None:
    assert _values(log_format, line, "a", "b") == expected


@pytest.mark.parametrize(
    ("log_format", "line", "expected"),
    [
        ("$scheme://$host$request_uri $status", "http://a.b/c?d 200", "a.b /c?d 200"),
        ("$host$request_uri $status", "a.b/c?d 200", "a.b /c?d 200"),
        ("$host $status$request_uri", "a.b 200/c", "a.b /c 200"),
    ],
)
def test_variables_side_by_side(log_format: str, line: str, expected: str) -> None:
    values = _values(log_format, line, "host", "request_uri", "status")
    assert values == expected.split(" ")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("time_local", "03/Feb/2026:11:22:33 +0800"),
        ("request", "GET /a?b HTTP/1.1"),
        ("request", "GET /a b HTTP/1.1"),
        ("request", "GET / HTTP/2.0"),
        ("request", "GET /old"),
        ("request", "-"),
        ("request", r"\x16\x03\x01"),
        ("http_x_forwarded_for", "10.0.0.1, 10.0.0.2"),
        ("http_x_forwarded_for", "-"),
    ],
)
def test_blanks_where_a_blank_is_all_that_follows(variable: str, value: str) -> None:
    log_format = f"$remote_addr ${variable} $status"
    assert _values(log_format, f"::1 {value} 200", variable, "status") == [value, "200"]


@pytest.mark.parametrize(
    "times",
    ["-", "0.001", "0.001, 0.002", "0.1, 0.2 : 0.3, -", "- : 0.3", "-, -", "0.1 : -"],
)
@pytest.mark.parametrize("quote", ["", '"'])
def test_lists_of_upstream_servers(times: str, quote: str) -> None:
    log_format = f"{quote}$upstream_response_time{quote} $request_time"
    line = f"{quote}{times}{quote} 0.5"
    names = "upstream_response_time", "request_time"
    assert _values(log_format, line, *names) == [times, "0.5"]


def test_a_list_may_be_the_last() -> None:
    log_format = "$request_time $upstream_response_time"
    values = _values(log_format, "0.5 0.1, 0.2 : -", "upstream_response_time")
    assert values == ["0.1, 0.2 : -"]


@pytest.mark.parametrize(
    "line", [b"", b"garbage", COMBINED[:40], b'{"status":200}', COMBINED[5:20] * 9]
)
def test_not_of_the_format(line: bytes) -> None:
    assert _values(DEFAULT_FORMAT, line, "status") is None


def test_combined() -> None:
    names = "request", "status", "body_bytes_sent", "http_x_forwarded_for"
    expected = ["GET /a?b=c HTTP/1.1", "200", "518", "10.0.0.1, 10.0.0.2"]
    assert _values(DEFAULT_FORMAT, COMBINED, *names) == expected


def test_a_format_needs_variables() -> None:
    with pytest.raises(StartError, match=r"access log format 'x': expected variables"):
        _values("x", "x")


@pytest.mark.parametrize("filler", ["a", " ", ", ", " : ", '"', "\\", "[", "é"])
def test_time_is_linear(filler: str) -> None:
    log_format = (
        "$upstream_addr $upstream_status $upstream_response_time "
        f'{DEFAULT_FORMAT} "$a" "$b" $upstream_connect_time!$request $time_local '
        "$http_x_forwarded_for | $http_referer !!"
    )
    begin = time.process_time()
    assert _values(log_format, filler * 200_000, "a") is None
    # Quadratic would be minutes.
    assert time.process_time() - begin < 1


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("[a] x 1", "expected ' \"' behind $b"),
        ("[a] x", "expected ' \"' behind $b"),
        ("[a", "expected '] ' behind $a"),
        ("a", "expected the beginning of the configured format"),
        ('[a] x "sekret 1', "expected '\" ' behind $c"),
    ],
)
def test_why_a_text_cannot_be_read(line: str, why: str) -> None:
    assert TextReader('[$a] $b "$c" $d', ()).why_not(line.encode()) == why


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"a":"sekret"', ": Expecting ',' delimiter: line 1 column 14 (char 13)"),
        (b"[]", ""),
        (b'{"a":NaN}', ""),
        (b'{"a":' + b"[" * 100_000, ""),
        (b"9" * 9999, ""),
    ],
)
def test_why_json_cannot_be_read(line: bytes, why: str) -> None:
    assert JsonReader(()).why_not(line) == f"expected one JSON object{why}"


@given(st.text(st.sampled_from('$a1{}" _[]\\|:.'), max_size=30), st.binary())
def test_no_format_and_no_line_breaks_the_reader(log_format: str, line: bytes) -> None:
    try:
        reader = TextReader(log_format, ())
    except StartError:
        return
    if reader.read(line) is None:
        reader.why_not(line)


@given(st.binary() | st.text(st.sampled_from('{}[]":,\\x20a '), max_size=40))
def test_no_line_breaks_the_json_reader(line: bytes | str) -> None:
    data = line if isinstance(line, bytes) else line.encode()
    assert isinstance(parse(data), dict | None)


def test_layouts_are_remembered_and_bounded() -> None:
    reader = JsonReader(Labels(Settings()).rules)
    for key in range(1000):
        found = reader.read(b'{"status":"200","%d":""}' % key)
        assert found is not None
        assert [place for _, place, _ in found[0].labels] == ["status"]
    assert len(reader._layouts) <= 100


@pytest.mark.parametrize(
    ("member", "variable"),
    [
        ("bytes", "body_bytes_sent"),
        ("bytes_sent", "body_bytes_sent"),
        ("request_length", "request_length"),
        ("duration", "request_time"),
        ("responsetime", "request_time"),
        ("upstreamtime", "upstream_response_time"),
        ("upstream_time", "upstream_response_time"),
        ("upstream_header_time", "upstream_header_time"),
    ],
)
def test_other_names(member: str, variable: str) -> None:
    found = JsonReader(()).read(b'{"%s":1}' % member.encode())
    assert found is not None
    [(index, place, _)] = found[0].measures
    assert (MEASURES[index].fields[0], place) == (variable, member)


def test_nginx_names_win() -> None:
    found = JsonReader(()).read(b'{"bytes":1,"body_bytes_sent":2,"bytes_sent":3}')
    assert found is not None
    assert [place for _, place, _ in found[0].measures] == ["body_bytes_sent"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", 0),
        ("0.023", 0.023),
        ("18234", 18234),
        ("+1", 1),
        (".5", 0.5),
        ("5.", 5),
        ("1e3", 1000),
        ("9223372036854774784", 9223372036854774784),
        ("-", None),
        ("", None),
        (None, None),
    ],
)
def test_number(value: object, expected: float | None) -> None:
    assert number(value) == expected
    assert total(value) == expected


BAD: tuple[object, ...] = (
    *("-1", "-0.5", "NaN", "nan", "Inf", "-inf", "infinity", "1e999", "0x10", "1_0"),
    *("9223372036854775808", "9" * 500, " 1", "1 ", "1\n", "\u0661", "²", "1s", "--"),
    *(True, False, {}, [], ["1"], {"a": "1"}),
)


@pytest.mark.parametrize("value", BAD)
def test_no_number(value: object) -> None:
    with pytest.raises(ValueError, match="expected"):
        number(value)
    with pytest.raises(ValueError, match="expected"):
        total(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0.25, 0.5", 0.75),
        ("0.25 : 0.5", 0.75),
        ("0.25, 0.5 : 1", 1.75),
        ("-, 0.5", 0.5),
        ("0.5, -", 0.5),
        ("0.5, ", 0.5),
        ("-, -", None),
        ("- : -", None),
    ],
)
def test_total(value: str, expected: float | None) -> None:
    assert total(value) == expected


@pytest.mark.parametrize("value", ["0.1, x", "0.1, -1", "NaN, 0.1", "0.1; 0.2"])
def test_no_total(value: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        total(value)

"""What people copy from nginx.conf."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, strategies as st

from exporters.nginx.access_log.lines.log_format import line_format
from exporters.toolkit.errors import StartError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('$remote_addr "$request"', '$remote_addr "$request"'),
        ('"$request" $status', '"$request" $status'),
        ('"$request" "$status"', '"$request" "$status"'),
        ('{"status":"$status"}', '{"status":"$status"}'),
        (" $status ", " $status "),
        (r"$a\t$b", "$a\t$b"),
        (r'"a \"$b\" $c"', r'"a \"$b\" $c"'),
        ("$a $b\r\n", "$a $b"),
        ("", ""),
        ("'$a '\n    '\"$b\"'", '$a "$b"'),
        ("'$a '\n    '\"$b\"';\n", '$a "$b"'),
        ("'$a' '$b'", "$a$b"),
        ("escape=json '{'\n '\"a\":\"$a\"' # the first\n '}';", '{"a":"$a"}'),
        ("escape=json\n'{\"a\":$a}'", '{"a":$a}'),
        ('escape=json {"a":"$a"}', '{"a":"$a"}'),
        (r'escape=none "a \"$b\" $c"', 'a "$b" $c'),
        ("log_format main '$a '\n\t'$b';", "$a $b"),
        ("  log_format  main\n escape=default  '$a $b' ;  ", "$a $b"),
        (r"""log_format a "$a '$b' \"$c\"" '\'"';""", """$a '$b' "$c"'\""""),
        (r"log_format a '\$\\\.\t';", "\\$\\\\.\t"),
        (r"log_format a $a\t$b;", "$a\t$b"),
        ("log_format a '# $a;' #';'\n ' $b'", "# $a; $b"),
        ('"time:$a"\n    "\\tb:$b";', "time:$a\tb:$b"),
        ('"$a | $b | "\n  "$c"', "$a | $b | $c"),
        ('"$a" "$b";', "$a$b"),
    ],
)  # fmt: skip
def test_the_format_of_a_line(text: str, expected: str) -> None:
    assert line_format(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "'$a",
        "'$a' '$b",
        "log_format a '$a''$b';",
        "log_format a '$a'; log_format b '$b';",
        "log_format a '$a' \"$b;",
    ],
)
def test_what_nginx_would_not_read(text: str) -> None:
    with pytest.raises(StartError, match="cannot read on at "):
        line_format(text)


@given(
    st.text(st.sampled_from("'\"\\\n;# \t$atn"), max_size=30),
    st.sampled_from(["", "'", "escape=json ", "log_format x ", 'log_format x "']),
)
def test_nothing_but_the_one_error(text: str, begin: str) -> None:
    with contextlib.suppress(StartError):
        line_format(begin + text)

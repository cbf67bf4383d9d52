from __future__ import annotations

import subprocess
import sys
from contextlib import suppress

import pytest
from hypothesis import given, settings, strategies as st

from shipper.pipeline.gotemplate import Template, TemplateError, compile_template
from shipper.pipeline.template_functions import REFUSED


VALUES = {
    "level": "Warn",
    "n": "42",
    "msg": " a\udcffé b ",
    "empty": "",
    "date": "2024-03-01T12:34:56.789012345+02:00",
}
LAYOUT = "2006-01-02T15:04:05Z07:00"


def render(text: str) -> str:
    return Template(text).render(VALUES)


# What each gives was asked of Go's text/template with promtail's functions; the cases
# of tests/shipper/oracle ask promtail itself.
@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("plain", "plain"),
        ("{{ .level | ToLower }}", "warn"),
        ("{{ .missing }}", "<no value>"),
        ("{{ .missing.deep }}", "<no value>"),
        ('{{ printf "%v %s" .missing .missing }}', "<nil> %!s(<nil>)"),
        ('{{ eq .missing "x" }}{{ ne .n "x" }}', "falsetrue"),
        ("{{ eq .missing .nope }}", "true"),
        ("{{ print .n 1 2 `a` 3 .missing }}", "421 2a3 <nil>"),
        ("{{ print 1 2 }}{{ println .n 1 }}", "1 242 1\n"),
        ("{{ toString .missing }}{{ list nil 1 }}", "<nil>[<nil> 1]"),
        ('{{ printf "%s|%03d" (list "a") (list 7 8) }}', "[a]|[007 008]"),
        ('{{ printf "%s" (dict "k" "v") }}', "map[k:v]"),
        ('{{ printf "%T %v" (list 1) (list) }}', "[]interface {} []"),
        ('{{ printf "x" (list 1) }}', "x%!(EXTRA []interface {}=[1])"),
        ("{{ .msg }}", " a\udcffé b "),
        ("{{ ToUpper .msg }}", " A\ufffdÉ B "),
        ("{{ ToUpper `ßǰ` }}{{ ToLower `İ` }}", "ßǰi"),
        ("{{ TrimSpace .msg }}|{{ TrimSpace `\x1c` }}", "a\udcffé b|\x1c"),
        ("{{ len .msg }} {{ len `é` }}", "8 2"),
        ("{{ trunc 3 .msg }}{{ trunc -2 .msg }}", " a\udcffb "),
        ("{{ trunc 4 .msg }}", " a\udcff\udcc3"),
        ("{{ substr 1 3 .msg }}{{ substr -1 2 .n }}{{ substr 1 -1 .n }}", "a\udcff422"),
        ("{{ b64enc .msg }}", "IGH/w6kgYiA="),
        ("{{ sha1sum .n }}", "92cfceb39d57d914ed8b14d0e37643de0797ae56"),
        ("{{ nospace `ü 世` }}", "ü世"),
        ("{{ Replace `aaa` `a` `b` 2 }}{{ replace `a` `b` `aa` }}", "bbabb"),
        ("{{ regexReplaceAll `a(x*)b` `-ab-axxb-` `${1}W` }}", "-W-xxW-"),
        ("{{ regexReplaceAll `.` .msg `<$0>` | trunc 9 }}", "< ><a><\udcff>"),
        ("{{ regexReplaceAllLiteral `x*` `ab` `$1` }}", "$1a$1b$1"),
        ("{{ regexMatch `(` `x` }}{{ regexMatch `^4` .n }}", "falsetrue"),
        ("{{ regexFind `z` .n }}{{ regexFind `\\d` .n }}", "4"),
        ("{{ regexFindAll `\\d` .n -1 }}{{ regexFindAll `\\d` .n 1 }}", "[4 2][4]"),
        ("{{ regexSplit `z+` `pizza` -1 | len }}", "2"),
        ("{{ regexSplit `,` `a,b,c` 2 }}{{ regexSplit `,` `a` 0 }}", "[a b,c][]"),
        ("{{ regexSplit `` `abc` -1 }}", "[a b c]"),
        ("{{ regexQuoteMeta `1.2*` }}", r"1\.2\*"),
        ("{{ has .n (list `42`) }}{{ deepEqual .n `42` }}", "truetrue"),
        ("{{ without (list .n `1`) `42` }}{{ uniq (list .n `42`) }}", "[1][42]"),
        ("{{ pick nil }}{{ get nil `a` }}", "map[]"),
        (f"{{{{ (toDate `{LAYOUT}` .date).Unix }}}}", "1709289296"),
        (f"{{{{ (toDate `{LAYOUT}` .date).UTC.Format `15:04` }}}}", "10:34"),
        (f"{{{{ (toDate `{LAYOUT}` .date).Month }}}}", "March"),
        (
            f"{{{{ toDate `{LAYOUT}` .date }}}}",
            "2024-03-01 12:34:56.789012345 +0200 +0200",
        ),
        (f"{{{{ dateInZone `15` (toDate `{LAYOUT}` .date) `UTC` }}}}", "10"),
        (f"{{{{ (dateModify `1h` (toDate `{LAYOUT}` .date)).Hour }}}}", "13"),
        (f"{{{{ toDate `{LAYOUT}` .date | unixEpoch }}}}", "1709289296"),
        ("now.Unix {{ `now.Unix` }} {{/* now.X */}}", "now.Unix now.Unix "),
        ("{{ if gt now.Unix 5 }}{{ typeOf now }}{{ end }}", "time.Time"),
        ("{{ now.Year | lt 2000 }}{{ now.IsZero }}", "truefalse"),
    ],
)
def test_renders(text: str, result: str) -> None:
    assert render(text) == result


@pytest.mark.parametrize(
    "text",
    [
        "{{ .level.deep }}",
        "{{ .level.upper }}",  # a method of Python's str
        "{{ .level.__class__ }}",
        "{{ .missing | ToUpper }}",
        "{{ ToUpper 1 }}",
        "{{ ToUpper .level .n }}",
        "{{ lt .n 1 }}",
        "{{ eq .n 42 }}",
        "{{ eq (list 1) (list 1) }}",
        "{{ eq 1 }}",
        "{{ fail `boom` }}",
        "{{ div 1 0 }}",
        "{{ regexReplaceAll `(` .level `x` }}",
        "{{ mustRegexMatch `(` .level }}",
        "{{ substr 5 6 .n }}",
        "{{ merge .level }}",
        "{{ template `nope` }}",
        "{{ now.Nope }}",
    ],
)
def test_an_error_is_one_line(text: str) -> None:
    with pytest.raises(TemplateError) as error:
        render(text)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("{{ nope }}", 'template: pipeline_template:1: function "nope" not defined'),
        ("a\n{{ .x", "template: pipeline_template:2: "),
        ("{{ if .x }}", "template: pipeline_template:1: "),
        ("{{ end }}", "template: pipeline_template:1: "),
        ("{{ $x }}", "template: pipeline_template:1: "),
        ("{{ .a-b }}", "template: pipeline_template:1: "),
        ("{{ 1_ }}", "template: pipeline_template:1: "),
        ("{{" + "(" * 3000 + ".x" + ")" * 3000 + "}}", "template: pipeline_template:"),
        ("{{ if .x }}" * 3000 + "{{ end }}" * 3000, "template: pipeline_template:"),
    ],
)
def test_what_cannot_be_parsed(text: str, where: str) -> None:
    with pytest.raises(TemplateError) as error:
        compile_template(text)
    assert str(error.value).startswith(where)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_says_why_a_function_is_refused(name: str) -> None:
    with pytest.raises(TemplateError, match="it would hold up every line"):
        compile_template(f"{{{{ {name} }}}}")


@pytest.mark.parametrize(
    "text",
    [
        "{{ repeat 100000000 .n }}",
        "{{ until 100000000 | len }}",
        "{{ untilStep 0 100000000 1 | len }}",
        "{{ seq 100000000 | len }}",
        "{{ seq -100000000 0 | len }}",
        "{{ indent 100000000 .n }}",
        "{{ randAlphaNum 100000000 }}",
        "{{ printf `%99999999d` 1 }}",
        "{{ printf `%*d` 99999999 1 }}",
        "{{ range until 1000 }}{{ range until 1000 }}{{ end }}{{ end }}",
        "{{ range until 90000 }}{{ repeat 1000 `x` }}{{ end }}",
        "{{ define `r` }}{{ template `r` }}{{ end }}{{ template `r` }}",
        "{{ $x := `x` }}{{ range until 40 }}{{ $x = print $x $x }}{{ end }}",
        "{{ $l := list 1 }}{{ range until 40 }}{{ $l = concat $l $l }}{{ end }}",
        "{{ $x := repeat 9999 `a` }}{{ Replace $x `a` $x -1 }}",
        "{{ $x := repeat 9999 `a` }}{{ regexReplaceAll `a` $x $x }}",
    ],
)
@pytest.mark.timeout(20)
def test_comes_to_an_end(text: str) -> None:
    with pytest.raises(TemplateError):
        render(text)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["{{", "}}", "{{-", "-}}", " ", ".n", "|", "if", "else", "end", "range",
             "with", "$x", ":=", "(", ")", '"a"', "`", "ToUpper", "printf", "1", ",",
             "/*", "*/", "define", "\n", "é", "\\"]
        )
    )
)  # fmt: skip
def test_no_text_is_a_traceback(tokens: list[str]) -> None:
    with suppress(TemplateError):
        Template(" ".join(tokens)).render(VALUES)


def test_the_package_is_imported_with_the_first_that_is_not_plain() -> None:
    code = (
        "import sys, shipper.pipeline.stages.template as t;"
        "assert 'gotpl' not in sys.modules; t.compile_template('{{ .a }}');"
        "assert 'gotpl' not in sys.modules; t.compile_template('{{ 1 }}');"
        "assert 'gotpl' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

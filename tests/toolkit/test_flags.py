from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from exporters.toolkit import flags
from exporters.toolkit.errors import UsageError
from exporters.toolkit.logs import LOG_FLAGS, LOG_FORMAT, LOG_LEVEL


PROCFS = flags.string("path.procfs", "procfs mountpoint.", default="/proc")
ARP = flags.boolean("collector.arp", "Enable the arp collector.", default=True)
OFF = flags.boolean("no-no", "A name that starts with no-.", env="NO_NO")
MAX = flags.integer("web.max-requests", "At a time.", default=40, env="MAX_REQUESTS")
LISTEN = flags.strings(
    "web.listen-address", "Where.", default=(":9100",), env="LISTEN_ADDRESS"
)
TIMEOUT = flags.duration("nginx.timeout", "How long.", default=5.0, env="TIMEOUT")
RATIO = flags.floating("ratio", "A ratio.", default=0.5)
KIND = flags.choice("kind", "Which.", ("a", "b"), default="a")
SECRET = flags.string("secret", "Not shown.", hidden=True)
PROGRAM = flags.Program(
    "node_exporter",
    "",
    (PROCFS, ARP, OFF, MAX, LISTEN, TIMEOUT, RATIO, KIND, SECRET, *LOG_FLAGS),
)


def parse(*argv: str, **environ: str) -> flags.Values:
    return PROGRAM.parse(argv, environ)


@pytest.mark.parametrize(
    ("argv", "flag", "value"),
    [
        ((), PROCFS, "/proc"),
        (("--path.procfs", "/x"), PROCFS, "/x"),
        (("--path.procfs=/x=y",), PROCFS, "/x=y"),
        (("--path.procfs=",), PROCFS, ""),
        (("--path.procfs", "-"), PROCFS, ""),  # kingpin reads a lone dash as ""
        (("-path.procfs=/x",), PROCFS, "/x"),
        (("-path.procfs", "/x"), PROCFS, "/x"),
        (("--collector.arp",), ARP, True),
        (("--no-collector.arp",), ARP, False),
        (("-no-collector.arp",), ARP, False),
        (("--no-no",), OFF, True),
        (("--no-no-no",), OFF, False),
        (("--web.max-requests=1e2",), MAX, 100),
        (("--web.max-requests=2.9",), MAX, 2),
        ((), LISTEN, (":9100",)),
        (("--web.listen-address=a", "--web.listen-address", "b"), LISTEN, ("a", "b")),
        (("--nginx.timeout=1m30s",), TIMEOUT, 90.0),
        (("--ratio=.25",), RATIO, 0.25),
        (("--kind=b",), KIND, "b"),
        (("--log.level=WARN",), LOG_LEVEL, "warn"),
        (("--log.format=json",), LOG_FORMAT, "json"),
        (("--no-collector.arp", "--"), ARP, False),
    ],
)
def test_value(argv: Sequence[str], flag: flags.Flag[Any], value: object) -> None:
    values = parse(*argv)
    assert values[flag] == value
    assert values.given(flag) is bool(argv)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("--bogus",), "unknown long flag '--bogus'"),
        (("--no-bogus",), "unknown long flag '--no-bogus'"),
        (("--bogus=1",), "unknown long flag '--bogus'"),
        (("--no-path.procfs",), "unknown long flag '--no-path.procfs'"),
        (("-w",), "unknown short flag '-w'"),
        (("-bogus",), "unknown short flag '-b'"),
        (("-hx",), "unknown short flag '-x'"),
        (("extra",), "unexpected extra"),
        (("--", "--path.procfs"), "unexpected --path.procfs"),
        (("-",), "unexpected "),
        (("--path.procfs",), "expected argument for flag '--path.procfs'"),
        (("--path.procfs", "--ratio"), "expected argument for flag '--path.procfs'"),
        (("--collector.arp=false",), "unexpected false"),
        (("--collector.arp", "false"), "unexpected false"),
        (
            ("--web.max-requests=abc",),
            'strconv.ParseFloat: parsing "abc": invalid syntax',
        ),
        (
            ("--path.procfs=a", "--path.procfs=b"),
            "flag 'path.procfs' cannot be repeated",
        ),
        (
            ("--collector.arp", "--no-collector.arp"),
            "flag 'collector.arp' cannot be repeated",
        ),
        (("--log.level=foo",), "unrecognized log level foo"),
        (("--log.format=xml",), "unrecognized log format xml"),
        (("--kind=c",), "enum value must be one of a,b, got 'c'"),
        (("--nginx.timeout=5",), 'time: missing unit in duration "5"'),
        (("@",), "expected @ file to expand arguments from"),
        (
            ("@/nope",),
            (
                'failed to open arguments file "/nope": open /nope: '
                "no such file or directory"
            ),
        ),
        (("--web.max-requests=1e99",), "value out of range"),
        (("--web.max-requests=NaN",), "value out of range"),
    ],
)
def test_refused(argv: Sequence[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(*argv)
    assert message in str(caught.value)


def test_arguments_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "arguments"
    file.write_text("# a comment\n\n--path.procfs\n/from file\n--no-collector.arp\n")
    values = parse("--ratio=1", f"@{file}", "--kind=b")
    assert values[PROCFS] == "/from file"
    assert (values[ARP], values[RATIO], values[KIND]) == (False, 1.0, "b")


@pytest.mark.parametrize(
    ("environ", "flag", "value"),
    [
        ({"MAX_REQUESTS": "7"}, MAX, 7),
        ({"MAX_REQUESTS": ""}, MAX, 40),
        ({"NO_NO": "true"}, OFF, True),
        ({"NO_NO": "0"}, OFF, False),
        ({"LISTEN_ADDRESS": ":1"}, LISTEN, (":1",)),
        ({"LISTEN_ADDRESS": ":1\n:2\r\n:3\n"}, LISTEN, (":1", ":2", ":3")),
        ({"LISTEN_ADDRESS": ":1,:2"}, LISTEN, (":1,:2",)),
        ({"TIMEOUT": "2s"}, TIMEOUT, 2.0),
    ],
)
def test_environment(
    environ: dict[str, str], flag: flags.Flag[Any], value: object
) -> None:
    values = parse(**environ)
    assert values[flag] == value
    assert not values.given(flag)


def test_command_line_beats_environment() -> None:
    values = parse("--web.listen-address=:3", LISTEN_ADDRESS=":1\n:2")
    assert values[LISTEN] == (":3",)


def test_bad_environment_is_not_looked_at_when_the_flag_is_given() -> None:
    assert parse("--web.max-requests=1", MAX_REQUESTS="x")[MAX] == 1
    with pytest.raises(UsageError, match="ParseFloat"):
        parse(MAX_REQUESTS="x")
    with pytest.raises(UsageError, match="ParseBool"):
        parse(NO_NO="maybe")


@pytest.mark.parametrize(
    "argv",
    [
        ("--version",),
        ("--bogus", "--version"),
        ("--version", "--bogus"),
        ("--log.level=foo", "--version"),
        ("--help", "--version"),
    ],
)
def test_version_wins(argv: Sequence[str]) -> None:
    if argv[0] == "--bogus":  # scanning stops at the first error, before --version
        with pytest.raises(UsageError):
            parse(*argv)
        return
    with pytest.raises(flags.VersionRequested) as caught:
        parse(*argv, MAX_REQUESTS="x")
    assert caught.value.text.startswith("node_exporter, version ")
    assert "(branch: , revision: " in caught.value.text


@pytest.mark.parametrize("argv", [("--help",), ("-h",), ("--help-long",), ("-help",)])
def test_help_names_every_flag(argv: Sequence[str]) -> None:
    with pytest.raises(flags.HelpRequested) as caught:
        PROGRAM.parse(argv, {"COLUMNS": "100"})
    text = caught.value.text
    assert text.startswith(
        "usage: node_exporter [<flags>]\n\nFlags:\n  -h, --[no-]help "
    )
    for expected in (
        '      --path.procfs="/proc" ',
        "      --[no-]collector.arp ",
        "      --web.max-requests=40 ",
        "      --web.listen-address=:9100 ...  \n",
        "      --nginx.timeout=5s ",
        "      --log.level=info ",
        "      --[no-]version ",
        "($LISTEN_ADDRESS)",
    ):
        assert expected in text
    assert "secret" not in text
    assert max(map(len, text.split("\n"))) <= 100


def test_help_after_a_wrong_flag_is_the_error() -> None:
    with pytest.raises(UsageError, match="unknown long flag '--bogus'"):
        parse("--help", "--bogus")


def test_man_page() -> None:
    with pytest.raises(flags.HelpRequested) as caught:
        parse("--help-man")
    assert caught.value.text.startswith(".TH node_exporter 1")
    assert (
        '.TP\n\\fB--path.procfs="/proc"\\fR\nprocfs mountpoint.\n' in caught.value.text
    )


def test_main_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    def run(values: flags.Values) -> int:
        if values[KIND] == "b":
            raise UsageError("kind b needs more")
        return 7

    assert flags.main(PROGRAM, [], {}, run) == 7
    assert flags.main(PROGRAM, ["--version"], {}, run) == 0
    out, err = capsys.readouterr()
    assert out.startswith("node_exporter, version ")
    assert not err
    assert flags.main(PROGRAM, ["--bogus"], {}, run) == 1
    assert flags.main(PROGRAM, ["--kind=b"], {}, run) == 1
    out, err = capsys.readouterr()
    assert not out
    assert err == (
        "node_exporter: error: unknown long flag '--bogus', try --help\n"
        "node_exporter: error: kind b needs more, try --help\n"
    )


def test_exit_code_of_a_process() -> None:
    code = (
        "import os, sys\n"
        "from exporters.toolkit import flags\n"
        "p = flags.Program('demo', '', ())\n"
        "raise SystemExit(flags.main(p, sys.argv[1:], os.environ, lambda v: 0))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--bogus"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )
    assert done.returncode == 1
    assert done.stderr == "demo: error: unknown long flag '--bogus', try --help\n"
    assert done.stdout == ""


@given(st.lists(st.text(max_size=12).map(lambda t: t.replace("@", "")), max_size=6))
def test_any_command_line_is_parsed_or_refused(argv: list[str]) -> None:
    with contextlib.suppress(UsageError, flags.InformationRequested):
        parse(*argv)

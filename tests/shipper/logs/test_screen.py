from __future__ import annotations

import io
import os

import pytest

from shipper.logs.cli import main
from shipper.logs.errors import UsageError
from shipper.logs.flags import Options
from shipper.logs.lines import Line
from shipper.logs.screen import Screen, style_of, zone_of
from tests.shipper.logs.conftest import NOW


@pytest.mark.parametrize(
    ("options", "environ", "terminal", "colours"),
    [
        (Options(), {}, True, True),
        (Options(), {}, False, False),
        (Options(), {"NO_COLOR": "1"}, True, False),
        (Options(), {"NO_COLOR": ""}, True, True),
        (Options(), {"TERM": "dumb"}, True, False),
        (Options(colored=True), {"NO_COLOR": "1"}, False, True),
    ],
)
def test_colours_only_for_a_terminal_that_wants_them(
    options: Options, environ: dict[str, str], terminal: bool, colours: bool
) -> None:
    assert style_of(options, environ, terminal=terminal).colours is colours


def test_raw_is_as_it_is_only_for_a_pipe() -> None:
    raw = Options(output="raw")
    assert style_of(raw, {}, terminal=False).plain
    assert not style_of(raw, {}, terminal=True).plain
    assert not style_of(Options(), {}, terminal=False).plain


def test_zones() -> None:
    assert zone_of("Local") is None
    assert str(zone_of("utc")) == "UTC"
    assert str(zone_of("Europe/Berlin")) == "Europe/Berlin"
    for name in ("", "../etc/passwd", "Nowhere", "\0"):
        with pytest.raises(UsageError):
            zone_of(name)


def test_quiet_says_nothing_beside_the_lines() -> None:
    lines = [Line(NOW, (("a", "b"),), "text")]
    for quiet, told in ((False, 'all have {a="b"}\n'), (True, "")):
        out, err = io.StringIO(), io.StringIO()
        Screen(Options(quiet=quiet), {}, out, err).lines(lines)
        assert out.getvalue().endswith(" text\n")
        assert err.getvalue() == told


def test_a_terminal_without_utf8_shows_what_it_can() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    Screen(Options(no_labels=True), {}, out, io.StringIO()).lines([Line(NOW, (), "ü")])
    assert raw.getvalue().endswith(b" \\xfc\n")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_disk_is_one_line() -> None:
    err = io.StringIO()
    with open("/dev/full", "w", encoding="utf-8") as out:
        assert main(["--help"], {}, out, err) == 1
    assert err.getvalue() == "logs: cannot write: No space left on device\n"

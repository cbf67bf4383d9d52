from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from exporters.node.collectors import textfile
from exporters.toolkit.exposition import encode
from tests.node.conftest import Run


FLAG = "--collector.textfile.directory"
MTIME = 1_700_000_000


def write(directory: Path, name: str, data: bytes) -> Path:
    directory.mkdir(exist_ok=True)
    path = directory / name
    path.write_bytes(data)
    os.utime(path, ns=(0, MTIME * 10**9 + 999_999_999))
    return path


def printed(run: Run, *directories: object) -> str:
    flags = [f"{FLAG}={directory}" for directory in directories]
    return encode(run(textfile.COLLECTOR, *flags)).decode()


def samples(run: Run, *directories: object) -> list[str]:
    text = printed(run, *directories)
    return [line for line in text.splitlines() if not line.startswith("#")]


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The messages with their structured fields, as one line each."""
    return [f"{r.message} {getattr(r, 'fields', '')}" for r in caplog.records]


ERROR = "node_textfile_scrape_error"


def test_no_directory_is_silent(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    assert samples(run) == [f"{ERROR} 0"]
    assert samples(run, "") == [f"{ERROR} 0"]
    assert caplog.messages == []


def test_a_directory_that_is_not_there(
    run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert samples(run, tmp_path / "no") == [f"{ERROR} 1"]
    (line,) = logged(caplog)
    assert "failed to read textfile collector directory" in line
    assert f"open {tmp_path}/no: no such file or directory" in line


def test_the_whole_text(run: Run, tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "a.prom",
        b"# HELP h Time.\n# TYPE h histogram\n"
        b'h_bucket{le="0.5",x="1"} 1\nh_sum{x="1"} 2.5\nh_count{x="1"} 3\n'
        b'# TYPE s summary\ns{quantile="0.99"} 1e6\n'
        b"# TYPE c counter\nc 7\n",
    )
    write(tmp_path, "b.txt", b"other 1\n")
    assert printed(run, tmp_path) == (
        f"# HELP c Metric read from {path}\n# TYPE c counter\nc 7\n"
        "# HELP h Time.\n# TYPE h histogram\n"
        'h_bucket{x="1",le="0.5"} 1\nh_bucket{x="1",le="+Inf"} 3\n'
        'h_sum{x="1"} 2.5\nh_count{x="1"} 3\n'
        "# HELP node_textfile_mtime_seconds"
        " Unixtime mtime of textfiles successfully read.\n"
        "# TYPE node_textfile_mtime_seconds gauge\n"
        f'node_textfile_mtime_seconds{{file="{path}"}} 1.7e+09\n'
        "# HELP node_textfile_scrape_error"
        " 1 if there was an error opening or reading a file, 0 otherwise\n"
        "# TYPE node_textfile_scrape_error gauge\nnode_textfile_scrape_error 0\n"
        f"# HELP s Metric read from {path}\n# TYPE s summary\n"
        's{quantile="0.99"} 1e+06\ns_sum 0\ns_count 0\n'
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"ok 1\nbad 1", "line 2: unexpected end of input stream"),
        (b"ok 1\nbad x\n", "line 2: expected float as value"),
        (b"ok 1 1395066363000\n", "contains unsupported client-side timestamps"),
        # These two end node_exporter (#3374).
        (b'foo{__a="1"} 1\n', 'line 1: label name "__a" is reserved'),
        (b'{host="x"} 1\n', "line 1: invalid metric name"),
        (None, "is a directory"),
    ],
)
def test_a_bad_file_costs_only_itself(
    data: bytes | None,
    reason: str,
    run: Run,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    good = write(tmp_path, "good.prom", b"good 1\n")
    bad = tmp_path / "bad.prom"
    if data is None:
        bad.mkdir()
    else:
        write(tmp_path, "bad.prom", data)
    assert samples(run, tmp_path) == [
        "good 1",
        f'node_textfile_mtime_seconds{{file="{good}"}} 1.7e+09',
        f"{ERROR} 1",
    ]
    (line,) = logged(caplog)
    assert "failed to collect textfile data" in line
    assert str(bad) in line
    assert reason in line


def test_a_link_to_nowhere_and_a_pipe(
    run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a.prom").symlink_to("nowhere")
    os.mkfifo(tmp_path / "b.prom")  # nobody writes: reading must not wait
    (mtime, error) = samples(run, tmp_path)
    assert "b.prom" in mtime
    assert error == f"{ERROR} 1"
    assert "no such file or directory" in logged(caplog)[0]


def test_an_empty_file_is_good(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path, "a.prom", b"")
    assert samples(run, tmp_path) == [
        f'node_textfile_mtime_seconds{{file="{path}"}} 1.7e+09',
        f"{ERROR} 0",
    ]


def test_missing_labels_are_filled_in(run: Run, tmp_path: Path) -> None:
    write(tmp_path, "a.prom", b'a{x="1"} 1\na{y="2"} 2\na 3\n')
    assert samples(run, tmp_path)[:3] == [
        'a{x="",y=""} 3',
        'a{x="",y="2"} 2',
        'a{x="1",y=""} 1',
    ]


def test_the_first_help_wins_and_another_is_left_out(
    run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, "a.prom", b'# HELP m One.\nm{f="a"} 1\n')
    write(tmp_path, "b.prom", b'# HELP m Two.\nm{f="b"} 1\nother 1\n')
    write(tmp_path, "c.prom", b'# HELP m One.\nm{f="c"} 1\n')
    text = printed(run, tmp_path)
    assert "# HELP m One.\n" in text
    assert [line for line in text.splitlines() if line.startswith("m{")] == [
        'm{f="a"} 1'
    ]
    assert "other 1\n" in text
    assert f"{ERROR} 1\n" in text
    assert text.count("node_textfile_mtime_seconds{") == 3
    first, second = logged(caplog)
    assert "inconsistent metric help text" in first
    assert "Two." in first
    assert f"{tmp_path}/a.prom" in second


def test_a_disputed_family_without_help_is_left_out_too(
    run: Run, tmp_path: Path
) -> None:
    """Here node_exporter dereferences nil."""
    for name, help_text in (("a", "One."), ("b", "Two."), ("c", "")):
        comment = f"# HELP m {help_text}\n"
        write(tmp_path, f"{name}.prom", f'{comment}m{{f="{name}"}} 1\n'.encode())
    assert [line for line in samples(run, tmp_path) if line[0] == "m"] == ['m{f="a"} 1']


def test_no_help_names_the_files(run: Run, tmp_path: Path) -> None:
    a = write(tmp_path, "a.prom", b'm{f="a"} 1\n')
    b = write(tmp_path, "b.prom", b'# HELP m \nm{f="b"} 1\n')
    assert f"# HELP m Metric read from {a}, {b}\n" in printed(run, tmp_path)


def test_one_help_is_enough_for_all_files(run: Run, tmp_path: Path) -> None:
    write(tmp_path, "a.prom", b'm{f="a"} 1\n')
    write(tmp_path, "b.prom", b'# HELP m Text.\nm{f="b"} 1\n')
    text = printed(run, tmp_path)
    assert '# HELP m Text.\n# TYPE m untyped\nm{f="a"} 1\nm{f="b"} 1\n' in text


def test_globs_and_several_directories(run: Run, tmp_path: Path) -> None:
    for name in ("one", "two", ".hidden"):
        write(tmp_path / name, "x.prom", f"m_{name.strip('.')} 1\n".encode())
    found = samples(run, f"{tmp_path}/[^t]*/", f"{tmp_path}/two")
    assert [line for line in found if line.startswith("m_")] == [
        "m_hidden 1",
        "m_one 1",
        "m_two 1",
    ]
    assert (
        f'node_textfile_mtime_seconds{{file="{tmp_path}/one/x.prom"}} 1.7e+09' in found
    )


def test_names_that_are_not_utf8(run: Run, tmp_path: Path) -> None:
    write(tmp_path, os.fsdecode(b"\xff.prom"), b"m 1\n")
    text = printed(run, tmp_path)
    assert "\ufffd.prom" in text
    assert f"{ERROR} 0\n" in text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=60))
def test_no_file_makes_the_collector_fail(
    data: bytes, run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.CRITICAL):
        write(tmp_path, "a.prom", data)
        assert ERROR in printed(run, tmp_path)


def test_an_openmetrics_file_is_read_and_merged_with_the_others(
    run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, "a.prom", b'# HELP m Text.\n# TYPE m gauge\nm{f="a"} 1\n')
    write(
        tmp_path,
        "b.prom",
        b'# TYPE build info\n# HELP build Which.\nbuild_info{v="2"} 1\n'
        b'# TYPE m gauge\n# HELP m Text.\nm{f="b"} 2\n# EOF',
    )
    text = printed(run, tmp_path)
    assert '# HELP build_info Which.\n# TYPE build_info gauge\nbuild_info{v="2"} 1' in (
        text
    )
    assert '# TYPE m gauge\nm{f="a"} 1\nm{f="b"} 2\n' in text
    assert f"{ERROR} 0\n" in text
    assert caplog.messages == []


def test_a_bad_openmetrics_file_is_named_with_its_line(
    run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path, "a.prom", b"# TYPE a info\na_info 1\n\na_info 2\n# EOF\n")
    assert samples(run, tmp_path) == [f"{ERROR} 1"]
    (line,) = logged(caplog)
    assert f'failed to parse textfile data from "{path}"' in line
    assert "OpenMetrics parsing error in line 4: Info samples" in line


def test_the_line_of_a_timestamp_is_named(
    run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, "a.prom", b"a 1\n\nb 1 1395066363000\n")
    assert samples(run, tmp_path) == [f"{ERROR} 1"]
    assert "skipping entire file (line 3)" in logged(caplog)[0]

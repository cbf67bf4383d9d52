from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from exporters.nginx.fpm import FLAGS, build_collector
from exporters.nginx.http.resolver import Resolver
from exporters.toolkit.errors import StartError, UsageError
from exporters.toolkit.flags import HelpRequested, Program
from tests.nginx.fpm.conftest import always, answer, fake_fpm, samples
from tests.nginx.fpm.pages import child, page


PROGRAM = Program("nginx-prometheus-exporter", "", FLAGS)


async def _collect(
    argv: list[str], environ: dict[str, str]
) -> dict[str, object] | None:
    """Return what tells the flags apart, None without php-fpm."""
    with ThreadPoolExecutor(1) as executor:
        values = PROGRAM.parse(argv, environ)
        collector = build_collector(values, Resolver(executor), {})
        if collector is None:
            return None
        families = await collector.collect(None)
    return {
        "up": samples(families, "phpfpm_up"),
        "total": set(samples(families, "phpfpm_total_processes").values()),
        "children": bool(samples(families, "phpfpm_process_requests", "child")),
    }


async def test_off_unless_asked_for() -> None:
    assert await _collect([], {}) is None
    assert (
        await _collect([], {"FPM_SCRAPE_URI": "", "FPM_FIX_PROCESS_COUNT": "1"}) is None
    )


@pytest.mark.parametrize(
    ("flags", "environ", "total", "children"),
    [
        (["--fpm.scrape-uri={}"], {}, 3, True),
        ([], {"FPM_SCRAPE_URI": "{}"}, 3, True),
        (["--phpfpm.scrape-uri={}"], {}, 3, True),
        ([], {"PHP_FPM_SCRAPE_URI": "{}"}, 3, True),
        ([], {"PHP_FPM_SCRAPE_URI": '"{}"'}, 3, True),
        (["--fpm.scrape-uri={}", "--no-fpm.processes"], {}, 3, False),
        (["--fpm.scrape-uri={}"], {"FPM_PROCESSES": "false"}, 3, False),
        (["--fpm.scrape-uri={}", "--fpm.fix-process-count"], {}, 1, True),
        (["--fpm.scrape-uri={}"], {"FPM_FIX_PROCESS_COUNT": "true"}, 1, True),
        (["--phpfpm.scrape-uri={}", "--phpfpm.fix-process-count"], {}, 1, True),
        ([], {"PHP_FPM_SCRAPE_URI": "{}", "PHP_FPM_FIX_PROCESS_COUNT": "1"}, 1, True),
    ],
)
async def test_flags(
    flags: list[str], environ: dict[str, str], total: int, *, children: bool
) -> None:
    async with fake_fpm(always(answer(page(child())))) as (_, uri):
        given = {name: value.format(uri) for name, value in environ.items()}
        found = await _collect([flag.format(uri) for flag in flags], given)
    assert found == {"up": {uri: 1}, "total": {total}, "children": children}


async def test_const_labels() -> None:
    with ThreadPoolExecutor(1) as executor:
        async with fake_fpm(always(answer(page(child())))) as (_, uri):
            values = PROGRAM.parse([f"--fpm.scrape-uri={uri}"], {})
            collector = build_collector(values, Resolver(executor), {"env": "prod"})
            assert collector is not None
            families = await collector.collect(None)
    labels = [sample.labels for family in families for sample in family.samples]
    assert labels
    assert all(each["env"] == "prod" for each in labels)


async def test_lists_from_everywhere_are_one() -> None:
    async with (
        fake_fpm(always(answer(page()))) as (_, a),
        fake_fpm(always(answer(page()))) as (_, b),
    ):
        argv = [f"--fpm.scrape-uri={a},{b}", f"--fpm.scrape-uri={a}"]
        found = await _collect(argv, {"PHP_FPM_SCRAPE_URI": f"{b},{a}"})
    assert found is not None
    assert found["up"] == {a: 1, b: 1}


@pytest.mark.parametrize("flag", ["--fpm.scrape-uri=h:9000", "--phpfpm.scrape-uri=x"])
async def test_refused_at_the_start(flag: str) -> None:
    with pytest.raises(StartError, match=r"cannot read --fpm\.scrape-uri"):
        await _collect([flag], {})


@pytest.mark.parametrize("text", ["-1s", "5"])
def test_timeouts_that_are_none(text: str) -> None:
    with pytest.raises(UsageError):
        PROGRAM.parse([f"--fpm.timeout={text}"], {})


def test_help_names_one_spelling() -> None:
    with pytest.raises(HelpRequested) as raised:
        PROGRAM.parse(["--help"], {})
    assert "--fpm.scrape-uri" in raised.value.text
    assert "--phpfpm" not in raised.value.text

"""Every line of /metrics beside the originals', with the same nginx and flags.

0.11.0 is given its own spellings, and so is ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from tests.nginx.oracle.compare import COMMON, ZERO_X, check, differences, parse
from tests.nginx.oracle.conftest import Doors
from tests.nginx.oracle.originals import BOOKWORM, ONE_X, Original
from tests.nginx.oracle.running import together


pytestmark = pytest.mark.oracle

URI = "--nginx.scrape-uri="
LABEL = "--prometheus.const-label="
UP = {"nginx_up": ["1"]}
DOWN = {"nginx_up": ["0"]}

Case = tuple[list[str], dict[str, str], dict[str, list[str]]]
"""Flags, environment, and values that have to be there."""

CASES: dict[str, Case] = {
    "fixed numbers": (
        [f"{URI}http://127.0.0.1:{{plain}}/fixed"],
        {},
        UP | {"nginx_http_requests_total": ["1.23456789012e+11"]},
    ),
    "live numbers": ([f"{URI}http://127.0.0.1:{{plain}}/stub_status"], {}, UP),
    "const labels": (
        [
            f"{URI}http://127.0.0.1:{{plain}}/fixed",
            f"{LABEL}env=prod",
            f'{LABEL}a=it "is" \\ so',
        ],
        {},
        UP,
    ),
    "several URIs, one of them down": (
        [
            f"{URI}http://localhost:{{plain}}/fixed",
            f"{URI}http://127.0.0.1:{{plain}}/fixed",
            f"{URI}http://127.0.0.1:{{closed}}/fixed",
            f"{LABEL}env=prod",
        ],
        {},
        {"nginx_up": ["0", "1", "1"]},
    ),
    "environment": (
        [],
        {
            "SCRAPE_URI": "http://127.0.0.1:{plain}/fixed",
            "CONST_LABELS": "env=prod\nrole=front",
        },
        UP,
    ),
    "unix socket": ([f"{URI}unix:{{prefix}}/plain.sock:/fixed"], {}, UP),
    "proxy protocol": (
        [f"{URI}http://127.0.0.1:{{proxied}}/fixed", "--nginx.proxy-protocol"],
        {},
        UP,
    ),
    "proxy protocol, unix socket": (
        [f"{URI}unix:{{prefix}}/proxied.sock:/fixed", "--nginx.proxy-protocol"],
        {},
        UP,
    ),
    "https unverified": ([f"{URI}https://127.0.0.1:{{tls}}/fixed"], {}, UP),
    "https, unknown authority": (
        [f"{URI}https://127.0.0.1:{{tls}}/fixed", "--nginx.ssl-verify"],
        {},
        DOWN,
    ),
    "https, known authority": (
        [
            f"{URI}https://127.0.0.1:{{tls}}/fixed",
            "--nginx.ssl-verify",
            "--nginx.ssl-ca-cert={pem}.crt",
        ],
        {},
        UP,
    ),
    "https, wrong name": (
        [
            f"{URI}https://localhost:{{tls}}/fixed",
            "--nginx.ssl-verify",
            "--nginx.ssl-ca-cert={pem}.crt",
        ],
        {},
        DOWN,
    ),
    "https, client certificate": (
        [
            f"{URI}https://127.0.0.1:{{mutual}}/fixed",
            "--nginx.ssl-client-cert={pem}.crt",
            "--nginx.ssl-client-key={pem}",
        ],
        {},
        UP,
    ),
    "https, no client certificate": (
        [f"{URI}https://127.0.0.1:{{mutual}}/fixed"],
        {},
        DOWN,
    ),
    "redirect": ([f"{URI}http://127.0.0.1:{{plain}}/moved"], {}, UP),
    "html": ([f"{URI}http://127.0.0.1:{{plain}}/html"], {}, DOWN),
    "403": ([f"{URI}http://127.0.0.1:{{plain}}/forbidden"], {}, DOWN),
    "refused": ([f"{URI}http://127.0.0.1:{{closed}}/fixed"], {}, DOWN),
    "no socket": ([f"{URI}unix:{{prefix}}/none.sock:/fixed"], {}, DOWN),
    "http spoken to https": ([f"{URI}http://127.0.0.1:{{tls}}/fixed"], {}, DOWN),
}

# What 0.11.0 can: one nginx, which has to be up when it starts.
ZERO_X_CASES: dict[str, Case] = {
    "fixed numbers": (["-nginx.scrape-uri=http://127.0.0.1:{plain}/fixed"], {}, UP),
    "live numbers": (
        ["-nginx.scrape-uri", "http://127.0.0.1:{plain}/stub_status"],
        {},
        UP,
    ),
    "const labels": (
        [
            "-nginx.scrape-uri=http://127.0.0.1:{plain}/fixed",
            "-prometheus.const-labels=env=prod,role=front",
        ],
        {},
        UP,
    ),
    "environment": (
        [],
        {
            "SCRAPE_URI": "http://127.0.0.1:{plain}/fixed",
            "CONST_LABELS": "env=prod,role=front",
            "NGINX_RETRIES": "2",
            "NGINX_RETRY_INTERVAL": "1s",
        },
        UP,
    ),
    "unix socket": (["-nginx.scrape-uri=unix:{prefix}/plain.sock:/fixed"], {}, UP),
    "https": (
        [
            "-nginx.scrape-uri=https://127.0.0.1:{mutual}/fixed",
            "-nginx.ssl-verify=true",
            "-nginx.ssl-ca-cert={pem}.crt",
            "-nginx.ssl-client-cert={pem}.crt",
            "-nginx.ssl-client-key={pem}",
        ],
        {},
        UP,
    ),
    "https unverified, retries": (
        [
            "-nginx.scrape-uri=https://127.0.0.1:{tls}/fixed",
            "-nginx.ssl-verify=false",
            "-nginx.retries=3",
            "-nginx.retry-interval=1s",
            "-nginx.timeout=2s",
        ],
        {},
        UP,
    ),
}


@dataclass(frozen=True, slots=True)
class Scraped:
    """What ours said, and what each original said before and after."""

    ours: str
    theirs: Mapping[Original, tuple[str, str]]


def scrape(originals: Sequence[Original], case: Case, doors: Doors) -> Scraped:
    """Run *originals* and ours with what *case* says, and scrape them."""
    flags, env, _ = case
    with together(originals, *_filled(flags, env, doors)) as running:
        before = {name: them.scrape() for name, them in running.originals.items()}
        ours = running.ours.scrape()
        return Scraped(
            ours,
            {
                name: (before[name], them.scrape())
                for name, them in running.originals.items()
            },
        )


def compare(original: Original, case: Case, scraped: Scraped) -> None:
    """Compare everything that *original* and ours said, and look at ours."""
    accepted = (*COMMON, *(ZERO_X if original.single_dash else ()))
    before, after = scraped.theirs[original]
    check(differences(before, scraped.ours, after, accepted))
    read = parse(scraped.ours)
    for family, values in case[2].items():
        samples = [line for name, line in read.lines if name == family]
        # Behind HELP and TYPE; how ports, and so addr, are sorted is chance.
        assert sorted(read.values[line] for line in samples[2:]) == values


def _filled(
    flags: Sequence[str], env: Mapping[str, str], doors: Doors
) -> tuple[list[str], dict[str, str]]:
    return (
        [doors.fill(flag) for flag in flags],
        {name: doors.fill(value) for name, value in env.items()},
    )


@pytest.fixture(scope="module", params=CASES)
def scraped(request: pytest.FixtureRequest, doors: Doors) -> tuple[Case, Scraped]:
    """Scrape once for each case: all 1.x, and ours in between."""
    case = CASES[request.param]
    return case, scrape(ONE_X, case, doors)


@pytest.mark.parametrize("original", ONE_X, ids=str)
def test_one_x(original: Original, scraped: tuple[Case, Scraped]) -> None:
    original.program()
    case, texts = scraped
    compare(original, case, texts)


@pytest.mark.parametrize("case", ZERO_X_CASES.values(), ids=ZERO_X_CASES)
def test_zero_x(case: Case, doors: Doors) -> None:
    compare(BOOKWORM, case, scrape([BOOKWORM], case, doors))

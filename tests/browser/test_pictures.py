"""The pictures in docs/images are those that `make screenshots` takes, and small."""

from __future__ import annotations

import struct

import pytest

from tests.browser.pictures import SHOTS
from tests.e2e.stack import ROOT


FOLDER = ROOT / "docs" / "images"
NAMES = list(SHOTS)
MOST_BYTES = 150_000
MOST_BYTES_TOGETHER = 1_000_000
PALETTE = 3


def test_every_picture_is_one_that_can_be_taken_anew() -> None:
    # Those of Grafana are as many as it has dashboards, and not made everywhere.
    found = {path.stem for path in FOLDER.iterdir()}
    assert {name for name in found if not name.startswith("grafana-")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_small(name: str) -> None:
    picture = (FOLDER / f"{name}.png").read_bytes()
    kind, length = struct.unpack(">8x8xII", picture[:24]), len(picture)
    assert kind[0] == 1280, "as wide as the browser"
    assert picture[25] == PALETTE
    assert length < MOST_BYTES


def test_all_pictures_together_are_small() -> None:
    sizes = [path.stat().st_size for path in FOLDER.iterdir()]
    assert sum(sizes) < MOST_BYTES_TOGETHER


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_shown_with_words_for_those_who_do_not_see_it(name: str) -> None:
    text = "".join(
        path.read_text() for path in [ROOT / "README.md", *ROOT.glob("docs/*.md")]
    )
    before, found, _ = text.partition(f"images/{name}.png")
    assert found, f"no page shows {name}.png"
    assert before.rpartition("![")[2].strip("](docs/\n"), "no alternative text"

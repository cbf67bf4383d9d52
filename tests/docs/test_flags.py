from __future__ import annotations

from docs import flags


def test_the_page_is_what_the_programs_say() -> None:
    assert flags.PAGE.read_text() == flags.page(), "run python -m docs.flags"

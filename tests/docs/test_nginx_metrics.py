from __future__ import annotations

from docs import nginx_metrics


def test_the_page_is_what_the_code_says() -> None:
    page = nginx_metrics.page()
    assert nginx_metrics.PAGE.read_text() == page, "run python -m docs.nginx_metrics"

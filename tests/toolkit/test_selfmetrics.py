from __future__ import annotations

from exporters.toolkit import selfmetrics
from exporters.toolkit.exposition import encode


def test_build_info() -> None:
    text = encode([selfmetrics.build_info("node_exporter")]).decode()
    assert text.startswith(
        "# HELP node_exporter_build_info A metric with a constant '1' value labeled by "
        "version, revision, branch, goversion from which node_exporter was built, and "
        "the goos and goarch for the build.\n"
        "# TYPE node_exporter_build_info gauge\n"
        'node_exporter_build_info{branch="",goarch="',
    )
    assert text.endswith('"} 1\n')


def numbers(metrics: selfmetrics.HandlerMetrics) -> list[str]:
    lines = encode(metrics.collect()).decode().split("\n")
    return [line for line in lines if line and line[0] != "#"]


def test_handler_counters() -> None:
    metrics = selfmetrics.HandlerMetrics()
    metrics.in_flight = 1
    metrics.count(200)
    metrics.count(404)
    metrics.count_error("gathering")
    assert numbers(metrics) == [
        'promhttp_metric_handler_errors_total{cause="encoding"} 0',
        'promhttp_metric_handler_errors_total{cause="gathering"} 1',
        "promhttp_metric_handler_requests_in_flight 1",
        'promhttp_metric_handler_requests_total{code="200"} 1',
        'promhttp_metric_handler_requests_total{code="404"} 1',
        'promhttp_metric_handler_requests_total{code="500"} 0',
        'promhttp_metric_handler_requests_total{code="503"} 0',
    ]


def test_the_families_are_kept_and_their_numbers_are_of_now() -> None:
    metrics = selfmetrics.HandlerMetrics()
    for number in range(1, 3):
        metrics.count(200)
        metrics.in_flight = number
        assert numbers(metrics)[2:4] == [
            f"promhttp_metric_handler_requests_in_flight {number}",
            f'promhttp_metric_handler_requests_total{{code="200"}} {number}',
        ]
    metrics.count(403)
    assert 'promhttp_metric_handler_requests_total{code="403"} 1' in numbers(metrics)

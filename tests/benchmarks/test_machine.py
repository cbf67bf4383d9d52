from __future__ import annotations

from benchmarks.machine import machine, processor


def test_processor() -> None:
    text = "processor\t: 0\nmodel name\t: AMD EPYC\n"
    assert processor(text) == "AMD EPYC"
    assert processor("Hardware : BCM2835\n") == "unnamed CPU"


def test_this_machine() -> None:
    assert "load average: " in machine()

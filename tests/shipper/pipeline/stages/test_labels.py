from __future__ import annotations

from collections.abc import Callable

import pytest

from exporters.toolkit.decode import DecodeError
from shipper.pipeline.stages import STAGES


def test_takes_text_of_what_was_extracted(rig: Callable[..., object]) -> None:
    assert "labels" in STAGES
    [out] = rig("- labels: {copy: job, job2: job, missing: }").feed("x")  # type: ignore[attr-defined]
    assert out.labels == {"job": "test", "copy": "test", "job2": "test"}


def test_refuses_a_name_that_is_none(rig: Callable[..., object]) -> None:
    with pytest.raises(DecodeError) as error:
        rig('- labels: {"a-b": job}')
    assert error.value.errors == ("config.yaml:2:21: invalid label name: a-b",)

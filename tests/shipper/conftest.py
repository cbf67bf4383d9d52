"""What tests of several parts of the shipper need."""

from __future__ import annotations

import pytest

from tests.shipper.certificates import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))

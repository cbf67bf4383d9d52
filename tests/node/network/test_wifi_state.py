from __future__ import annotations

from pathlib import Path

import pytest

from exporters.node.network import wifi_state
from exporters.node.network.wifi_state import Fixtures, Interface, Network


@pytest.mark.parametrize(
    ("status", "mode"),
    [(0, "client"), (1, "client"), (2, "unknown"), (3, "ad-hoc"), (-1, "unknown")],
)
def test_modes(status: int, mode: str) -> None:
    data = f'{{"SSID": "a", "bssid": "AgA=", "status": {status}}}'.encode()
    assert wifi_state.parse_network(data, "x") == Network("a", "02:00", mode)


def test_files(tmp_path: Path) -> None:
    (tmp_path / "wlp1s0").mkdir()
    (tmp_path / "interfaces.json").write_text('[{"Name": "wlp1s0", "Frequency": 1}]')
    (tmp_path / "wlp1s0/stationinfo.json").write_text('[{"signal": -7}, null]')
    source = Fixtures(str(tmp_path))
    assert list(source.interfaces()) == [Interface("wlp1s0", 1)]
    assert source.network("wlp1s0") is None
    assert [s.signal_dbm for s in source.stations("wlp1s0")] == [-7, 0]
    assert list(source.stations("other")) == []


def test_no_files(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Fixtures(str(tmp_path)).interfaces()

from __future__ import annotations

from pathlib import Path

import pytest

from exporters.node import calls
from exporters.node.collectors import wifi
from exporters.node.device_filter import DeviceFilter
from exporters.node.network import genetlink
from exporters.node.network.wifi_state import Fixtures
from exporters.node.registry import NoData
from exporters.toolkit.metric import Metric
from tests.node.conftest import Run


def test_no_wireless_is_no_data(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (FileNotFoundError(2, "none"), PermissionError(1, "no")):

        def find_family(_: str, error: OSError = error) -> genetlink.Family:
            raise error

        monkeypatch.setattr(genetlink, "find_family", find_family)
        with pytest.raises(NoData, match="nl80211"):
            run(wifi.COLLECTOR)


def test_fixtures_that_are_not_there_are_an_error(run: Run, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run(wifi.COLLECTOR, f"--collector.wifi.fixtures={tmp_path}")


@pytest.fixture
def fixtures(tmp_path: Path) -> Path:
    (tmp_path / "interfaces.json").write_text(
        '[{"name": "wlp1s0", "frequency": 5180}, {"name": "bad0"},'
        ' {"frequency": 9}, {"name": "ap0", "frequency": 2437}]'
    )
    for name in ("wlp1s0", "bad0", "ap0"):
        (tmp_path / name).mkdir()
    (tmp_path / "wlp1s0/bss.json").write_text('{"ssid": "home", "status": 1}')
    (tmp_path / "ap0/stationinfo.json").write_text('[{"hardwareaddr": "AgA="}]')
    return tmp_path


def devices(metrics: list[Metric]) -> dict[str, set[str]]:
    return {m.name: {s.labels["device"] for s in m.samples} for m in metrics}


def test_each_interface_tells_what_it_has(run: Run, fixtures: Path) -> None:
    found = devices(run(wifi.COLLECTOR, f"--collector.wifi.fixtures={fixtures}"))
    frequencies = found.pop("node_wifi_interface_frequency_hertz")
    assert frequencies == {"wlp1s0", "bad0", "ap0"}
    assert found.pop("node_wifi_station_info") == {"wlp1s0"}
    assert len(found) == 12
    assert all(names == {"ap0"} for names in found.values())


def test_the_common_filter(run: Run, fixtures: Path) -> None:
    common = "--collector.network.device-include=^wlp"
    given = (f"--collector.wifi.fixtures={fixtures}", common)
    assert set().union(*devices(run(wifi.COLLECTOR, *given)).values()) == {"wlp1s0"}


def test_one_bad_interface_costs_only_itself(fixtures: Path) -> None:
    (fixtures / "bad0/bss.json").write_text("{")
    source = Fixtures(str(fixtures))
    outcome = calls.run(lambda: wifi.families(source, DeviceFilter()))
    assert isinstance(outcome.error, ValueError)
    assert "bad0/bss.json" in str(outcome.error)
    found = devices(list(outcome.metrics))
    assert found["node_wifi_interface_frequency_hertz"] == {"wlp1s0", "bad0", "ap0"}
    assert found["node_wifi_station_signal_dbm"] == {"ap0"}

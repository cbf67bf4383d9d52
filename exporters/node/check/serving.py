"""Whether metrics could be served: addresses and ``--web.config.file``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from exporters.node.check.findings import Finding, wrong
from exporters.toolkit.errors import StartError
from exporters.toolkit.listen import open_listener


@dataclass(frozen=True, slots=True)
class Serving:
    """Where and how metrics are served.

    With *systemd_socket* nothing is listened on: systemd has done it.
    """

    addresses: Sequence[str]
    config_file: str = ""
    systemd_socket: bool = False


async def check(serving: Serving) -> list[Finding]:
    """Return what would keep the exporter from serving as *serving* says."""
    faults = []
    if serving.config_file:
        faults.append(await _config_fault(serving.config_file))
    if not serving.systemd_socket:
        faults += [await _listen_fault(address) for address in serving.addresses]
    return [
        wrong(f"The exporter does not start: {fault}.") for fault in faults if fault
    ]


async def _listen_fault(address: str) -> str:
    try:
        (await open_listener(address)).close()
    except StartError as error:
        return str(error)
    return ""


async def _config_fault(path: str) -> str:
    # Only now: who serves plain HTTP needs none of it.
    from exporters.toolkit.config_file import ConfigFile  # noqa: PLC0415

    file = ConfigFile(path)
    try:
        await file.start()
    except StartError as error:
        return f"--web.config.file={path}: {error}"
    finally:
        file.close()
    return ""

"""What the exporters load until they have answered once: memory, and time to start.

aiohttp alone was 13.5 MiB and 0.1 to 0.25 s of each start.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from benchmarks.process import started
from benchmarks.programs import python_path
from benchmarks.scrape import first_answer, free_port


# What other programs, other flags and other kinds of nginx need.
FOREIGN = {
    *("aiodocker", "aiohttp", "bcrypt", "cramjam", "email", "http", "jmespath"),
    *("multidict", "prometheus_client", "psutil", "shipper", "yaml", "yarl"),
}
# Flags, and how many modules: a fifth more than there were when this was written, with
# CPython 3.11. A collector that is on by default is one or two.
PROGRAMS = {
    "exporters.node": ((), 360),
    "exporters.nginx": (("--nginx.scrape-uri=http://127.0.0.1:1/",), 310),
}
LINE = re.compile(r"import time: +\d+ \| +\d+ \| +(\S+)")


def loaded(program: str, flags: tuple[str, ...], folder: Path) -> set[str]:
    """Return the modules that a program has looked for when it has answered once."""
    port = free_port()
    listen = f"--web.listen-address=127.0.0.1:{port}"
    command = [sys.executable, "-X", "importtime", "-m", program, listen, *flags]
    with started(command, python_path(), folder) as running:
        first_answer(running, port)
        return set(LINE.findall(running.log.read_text()))


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_exporter_loads_little(program: str, tmp_path: Path) -> None:
    flags, most = PROGRAMS[program]
    modules = loaded(program, flags, tmp_path)
    assert "asyncio" in modules
    roots = {module.partition(".")[0] for module in modules}
    assert roots & FOREIGN == set()
    assert len(modules) <= most, sorted(modules)

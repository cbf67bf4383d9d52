from __future__ import annotations

import os
from pathlib import Path

from exporters.node.collectors import uname
from tests.node.conftest import Run


def test_says_what_uname_says(run: Run) -> None:
    (metric,) = run(uname.COLLECTOR)
    (sample,) = metric.samples
    here = os.uname()
    domain = Path("/proc/sys/kernel/domainname").read_text().strip()
    assert sample.value == 1
    assert sample.labels == {
        "sysname": here.sysname,
        "release": here.release,
        "version": here.version,
        "machine": here.machine,
        "nodename": here.nodename,
        "domainname": domain,
    }

"""``python -m shipper``; ``… logs`` for people, ``… healthcheck`` for Docker."""

from __future__ import annotations

import gc
import os
import sys


# Before the rest is imported: who looks at a log waits for it, and Docker asks often.
if sys.argv[1:2] == ["logs"]:
    from .logs.cli import main as logs_main

    raise SystemExit(logs_main(sys.argv[2:], os.environ, sys.stdout, sys.stderr))
if sys.argv[1:2] == ["healthcheck"]:
    from exporters.toolkit.healthcheck import run

    # promtail's own default is 80; 9080 is what its examples and its image have.
    raise SystemExit(run(sys.argv[2:], "server.http-listen-port", ":9080"))

# Nothing of what is imported is garbage; looking for some takes a tenth of the start.
# Who serves switches it on again.
gc.disable()

from exporters.toolkit.deferred import HEAVY, defer, defer_package  # noqa: E402


defer(*HEAVY)  # before anything imports asyncio
defer_package("prometheus_client")
defer("prometheus_client.decorator")

from .cli import main  # noqa: E402


raise SystemExit(main())

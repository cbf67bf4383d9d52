"""``python -m exporters.nginx``, and ``… healthcheck`` for Docker."""

from __future__ import annotations

import gc
import os
import sys


if sys.argv[1:2] == ["healthcheck"]:
    # Before the rest is imported: Docker asks every few seconds.
    from exporters.toolkit.healthcheck import run

    listen = os.environ.get("LISTEN_ADDRESS") or ":9113"
    raise SystemExit(run(sys.argv[2:], "web.listen-address", listen))

# Nothing of what is imported is garbage, and to look for some takes a fifth of the
# start (145 ms of CPU, 115 without). Who serves switches it on again (app.py).
gc.disable()

from exporters.toolkit.deferred import HEAVY, defer  # noqa: E402


defer(*HEAVY)  # before anything imports asyncio

from exporters.nginx.cli import main  # noqa: E402


if __name__ == "__main__":
    raise SystemExit(main())

"""``python -m shipper.store``, and ``… healthcheck`` for Docker."""

from __future__ import annotations

import os
import sys


if sys.argv[1:2] == ["healthcheck"]:
    # Before the rest is imported: Docker asks every few seconds.
    from exporters.toolkit.healthcheck import run

    # Ready, not only alive: who waits for the store wants to push.
    raise SystemExit(run(sys.argv[2:], "web.listen-address", ":3100", "/ready"))

from shipper.store.cli import main


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))

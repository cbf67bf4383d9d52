"""``python -m exporters.node``, and ``… healthcheck`` for Docker."""

from __future__ import annotations

import sys


if sys.argv[1:2] == ["healthcheck"]:
    # Before the rest is imported: Docker asks every few seconds.
    from exporters.toolkit.healthcheck import run

    raise SystemExit(run(sys.argv[2:], "web.listen-address", ":9100"))

from exporters.node.cli import main


if __name__ == "__main__":
    raise SystemExit(main())

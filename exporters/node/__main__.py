"""``python -m exporters.node``, and ``… healthcheck`` for Docker."""

from __future__ import annotations

import gc
import sys


if sys.argv[1:2] == ["healthcheck"]:
    # Before the rest is imported: Docker asks every few seconds.
    from exporters.toolkit.healthcheck import run

    raise SystemExit(run(sys.argv[2:], "web.listen-address", ":9100"))

# Nothing of what is imported is garbage; looking for some takes a quarter of the start.
# Who serves switches it on again.
gc.disable()

from exporters.node.late import MODULES  # noqa: E402
from exporters.toolkit.deferred import HEAVY, defer  # noqa: E402


defer(*HEAVY, *MODULES)  # before anything imports them

from exporters.node.cli import main  # noqa: E402


if __name__ == "__main__":
    raise SystemExit(main())

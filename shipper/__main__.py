"""``python -m shipper``, and ``python -m shipper logs``: a front for people."""

from __future__ import annotations

import os
import sys


if sys.argv[1:2] == ["logs"]:
    # Before the rest is imported: who looks at a log waits for it.
    from .logs.cli import main as logs_main

    raise SystemExit(logs_main(sys.argv[2:], os.environ, sys.stdout, sys.stderr))

from .cli import main


raise SystemExit(main())

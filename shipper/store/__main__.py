"""``python -m shipper.store``."""

from __future__ import annotations

import os
import sys

from shipper.store.cli import main


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))

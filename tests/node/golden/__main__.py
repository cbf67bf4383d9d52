from __future__ import annotations

import sys

from tests.node.golden import main


main(sys.argv[1:])

"""Write what an application writes: lines with a date, tracebacks, JSON."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import sys
import time


for number in itertools.count():
    now = dt.datetime.now(tz=dt.UTC)
    stamp = f"{now:%Y-%m-%d %H:%M:%S},{now.microsecond // 1000:03}"
    if number % 3 == 0:
        print(f"{stamp} INFO order {number} is paid")
    elif number % 3 == 1:
        print(f'{stamp} ERROR order {number} failed\nTraceback:\n  File "app.py"\nOops')
    else:
        print(json.dumps({"level": "warn", "order": number}), file=sys.stderr)
    time.sleep(1)

"""`python -m tests.benchmarks`: measure the pieces and write down what they cost.

For after a change that makes them cheaper, or dearer for a reason: read the
difference of guard.tsv before it is committed.
"""

from __future__ import annotations

from tests.benchmarks import guard, pieces


if __name__ == "__main__":
    found = pieces.costs()
    guard.write(found)
    for name, cost in found.items():
        print(f"{name:12}{cost.steps:10,} steps, ratio {cost.ratio:.2f}")

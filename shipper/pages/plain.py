"""The pages as values for JSON, and who is to get them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shipper.source import Target

from .state import Job, State, counts_of, discovered, hide, is_dropped, state_of


def wants_json(accept: str, query: Mapping[str, str]) -> bool:
    """Return whether a request is one for JSON: ``?format=json``, or what it accepts.

    A browser names text/html, curl anything: both get the page.
    """
    if query.get("format") == "json":
        return True
    kinds = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return "application/json" in kinds and "text/html" not in kinds


def targets_value(jobs: Sequence[Job], reason: str | None) -> dict[str, Any]:
    """Return ``/targets``: *reason* says why the shipper is not ready."""
    found = [target for job in jobs for target in job.targets]
    return {
        "ready": reason is None,
        "reason": reason or "",
        "counts": _counts(jobs),
        "targets": [_target(target) for target in found if not is_dropped(target)],
        "dropped": [_target(target) for target in found if is_dropped(target)],
    }


def discovery_value(jobs: Sequence[Job]) -> dict[str, Any]:
    """Return ``/service-discovery``."""
    return {
        "jobs": [
            {
                "job": job.name,
                "total": len(job.targets),
                "active": len(job.targets) - job.counts[State.DROPPED],
                "dropped": job.counts[State.DROPPED],
                "targets": [
                    _target(target) | {"discovered": dict(discovered(target))}
                    for target in job.targets
                ],
            }
            for job in jobs
        ]
    }


def _counts(jobs: Sequence[Job]) -> dict[str, int]:
    counts = counts_of(jobs)
    return {state.value: counts[state] for state in State}


def _target(target: Target) -> dict[str, Any]:
    return {
        "job": target.job,
        "kind": target.kind,
        "name": hide(target.name),
        "state": state_of(target).value,
        "lag_seconds": target.lag_seconds,
        "error": hide(target.error),
        "details": {name: hide(str(text)) for name, text in target.details.items()},
        "streams": {name: dict(pairs) for name, pairs in target.streams.items()},
    }

"""One run as one flat row."""

from collections.abc import Iterator, Mapping
from typing import Any

from runhive.tracking.run import Run

Row = dict[str, Any]
COLUMNS = ("run_id", "experiment", "state", "attempt", "started_at", "ended_at", "cause", "commit", "dirty")


def row_of(run: Run) -> Row:
    """Return COLUMNS, then flat `params.*` and `metrics.*`, as far as the run has them."""
    described = {"commit": run.code.get("commit"), "dirty": run.code.get("dirty")}
    own = {name: getattr(run, name) for name in COLUMNS if name not in described}
    return own | described | dict(_flat("params", run.params)) | dict(_flat("metrics", run.metrics))


def _flat(prefix: str, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}.{name}", value)
        else:
            yield f"{prefix}.{name}", value

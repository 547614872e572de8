"""Many runs as one table."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from runhive.tracking.run import Run

COLUMNS = ("run_id", "experiment", "state", "attempt", "started_at", "ended_at", "cause", "commit", "dirty")


def tabulate(runs: Iterable[Run]) -> pd.DataFrame:
    """Return one row per run: COLUMNS, then `params.*` and `metrics.*`, both sorted; NaN where a run lacks one."""
    rows = [_row(run) for run in runs]
    open_columns = {name for row in rows for name in row}.difference(COLUMNS)
    params = sorted(name for name in open_columns if name.startswith("params."))
    return pd.DataFrame(rows, columns=[*COLUMNS, *params, *sorted(open_columns.difference(params))])


def _row(run: Run) -> dict[str, Any]:
    described = {"commit": run.code.get("commit"), "dirty": run.code.get("dirty")}
    own = {name: getattr(run, name) for name in COLUMNS if name not in described}
    return own | described | dict(_flat("params", run.params)) | dict(_flat("metrics", run.metrics))


def _flat(prefix: str, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}.{name}", value)
        else:
            yield f"{prefix}.{name}", value

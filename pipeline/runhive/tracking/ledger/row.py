"""One run as one flat row."""

from collections.abc import Iterator, Mapping
from typing import Any

from runhive.tracking.ledger.run import Run

Row = dict[str, Any]
OWN = (
    "run_id", "name", "experiment", "state", "attempt", "started_at", "ended_at", "cause", "parent", "archived",
    "notes",
)  # fmt: skip
COLUMNS = (*OWN, "tags", "commit", "branch", "dirty", "host", "reproduced", "evaluation_set", "selected", "record_md5")


def row_of(run: Run) -> Row:
    """Return COLUMNS, then flat `params.*` and `metrics.*`, as far as the run has them."""
    own = {name: getattr(run, name) for name in OWN}
    scored = run.evaluation.get("evaluation_set")
    described = {
        "tags": list(run.tags),
        "commit": run.code.get("commit"),
        "branch": run.code.get("branch"),
        "dirty": run.code.get("dirty"),
        "host": run.environment.get("host"),
        "reproduced": run.reproduction.get("verdict"),
        "evaluation_set": scored.get("name") if isinstance(scored, dict) else None,
        "selected": run.evaluation.get("selected_on_these_images"),
        "record_md5": run.training.get("record_md5"),
    }
    return own | described | dict(_flat("params", run.params)) | dict(_flat("metrics", run.metrics))


def _flat(prefix: str, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}.{name}", value)
        else:
            yield f"{prefix}.{name}", value

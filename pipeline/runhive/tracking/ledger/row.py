"""One run as one flat row."""

from collections.abc import Mapping
from typing import Any, TypeGuard

from runhive.tracking.ledger.run import Run

Row = dict[str, Any]
OWN = (
    "run_id", "name", "experiment", "state", "attempt", "started_at", "ended_at", "cause", "parent", "archived",
    "notes",
)  # fmt: skip
SCORED = ("evaluation_set", "evaluation_digest", "evaluation_images", "metrics_version", "selected")
COMPARED = ("baseline", "verdict", "change")
SPEEDS = ("images_per_second", "torch_milliseconds", "onnx_milliseconds")
COLUMNS = (
    *OWN, "tags", "commit", "branch", "dirty", "host", "reproduced", *SCORED, *COMPARED, *SPEEDS, "data_digest",
    "record_md5",
)  # fmt: skip
SIGNIFICANT = 0.05
UNSHOWN = (
    "queued", "prepared", "used", "filed", "enclosed", "fetched", "ran", "recorded", "versioned", "promoted",
    "deprecated", "version-marked",
)  # fmt: skip  # events of which a row shows nothing, so that they need not be read for it


def row_of(run: Run) -> Row:
    """Return COLUMNS, then flat `params.*` and `metrics.*`, as far as the run has them."""
    own = {name: getattr(run, name) for name in OWN}
    described = {
        "tags": list(run.tags),
        "commit": run.code.get("commit"),
        "branch": run.code.get("branch"),
        "dirty": run.code.get("dirty"),
        "host": run.environment.get("host"),
        "reproduced": run.reproduction.get("verdict"),
        **_scored(run),
        **_compared(run),
        **{name: (run.training | run.parity).get(name) for name in SPEEDS},
        "data_digest": run.data.get("digest"),
        "record_md5": run.training.get("record_md5"),
    }
    row = own | described
    _flatten(row, "params", run.params)
    _flatten(row, "metrics", run.metrics)
    return row


def tone(won: int, lost: int, p: float | None) -> str:
    """Say whether a run is better or worse by the samples *won* and *lost* and McNemar's *p*, or the same."""
    if p is None or p >= SIGNIFICANT or won == lost:
        return "same"
    return "better" if won > lost else "worse"


def _scored(run: Run) -> Row:
    """SCORED: the images that the run was scored on, and by which definition of the metrics.

    The images of a claim have a digest of their own, so that it is comparable with no other run.
    """
    scored = run.evaluation.get("evaluation_set")
    images = scored if isinstance(scored, dict) else {}
    return {
        "evaluation_set": images.get("name"),
        "evaluation_digest": f"claim of {run.run_id}" if run.is_claim else images.get("digest"),
        "evaluation_images": images.get("images"),
        "metrics_version": run.evaluation.get("metrics_version"),
        "selected": run.evaluation.get("selected_on_these_images"),
    }


def _compared(run: Run) -> Row:
    """COMPARED: the baseline, the verdict, and the share of images that it won less those that it lost."""
    said = run.comparison
    won, lost, p = said.get("won"), said.get("lost"), said.get("p")
    images = _scored(run)["evaluation_images"]
    if said.get("comparable") is not True or not (_is_count(won) and _is_count(lost)):
        return {"baseline": said.get("baseline"), "verdict": None, "change": None}
    return {
        "baseline": said.get("baseline"),
        "verdict": tone(won, lost, p if isinstance(p, int | float) else None),
        "change": (won - lost) / images if _is_count(images) and images else None,
    }


def _is_count(value: object) -> TypeGuard[int]:
    return type(value) is int and value >= 0


def _flatten(row: Row, prefix: str, values: Mapping[str, Any]) -> None:
    prefix += "."
    for name, value in values.items():
        if type(value) is dict:
            _flatten(row, prefix + name, value)
        else:
            row[prefix + name] = value

"""Two runs on the same evaluation set: which samples the newer one won and lost."""

from collections import Counter
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from runhive.formats.predictions import Predictions, from_csv
from runhive.metrics import Z_95, mcnemar_p
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Run
from runhive.tracking.repository import baseline_commit, file_at

PREDICTIONS = "predictions.csv"
TRAIN_RECORD = "models/train.json"
BASES_OWN = "it is the base branch's own model"


@dataclass(frozen=True)
class Comparison:
    """`won` samples were wrong in the baseline and are right now, `lost` the other way; `p` is McNemar's exact.

    Where the two are not comparable, `reason` says why and the numbers are 0, 0 and 1.
    """

    baseline: str | None
    reason: str
    comparable: bool = False
    won: int = 0
    lost: int = 0
    p: float = 1.0


def find_baseline(ledger: Ledger, run: Run, root: Path) -> tuple[Run | None, str]:
    """The run that *run* is measured against, and why it is that one.

    The run whose results the base commit's dvc.lock holds; where the ledger has none, the last completed run of the
    same experiment before this one.
    """
    others = [row for row in ledger.rows() if row["state"] == "completed" and row["run_id"] != run.run_id]
    commit = baseline_commit(root)
    record = _train_record_md5(root, commit) if commit else None
    for row in others:
        if record is not None and row["record_md5"] == record:
            return ledger.run(row["run_id"]), f"the run of the base commit {str(commit)[:8]}"
    for row in others:
        if row["experiment"] == run.experiment and row["started_at"] < run.started_at:
            found = ledger.run(row["run_id"])
            if not found.is_claim:
                return found, "the run before it in this experiment"
    return None, f"no earlier completed run in experiment {run.experiment}"


def is_of_base(run: Run, root: Path) -> bool:
    """Whether the base commit's dvc.lock holds *run*: it is what a change would be measured against."""
    commit = baseline_commit(root)
    record = _train_record_md5(root, commit) if commit else None
    return record is not None and run.training.get("record_md5") == record


def _train_record_md5(root: Path, commit: str) -> str | None:
    """What dvc.lock at *commit* holds for the record of the run: the one file that differs between any two runs."""
    lock = file_at(root, commit, "dvc.lock")
    if lock is None:
        return None
    try:
        outs = YAML(typ="safe").load(lock)["stages"]["train"]["outs"]
        return next((out["md5"] for out in outs if out["path"] == TRAIN_RECORD), None)
    except (KeyError, TypeError, YAMLError):  # a lock without this stage, or none that DVC wrote
        return None


def compare(
    ledger: Ledger, after: Predictions, evaluation_digest: str, baseline: Run | None, reason: str
) -> Comparison:
    """Compare *after* with what the ledger keeps of *baseline*."""
    if baseline is None:
        return Comparison(None, reason)
    before_digest = baseline.evaluation.get("evaluation_set", {}).get("digest")
    if before_digest != evaluation_digest:
        return Comparison(baseline.run_id, f"not comparable with {reason}: it was scored on other images")
    before = kept_predictions(ledger, baseline)
    if before is None:
        return Comparison(baseline.run_id, f"not comparable with {reason}: the ledger lacks its predictions")
    won, lost = changed_samples(before, after)
    return Comparison(baseline.run_id, reason, True, len(won), len(lost), mcnemar_p(len(won), len(lost)))


def compare_runs(ledger: Ledger, before: Run, after: Run) -> Comparison:
    """Compare *after* with *before* by what the ledger keeps of both."""
    digest = after.evaluation.get("evaluation_set", {}).get("digest")
    predictions = kept_predictions(ledger, after)
    if predictions is None:
        return Comparison(before.run_id, "the ledger lacks predictions")
    if before.is_claim or after.is_claim:
        return Comparison(before.run_id, "scored on images on which the collector could not check it")
    if not isinstance(digest, str) or before.evaluation.get("evaluation_set", {}).get("digest") != digest:
        return Comparison(before.run_id, "scored on other images")
    if before.evaluation.get("metrics_version") != after.evaluation.get("metrics_version"):
        return Comparison(before.run_id, "measured by another definition of the metrics")
    try:
        return compare(ledger, predictions, digest, before, "named to be compared")
    except ValueError as error:
        return Comparison(before.run_id, str(error))


def difference_interval(won: int, lost: int, samples: int) -> tuple[float, float]:
    """The 95 % interval of the difference of two shares of right answers to the same *samples*.

    Wald's, with half a flip added either way (Agresti and Min 2005, Statistics in Medicine 24, 729-740).
    """
    n = samples + 2
    difference = (won - lost) / n
    margin = Z_95 * sqrt(won + lost + 1 - (won - lost) ** 2 / n) / n
    return max(-1.0, difference - margin), min(1.0, difference + margin)


def kept_predictions(ledger: Ledger, run: Run) -> Predictions | None:
    """The predictions that the ledger keeps of *run*."""
    kept = ledger.file(run.run_id, PREDICTIONS)
    return from_csv(kept, f"{PREDICTIONS} of run {run.run_id}") if kept is not None else None


def changed_samples(before: Predictions, after: Predictions) -> tuple[list[int], list[int]]:
    """Rows of *after* that it won and lost. The two hold the same samples, perhaps under other names.

    Raises ValueError where they do not.
    """
    first, second = _rows(before), _rows(after)
    if first.keys() != second.keys():
        raise ValueError("the predictions are of different samples")
    was, now = _correct(before), _correct(after)
    won = [row for key, row in second.items() if now[row] and not was[first[key]]]
    lost = [row for key, row in second.items() if was[first[key]] and not now[row]]
    return won, lost


def _rows(predictions: Predictions) -> dict[tuple[str, str, int], int]:
    """Content, label and count among equals, to row."""
    seen: Counter[tuple[str, str]] = Counter()
    rows = {}
    for row, sha256 in enumerate(predictions.sha256):
        sample = (sha256, predictions.classes[predictions.labels[row]])
        rows[(*sample, seen[sample])] = row
        seen[sample] += 1
    return rows


def _correct(predictions: Predictions) -> list[bool]:
    return [bool(right) for right in predictions.logits.argmax(axis=1) == predictions.labels]

"""All metrics of a run as rows, beside the baseline's where the same images were scored."""

from collections.abc import Mapping
from dataclasses import dataclass

from runhive.report.score import BOUNDS, finite_metrics, shown, shown_change
from runhive.report.summary import Summary


@dataclass(frozen=True)
class Measure:
    """`interval`, `before` and `change` are empty where they are not known; `of_set`: measured on the scored set."""

    name: str
    value: str
    interval: str
    before: str
    change: str
    of_set: bool


def measures(summary: Summary, baseline: Summary | None) -> list[Measure]:
    """One row a metric, its bounds beside it; the baseline's only for the metrics of the scored set."""
    here = finite_metrics(summary.run)
    names = [name for name in here if not (name.endswith(BOUNDS) and name.rpartition("_")[0] in here)]
    return [_measure(name, here, _before(name, summary, baseline), is_of_set(name, summary)) for name in names]


def is_of_set(name: str, summary: Summary) -> bool:
    """Is *name* a metric of the evaluation set that the run's score was measured on?"""
    return summary.score is not None and name.startswith(f"{summary.score.set_name}.")


def is_comparable(summary: Summary, baseline: Summary | None) -> bool:
    """Were both scored on the same images by the same rules?"""
    if baseline is None or summary.score is None or baseline.score is None or summary.comparison is None:
        return False
    same = summary.score.comparable_on == baseline.score.comparable_on is not None
    return same and summary.comparison.comparable


def _before(name: str, summary: Summary, baseline: Summary | None) -> float | None:
    if baseline is None or not is_comparable(summary, baseline):
        return None
    return finite_metrics(baseline.run).get(name) if is_of_set(name, summary) else None


def _measure(name: str, here: Mapping[str, float], before: float | None, of_set: bool) -> Measure:
    value, low, high = here[name], here.get(f"{name}_low"), here.get(f"{name}_high")
    return Measure(
        name=name,
        value=shown(name, value),
        interval="" if low is None or high is None else f"{shown(name, low)} to {shown(name, high)}",
        before="" if before is None else shown(name, before),
        change="" if before is None else shown_change(name, value - before),
        of_set=of_set,
    )

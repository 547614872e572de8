"""The one number that a run is known by, and what it may be compared with."""

from dataclasses import dataclass

from runhive.report.numerals import LARGEST, MINUS, number, percent, points, signed, size
from runhive.report.record import Scoring, read_part
from runhive.report.text import clip
from runhive.tracking.ledger.run import Run

SHARES = ("accuracy", "precision", "recall", "f1", "macro_f1", "roc_auc", "top1_agreement")
SHARE_ENDS = ("_accuracy", "_top1_agreement")  # while it learned, of a variant
LOWER_IS_BETTER = ("nll", "loss", "brier", "ece", "error", "mae", "mse", "rmse", "seconds")
LOWER_ENDS = ("_loss", "_error", "_difference", "_milliseconds", "_seconds", "_bytes")
BOUNDS = ("_low", "_high")


@dataclass(frozen=True)
class Score:
    """A metric with its 95 % interval, where it has one, and the images it was measured on.

    Scores with the same `comparable_on` may be compared; None may be compared with nothing, and so may a claim, which
    the collector could not check.
    """

    metric: str
    value: float
    low: float | None
    high: float | None
    selected: bool
    set_name: str
    set_digest: str
    data_digest: str
    images: int
    comparable_on: str | None
    is_claim: bool = False

    @property
    def name(self) -> str:
        """The metric without its evaluation set."""
        return self.metric.rpartition(".")[2]

    @property
    def measured_on(self) -> str:
        """The evaluation set and its digest, and that of the data."""
        images = f", {number(self.images)} images" if self.images else ""
        digests = {"set": self.set_digest, "data": self.data_digest}
        told = [f"{name} {digest[:12]}" for name, digest in digests.items() if digest]
        return f"{clip(self.set_name, 40) or 'a set without a name'}{images} ({', '.join(told) or 'no digest'})"

    @property
    def shown(self) -> str:
        return shown(self.metric, self.value)

    @property
    def interval(self) -> str:
        """Both ends and one unit, or nothing."""
        if self.low is None or self.high is None:
            return ""
        low = shown(self.metric, self.low).removesuffix("%").rstrip()
        return f"{low}\N{EN DASH}{shown(self.metric, self.high)}"


def score_of(run: Run) -> Score | None:
    """The run's main metric: accuracy on its evaluation set, or else the set's first metric."""
    metrics = finite_metrics(run)
    scoring = read_part(Scoring, run.evaluation) or Scoring()
    metric = main_metric(list(metrics), scoring.evaluation_set.name)
    if metric is None:
        return None
    where = scoring.evaluation_set.digest or _data_digest(run)
    return Score(
        metric=metric,
        value=metrics[metric],
        low=metrics.get(f"{metric}_low"),
        high=metrics.get(f"{metric}_high"),
        selected=scoring.selected_on_these_images,
        set_name=scoring.evaluation_set.name or metric.rpartition(".")[0],
        set_digest=scoring.evaluation_set.digest,
        data_digest=_data_digest(run),
        images=scoring.evaluation_set.images,
        comparable_on=f"{metric} {scoring.metrics_version} {where}" if where and not run.is_claim else None,
        is_claim=run.is_claim,
    )


def main_metric(names: list[str], set_name: str) -> str | None:
    """The name of the metric that stands for the run."""
    names = [name for name in names if not name.endswith(BOUNDS)]
    accuracies = [name for name in (f"{set_name}.accuracy", "val.accuracy", "test.accuracy") if name in names]
    of_set = [name for name in names if name.startswith(f"{set_name or 'val'}.")]
    return next(iter([*accuracies, *of_set, *names]), None)


def finite_metrics(run: Run) -> dict[str, float]:
    """The run's metrics without what is no finite number."""
    return {name: float(value) for name, value in run.metrics.items() if _is_finite(value)}


def is_share(metric: str) -> bool:
    """True for metrics in [0, 1] that are shown in percent."""
    name = metric.rpartition(".")[2].removesuffix("_low").removesuffix("_high")
    return name in SHARES or name.endswith(SHARE_ENDS)


def is_better(metric: str, value: float, than: float) -> bool:
    """Is *value* better than *than*, for this metric?"""
    return value < than if _falls(metric) else value > than


def has_direction(metric: str) -> bool:
    """Is it known of the metric which values are better?"""
    return is_share(metric) or _falls(metric)


def _falls(metric: str) -> bool:
    last = metric.rpartition(".")[2]
    return last in LOWER_IS_BETTER or last.endswith(LOWER_ENDS)


def shown(metric: str, value: float) -> str:
    """A value in the metric's own way: percent, bytes or four digits."""
    if metric.endswith("_bytes") and value >= 0:
        return size(int(value))
    return percent(value) if is_share(metric) else number(value)


def shown_change(metric: str, change: float) -> str:
    """A difference of two values of *metric*, with its sign; shares in percentage points."""
    if metric.endswith("_bytes"):
        return f"{MINUS if change < 0 else '+'}{size(int(abs(change)))}"
    return points(change) if is_share(metric) else signed(change, f"{abs(change):.3g}")


def _data_digest(run: Run) -> str:
    digest = run.data.get("digest")
    return digest if isinstance(digest, str) else ""


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST

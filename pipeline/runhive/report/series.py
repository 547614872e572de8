"""What was measured from run to run: one series for each experiment and metric, cut where its meaning changed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeGuard

from runhive.report.chart import drawable, pieces
from runhive.report.score import BOUNDS
from runhive.report.steps import Step, standard_error, steps
from runhive.tracking.fields import METRICS, SECONDS, seconds_between
from runhive.tracking.ledger.row import SPEEDS, Row

MOST_EXPERIMENTS = 100
MOST_METRICS = 60
BUILT = "export."  # metrics of the exported file: they hold wherever it was made


@dataclass(frozen=True)
class Measured:
    """One run's value with its 95 % interval, where it has one. Values of the same `basis` may be compared."""

    run_id: str
    started_at: str
    commit: str
    value: float
    low: float | None
    high: float | None
    basis: tuple[str, str]


@dataclass(frozen=True)
class Series:
    """The measurements in the order of the runs' starts. `steps` index into them, all of them."""

    experiment: str
    metric: str
    measured: list[Measured]
    steps: list[Step]

    def parts(self) -> list[list[Measured]]:
        """The measurements, cut where two neighbours may not be compared."""
        return pieces(self.measured, lambda left, right: left.basis != right.basis)

    def breaks(self) -> list[tuple[Measured, str]]:
        """The first measurement of each part but the first, and what is another than before."""
        return [(after[0], _why(before[-1].basis, after[0].basis)) for before, after in pairwise(self.parts())]


def series_of(newest_first: Sequence[Row]) -> dict[str, list[Series]]:
    """The series of each experiment, that of the latest run first, with the metrics in the order of their first use."""
    by_experiment: dict[str, list[Row]] = {}
    for row in newest_first:
        if row["state"] == "completed" and not row["archived"]:
            by_experiment.setdefault(str(row["experiment"]), []).append(row)
    shown = list(by_experiment.items())[:MOST_EXPERIMENTS]
    return {name: [*_series(name, rows[::-1])] for name, rows in shown}


def _series(experiment: str, rows: Sequence[Row]) -> Iterator[Series]:
    names = dict.fromkeys(key for row in rows for key in row if key.startswith(METRICS) and not key.endswith(BOUNDS))
    for name in [*names, *SPEEDS, SECONDS][:MOST_METRICS]:
        measured = [found for row in rows if (found := _measure(row, name)) is not None]
        if measured:
            yield Series(experiment, name.removeprefix(METRICS), measured, [*_steps(measured)])


def _measure(row: Row, name: str) -> Measured | None:
    value = seconds_between(row["started_at"], row["ended_at"]) if name == SECONDS else row.get(name)
    if not _is_drawable(value):
        return None
    low, high = (row.get(name + end) for end in BOUNDS)
    if not (_is_drawable(low) and _is_drawable(high)):
        low = high = None
    return Measured(
        run_id=row["run_id"],
        started_at=str(row["started_at"]),
        commit=str(row["commit"] or ""),
        value=float(value),
        low=low,
        high=high,
        basis=_basis(row, name),
    )


def _is_drawable(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and drawable(value)


def _basis(row: Mapping[str, object], name: str) -> tuple[str, str]:
    """What must be the same in two runs for their values to be comparable, as its kind and itself."""
    metric = name.removeprefix(METRICS)
    if name in SPEEDS or name == SECONDS:
        return "machine", str(row["host"] or "")
    if metric.startswith(BUILT):
        return "", ""
    if row["evaluation_digest"] and metric.startswith(f"{row['evaluation_set']}."):
        return "images", f"{row['evaluation_digest']} {row['metrics_version']}"
    return "data", str(row["data_digest"] or "")


def _why(before: tuple[str, str], after: tuple[str, str]) -> str:
    if before[0] == after[0] == "images" and before[1].rpartition(" ")[0] == after[1].rpartition(" ")[0]:
        return "another definition"
    return f"other {after[0]}" if after[0] in ("images", "data") else "another machine"


def _steps(measured: Sequence[Measured]) -> Iterator[Step]:
    """The steps of each part by itself, their places counted from the start of the series."""
    first = 0
    for part in pieces(measured, lambda left, right: left.basis != right.basis):
        for step in steps([one.value for one in part], _errors(part)):
            yield Step(first + step.index, step.before, step.after, step.p)
        first += len(part)


def _errors(part: Sequence[Measured]) -> list[float] | None:
    known = [standard_error(one.low, one.high) for one in part if one.low is not None and one.high is not None]
    return known if len(known) == len(part) else None

"""What the page of trends shows before any script runs: the main metrics of each experiment, and the flagged steps."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runhive.report.chart import Chart
from runhive.report.score import is_better, main_metric, shown, shown_change
from runhive.report.series import Series
from runhive.report.trend_chart import trend_chart

MOST_CHARTED = 8  # experiments
BUILT = ("export.onnx_bytes", "onnx_milliseconds")
MOST_FLAGS = 100


@dataclass(frozen=True)
class Flag:
    """A step of one series. `tone` is better or worse."""

    experiment: str
    metric: str
    run_id: str
    started_at: str
    before: str
    after: str
    change: str
    p: float
    tone: str


@dataclass(frozen=True)
class Charted:
    """An experiment's charts; none where it has no metric with two runs."""

    experiment: str
    runs: int
    charts: list[Chart]


@dataclass(frozen=True)
class TrendsPage:
    """`flags` are the newest first."""

    charted: list[Charted]
    flags: list[Flag]
    hidden_flags: int
    experiments: int


def trends_page(by_experiment: Mapping[str, Sequence[Series]]) -> TrendsPage:
    """Gather the page."""
    flags = sorted((flag for series in by_experiment.values() for one in series for flag in flags_of(one)), key=_age)
    shown_experiments = list(by_experiment.items())[:MOST_CHARTED]
    return TrendsPage(
        charted=[_charted(index, name, series) for index, (name, series) in enumerate(shown_experiments)],
        flags=flags[::-1][:MOST_FLAGS],
        hidden_flags=max(0, len(flags) - MOST_FLAGS),
        experiments=len(by_experiment),
    )


def trends_data(by_experiment: Mapping[str, Sequence[Series]]) -> list[dict[str, Any]]:
    """Of each experiment and metric, the runs where the line breaks and why, and the steps by their first run."""
    return [
        {"experiment": name, "metrics": [_marks(one) for one in series], "main": _main(series)}
        for name, series in by_experiment.items()
    ]


def _marks(series: Series) -> dict[str, Any]:
    return {
        "metric": series.metric,
        "breaks": [[one.run_id, why] for one, why in series.breaks()],
        "steps": [[series.measured[step.index].run_id, step.before, step.after, step.p] for step in series.steps],
    }


def flags_of(series: Series) -> Iterator[Flag]:
    """The steps in words."""
    for step in series.steps:
        first = series.measured[step.index]
        yield Flag(
            experiment=series.experiment,
            metric=series.metric,
            run_id=first.run_id,
            started_at=first.started_at,
            before=shown(series.metric, step.before),
            after=shown(series.metric, step.after),
            change=shown_change(series.metric, step.after - step.before),
            p=step.p,
            tone="better" if is_better(series.metric, step.after, step.before) else "worse",
        )


def _age(flag: Flag) -> tuple[str, str, str]:
    return flag.started_at, flag.run_id, flag.metric


def _main(series: Sequence[Series]) -> str | None:
    """The metric that stands for the experiment; those that every run has by itself have no dot."""
    return main_metric([one.metric for one in series if "." in one.metric], "") or (
        series[0].metric if series else None
    )


def _charted(index: int, experiment: str, series: Sequence[Series]) -> Charted:
    wanted = dict.fromkeys((_main(series), *BUILT))
    by_name = {one.metric: one for one in series}
    found = [by_name[name] for name in wanted if name in by_name]
    drawn = [trend_chart(f"trend-{index}-{place}", one) for place, one in enumerate(found)]
    runs = max((len(one.measured) for one in series), default=0)
    return Charted(experiment, runs, [chart for chart in drawn if chart])

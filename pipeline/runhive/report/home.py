"""What the first page shows: the latest verdict, and each experiment's best and latest run."""

from collections.abc import Sequence
from dataclasses import dataclass

from runhive.report.chart import Chart
from runhive.report.gap import Gap, gap
from runhive.report.score import is_better
from runhive.report.span import Spans, spans
from runhive.report.summary import Summary
from runhive.report.trend import trend
from runhive.tracking.ledger.ledger import Ledger

MOST_EXPERIMENTS = 24
RECENT = 6


@dataclass(frozen=True)
class Experiment:
    """`best` is the best of the runs that may be compared with `scored`, the latest with a score; `gap` parts the two.

    `elsewhere` counts the scored runs that were measured on other images and so are left out of that.
    """

    name: str
    runs: int
    latest: Summary
    scored: Summary | None
    best: Summary | None
    gap: Gap | None
    elsewhere: int
    chart: Chart | None


@dataclass(frozen=True)
class Home:
    """`latest` is the last run that has a score, `since` are the newer ones without."""

    latest: Summary | None
    spans: Spans | None
    since: list[Summary]
    experiments: list[Experiment]
    recent: list[Summary]
    runs: int
    hidden_experiments: int


def home(newest_first: Sequence[Summary], ledger: Ledger) -> Home:
    """Gather the first page."""
    scored = [index for index, summary in enumerate(newest_first) if _is_ranked(summary)]
    latest = newest_first[scored[0]] if scored else None
    by_experiment = _group(newest_first)
    shown = list(by_experiment.items())[:MOST_EXPERIMENTS]
    return Home(
        latest=latest,
        spans=_spans(latest, newest_first),
        since=list(newest_first[: scored[0] if scored else len(newest_first)]),
        experiments=[_experiment(index, name, runs, ledger) for index, (name, runs) in enumerate(shown)],
        recent=list(newest_first[:RECENT]),
        runs=len(newest_first),
        hidden_experiments=len(by_experiment) - len(shown),
    )


def most_wanted(newest_first: Sequence[Summary]) -> list[Summary]:
    """The best run of each experiment, and then the last runs."""
    best = [_best(_peers(runs)) for runs in _group(newest_first).values()]
    return [*(run for run in best if run), *newest_first]


def _group(newest_first: Sequence[Summary]) -> dict[str, list[Summary]]:
    groups: dict[str, list[Summary]] = {}
    for summary in newest_first:
        groups.setdefault(summary.experiment, []).append(summary)
    return groups


def _spans(latest: Summary | None, runs: Sequence[Summary]) -> Spans | None:
    if latest is None or latest.score is None:
        return None
    baseline = next((run for run in runs if run.run_id == latest.verdict.baseline), None)
    return spans(latest.score, baseline.score if baseline else None)


def _experiment(index: int, name: str, runs: Sequence[Summary], ledger: Ledger) -> Experiment:
    scored = [run for run in runs if _is_ranked(run)]
    peers = _peers(runs)
    best = _best(peers)
    return Experiment(
        name=name,
        runs=len(runs),
        latest=runs[0],
        scored=scored[0] if scored else None,
        best=best,
        gap=gap(scored[0], best, ledger) if best else None,
        elsewhere=len(scored) - len(peers),
        chart=trend(f"trend-{index}", scored),
    )


def _is_ranked(run: Summary) -> bool:
    return run.score is not None and not run.score.is_claim


def _peers(newest_first: Sequence[Summary]) -> list[Summary]:
    """The scored runs that may be compared with the last one of them."""
    scored = [run for run in newest_first if _is_ranked(run)]
    return [run for run in scored if run is scored[0] or _comparable(run, scored[0])]


def _comparable(one: Summary, other: Summary) -> bool:
    assert one.score and other.score
    return one.score.comparable_on == other.score.comparable_on is not None


def _best(newest_first: Sequence[Summary]) -> Summary | None:
    """The best score; of equals, the earliest run."""
    best: Summary | None = None
    for run in reversed(newest_first):
        assert run.score
        if best is None or best.score is None or is_better(run.score.metric, run.score.value, best.score.value):
            best = run
    return best

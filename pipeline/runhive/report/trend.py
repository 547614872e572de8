"""How an experiment's score went from run to run, with its 95 % interval as a band."""

from collections.abc import Sequence
from itertools import pairwise

from runhive.report.chart import Chart, Dot, Line, Scale, Tick, axis, bands, drawable, path, pieces, ticks, time_ticks
from runhive.report.score import Score, is_share
from runhive.report.summary import Summary

HEIGHT = 120
LONGEST = 30  # runs


def trend(key: str, newest_first: Sequence[Summary]) -> Chart | None:
    """Draw the scores of one metric over the last runs; None for fewer than two.

    The line breaks where two neighbours were measured on different images.
    """
    runs = _of_one_metric(newest_first)
    if len(runs) < 2:
        return None
    reach = [
        bound
        for _, score in runs
        for bound in (score.value, score.low, score.high)
        if bound is not None and drawable(bound)
    ]
    grid = ticks(min(reach), max(reach), 3)
    x, y = Scale(0, len(runs) - 1, 0, 100), Scale(grid[0], grid[-1], HEIGHT, 0)
    metric = runs[0][1].metric
    placed = [(x(index), summary, score) for index, (summary, score) in enumerate(runs)]
    parts = pieces(placed, lambda left, right: left[2].comparable_on != right[2].comparable_on)
    breaks = [(before[-1][0] + after[0][0]) / 2 for before, after in pairwise(parts)]
    return Chart(
        key=key,
        title=f"{metric}{', %' if is_share(metric) else ''}, last {len(runs)} runs",
        description=f"{metric} by run, oldest first, from {runs[0][1].shown} to {runs[-1][1].shown}.",
        height=HEIGHT,
        x_ticks=time_ticks(runs[0][0].started_at, runs[-1][0].started_at),
        y_ticks=axis(grid, y, 100 if is_share(metric) else 1),
        lines=(
            Line(
                css="check",
                label="",
                paths=tuple(path([(at, y(score.value)) for at, _, score in part]) for part in parts),
                dots=tuple(_dot(at, y(score.value), summary, score) for at, summary, score in placed),
                label_y=None,
            ),
        ),
        marks=tuple(Tick(at, "other images") for at in breaks),
        bands=bands(([(at, score.low, score.high) for at, _, score in part] for part in parts), y),
    )


def _of_one_metric(newest_first: Sequence[Summary]) -> list[tuple[Summary, Score]]:
    scored = [(summary, summary.score) for summary in newest_first if summary.score and drawable(summary.score.value)]
    same = [(summary, score) for summary, score in scored if score.metric == scored[0][1].metric]
    return same[:LONGEST][::-1]


def _dot(x: float, y: float, summary: Summary, score: Score) -> Dot:
    interval = f", {score.interval}" if score.interval else ""
    selected = ", selected on these images" if score.selected else ""
    commit = f", commit {summary.code.commit[:7]}" if summary.code.commit else ""
    label = f"{summary.run_id}{commit}: {score.shown}{interval} on {score.measured_on}{selected}"
    return Dot(x, y, label, page=f"runs/{summary.run_id}.html", hollow=score.selected)

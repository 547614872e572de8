"""ROC, precision and recall, and calibration, drawn from the answers that the ledger keeps of a run."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from runhive import metrics
from runhive.report.answers import Answers
from runhive.report.chart import Chart, Dot, Line, Scale, Tick, path
from runhive.report.numerals import number, percent
from runhive.report.text import clip, visible

HEIGHT = 190
MOST_CLASSES = 6  # of one chart: as many lines as can be told apart
MOST_STEPS = 150
LARGEST_DOT = 9.0  # pixels: the radius of all images
MOST_CELLS = 20_000_000  # images times classes: beyond it a page would wait for its areas
GRID = (0.0, 0.25, 0.5, 0.75, 1.0)
Draw = Callable[[metrics.Floats, NDArray[np.bool_]], metrics.Curve | None]


@dataclass(frozen=True)
class Legend:
    css: str
    label: str
    area: str


@dataclass(frozen=True)
class Quality:
    """One chart with the lines it holds; *left_out* classes have a larger area than those drawn."""

    chart: Chart
    legend: tuple[Legend, ...]
    left_out: int


def quality_charts(answers: Answers) -> list[Quality]:
    """Draw what can be drawn of ROC, precision-recall and calibration; none where there are too many answers."""
    of = answers.predictions
    if of.logits.size > MOST_CELLS:
        return []
    probabilities = metrics.softmax(of.logits)
    drawn = [
        _curves("roc", "ROC: true by false positive rate", metrics.roc_curve, answers, probabilities),
        _curves("pr", "Precision by recall", metrics.precision_recall_curve, answers, probabilities),
        _calibration(probabilities, of.labels),
    ]
    return [one for one in drawn if one]


def _curves(key: str, title: str, draw: Draw, answers: Answers, probabilities: metrics.Floats) -> Quality | None:
    """One line for each class against the rest, those with the smallest area."""
    of = answers.predictions
    found = [(index, draw(probabilities[:, index], of.labels == index)) for index in range(len(of.classes))]
    curves = sorted(((index, curve) for index, curve in found if curve), key=lambda one: one[1].area)
    if not curves:
        return None
    shown = sorted(curves[:MOST_CLASSES], key=lambda one: one[0])
    legend = tuple(
        Legend(f"class-{place}", clip(of.classes[index], 40), percent(curve.area))
        for place, (index, curve) in enumerate(shown)
    )
    said = ", ".join(f"{visible(one.label)} {one.area}" for one in legend)
    lines = [Line(f"class-{place}", "", (_stepped(curve),), (), None) for place, (_, curve) in enumerate(shown)]
    diagonal = (Line("chance", "", (path([(0, HEIGHT), (100, 0)]),), (), None),) if key == "roc" else ()
    chart = _square(key, title, f"{title}, one class against the rest; areas: {said}.", (*diagonal, *lines))
    return Quality(chart, legend, len(curves) - len(shown))


def _calibration(probabilities: metrics.Floats, labels: metrics.Integers) -> Quality:
    error, bins = metrics.calibration(probabilities, labels)
    x, y = Scale(0, 1, 0, 100), Scale(0, 1, HEIGHT, 0)
    dots = tuple(
        Dot(
            x(one.confidence),
            y(one.accuracy),
            f"confidence {percent(one.low)} to {percent(one.high)}: {number(one.images)} images, "
            f"{percent(one.accuracy)} right at {percent(one.confidence)} on average",
            radius=round(2 + LARGEST_DOT * sqrt(one.images / len(labels)), 1),
        )
        for one in bins
    )
    lines = (
        Line("chance", "", (path([(0, HEIGHT), (100, 0)]),), (), None),
        Line("check", "", (), dots, None),
    )
    said = f"Share of right answers by confidence, in {len(bins)} bins; expected calibration error {percent(error)}."
    chart = _square("calibration", "Calibration: share right by confidence, dots by images", said, lines)
    return Quality(chart, (Legend("check", "expected calibration error", percent(error)),), 0)


def _square(key: str, title: str, description: str, lines: tuple[Line, ...]) -> Chart:
    """A chart of shares by shares, both from 0 to 1."""
    x, y = Scale(0, 1, 0, 100), Scale(0, 1, HEIGHT, 0)
    return Chart(
        key=key,
        title=f"{title}, %",
        description=description,
        height=HEIGHT,
        x_ticks=tuple(Tick(x(at), f"{100 * at:.0f}") for at in GRID),
        y_ticks=tuple(Tick(y(at), f"{100 * at:.0f}") for at in GRID),
        lines=lines,
    )


def _stepped(curve: metrics.Curve) -> Markup:
    """The corners of *curve*, thinned where there are very many."""
    points = np.stack([100 * curve.x, HEIGHT * (1 - curve.y)], axis=1)
    if len(points) > 2:
        before, after = points[1:-1] - points[:-2], points[2:] - points[1:-1]
        turns = np.abs(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]) > 1e-9
        points = points[np.concatenate([[True], turns, [True]])]
    every = ceil(len(points) / MOST_STEPS)
    kept = points[np.unique(np.append(np.arange(0, len(points), every), len(points) - 1))]
    return path([(float(x), float(y)) for x, y in kept])

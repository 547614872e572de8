"""Everything that the page of one run shows, gathered from its record and its files."""

from dataclasses import dataclass
from pathlib import Path

from runhive.formats.evaluation import ClassScore, Evaluation
from runhive.formats.history import Epoch
from runhive.formats.parity import Parity
from runhive.report.answers import changed, mistakes, parse_answers
from runhive.report.chart import Chart, thinned
from runhive.report.confusion import Confusion, hardest_first, shaded
from runhive.report.curves import learning_curve, parse_history
from runhive.report.gallery import Gallery, gallery
from runhive.report.leavings import LOG, Left, leavings
from runhive.report.lineage import Box, lineage
from runhive.report.measures import Measure, is_comparable, measures
from runhive.report.parameters import Row, rows
from runhive.report.record import Asked, Data, Training, flatten, read_part
from runhive.report.reproduce import Recipe, recipe
from runhive.report.scalars import scalar_charts
from runhive.report.span import Spans, spans
from runhive.report.summary import Summary
from runhive.report.timeline import Moment, Phase, moments, phases
from runhive.report.usage import usage_charts
from runhive.tracking.ledger.ledger import Ledger

MANY_CLASSES = 30
MOST_EPOCHS = 500


@dataclass(frozen=True)
class Record:
    """The parts of the run's record; `unreadable` names those that were there and could not be read."""

    data: Data
    environment: dict[str, str]
    packages: dict[str, str]
    training: Training
    evaluation: Evaluation | None
    parity: Parity | None
    unreadable: tuple[str, ...]


@dataclass(frozen=True)
class Curves:
    """`shown` are the epochs of the table, all of them unless there are very many.

    `stopped` is the early stop that ended training before the last epoch that was asked for.
    """

    charts: tuple[Chart, ...]
    shown: tuple[Epoch, ...]
    epochs: int
    stopped: Asked | None
    chosen: int | None


@dataclass(frozen=True)
class Pictures:
    """`won` and `lost` are None where the run was not compared image by image."""

    mistakes: Gallery | None
    won: Gallery | None
    lost: Gallery | None


@dataclass(frozen=True)
class RunPage:
    """`baseline` is the run compared with, where the ledger has it."""

    summary: Summary
    baseline: Summary | None
    record: Record
    measures: list[Measure]
    spans: Spans | None
    curves: Curves
    scalars: list[Chart]
    usage: list[Chart]
    left: Left
    confusion: Confusion | None
    classes: list[ClassScore]
    pictures: Pictures
    parameters: list[Row]
    lineage: list[Box]
    phases: list[Phase]
    moments: list[Moment]
    files: list[tuple[str, int]]
    recipe: Recipe


def run_page(summary: Summary, baseline: Summary | None, ledger: Ledger, site: Path) -> RunPage:
    """Gather the page of one run; thumbnails are written below *site*."""
    run = summary.run
    record = _read_record(summary)
    files = ledger.files(run.run_id)
    filed = {file.get("ledger") for name, file in run.files.items() if name != LOG}  # these are among what is left
    return RunPage(
        summary=summary,
        baseline=baseline,
        record=record,
        measures=measures(summary, baseline),
        spans=spans(summary.score, baseline.score if baseline else None) if summary.score else None,
        curves=_curves(summary, record.training, ledger),
        scalars=scalar_charts(ledger.file(run.run_id, "scalars.csv") or b""),
        usage=usage_charts(ledger.file(run.run_id, "system.csv") or b""),
        left=leavings(run, ledger, site),
        confusion=shaded(record.evaluation) if record.evaluation else None,
        classes=_classes(record.evaluation),
        pictures=_pictures(summary, baseline, ledger, site),
        parameters=rows(summary.parameters, baseline.parameters if baseline else None),
        lineage=lineage(run, summary.code, record.data, record.training, record.parity),
        phases=phases(run),
        moments=moments(run),
        files=sorted((name, size) for name, size in files.items() if name not in filed),
        recipe=recipe(run.run_id, summary.code, files, bool(run.command)),
    )


def _read_record(summary: Summary) -> Record:
    run = summary.run
    data, training = read_part(Data, run.data), read_part(Training, run.training)
    evaluation = read_part(Evaluation, run.evaluation) if run.evaluation else None
    parity = read_part(Parity, run.parity) if run.parity else None
    found = {"data": data, "training": training, "evaluation": evaluation, "parity": parity}
    known = {name: value for name, value in run.environment.items() if name != "packages" and value not in (None, {})}
    packages = run.environment.get("packages")
    return Record(
        data=data or Data(),
        environment=flatten(known),
        packages=flatten(packages) if isinstance(packages, dict) else {},
        training=training or Training(),
        evaluation=evaluation,
        parity=parity,
        unreadable=tuple(name for name, part in found.items() if part is None and getattr(run, name)),
    )


def _curves(summary: Summary, training: Training, ledger: Ledger) -> Curves:
    content = ledger.file(summary.run_id, "history.csv")
    history = (parse_history(content) if content else None) or []
    chosen = training.selection.epoch
    drawn = [learning_curve(history, quantity, chosen) for quantity in ("loss", "accuracy")] if history else []
    shown = thinned(history, MOST_EPOCHS)
    return Curves(
        tuple(chart for chart in drawn if chart), tuple(shown), len(history), _stopped(summary, training), chosen
    )


def _stopped(summary: Summary, training: Training) -> Asked | None:
    asked = read_part(Asked, summary.run.params.get("train"))
    if asked is None or training.epochs is None or not asked.early_stop.patience:
        return None
    return asked if training.epochs < asked.epochs else None


def _classes(evaluation: Evaluation | None) -> list[ClassScore]:
    """In the order of the model's outputs, or the hardest first where there are many."""
    if evaluation is None:
        return []
    return hardest_first(evaluation.per_class) if len(evaluation.per_class) > MANY_CLASSES else evaluation.per_class


def _pictures(summary: Summary, baseline: Summary | None, ledger: Ledger, site: Path) -> Pictures:
    content = ledger.file(summary.run_id, "predictions.csv")
    answers = parse_answers(content) if content else None
    if answers is None:
        return Pictures(None, None, None)
    wrong = gallery(mistakes(answers), ledger, site)
    content = ledger.file(baseline.run_id, "predictions.csv") if baseline and is_comparable(summary, baseline) else None
    before = parse_answers(content) if content else None
    if before is None:
        return Pictures(wrong, None, None)
    won, lost = (gallery(answer, ledger, site) for answer in changed(answers, before))
    return Pictures(wrong, won, lost)

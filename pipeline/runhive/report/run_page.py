"""Everything that the page of one run shows, gathered from its record and its files."""

from dataclasses import dataclass
from pathlib import Path

from runhive.formats.evaluation import ClassScore, Evaluation
from runhive.formats.history import Epoch
from runhive.formats.parity import Parity
from runhive.report.answers import answers_of
from runhive.report.chart import Chart, thinned
from runhive.report.confusion import Confusion, hardest_first, shaded
from runhive.report.curves import learning_curve, parse_history
from runhive.report.files import Files, kept_files
from runhive.report.leavings import Left, leavings
from runhive.report.lineage import Lineage, lineage
from runhive.report.measures import Measure, measures
from runhive.report.parameters import Row, rows
from runhive.report.patch import Patch, parse_patch
from runhive.report.pictures import Pictures, pictures
from runhive.report.quality import Quality, quality_charts
from runhive.report.record import Asked, Data, Training, read_part
from runhive.report.reproduce import Recipe, recipe
from runhive.report.scalars import scalar_charts
from runhive.report.span import Spans, spans
from runhive.report.summary import Summary
from runhive.report.surroundings import Environment, environment
from runhive.report.tables import Table, kept_tables
from runhive.report.timeline import Moment, Phase, moments, phases
from runhive.report.tryit.offer import TryIt
from runhive.report.usage import usage_charts
from runhive.tracking.changes import PATCH
from runhive.tracking.ledger.ledger import Ledger

MANY_CLASSES = 30
MOST_EPOCHS = 12  # of the table; the drawing has all


@dataclass(frozen=True)
class Record:
    """The parts of the run's record; `unreadable` names those that were there and could not be read."""

    data: Data
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
    tables: list[Table]
    confusion: Confusion | None
    classes: list[ClassScore]
    quality: list[Quality]
    pictures: Pictures
    parameters: list[Row]
    environment: Environment
    patch: Patch | None
    lineage: Lineage
    try_it: TryIt | None
    phases: list[Phase]
    moments: list[Moment]
    files: Files
    recipe: Recipe


def run_page(summary: Summary, baseline: Summary | None, ledger: Ledger, site: Path, try_it: TryIt | None) -> RunPage:
    """Gather the page of one run; thumbnails are written below *site*."""
    run = summary.run
    record = _read_record(summary)
    files = ledger.files(run.run_id)
    answers = answers_of(summary.run_id, ledger)
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
        tables=kept_tables(run, ledger),
        confusion=shaded(record.evaluation) if record.evaluation else None,
        classes=_classes(record.evaluation),
        quality=quality_charts(answers) if answers else [],
        pictures=pictures(summary, answers, baseline, ledger, site),
        parameters=rows(summary.parameters, baseline.parameters if baseline else None),
        environment=environment(summary, baseline),
        patch=parse_patch(ledger.file(run.run_id, PATCH) or b""),
        try_it=try_it,
        lineage=lineage(run, summary.code, record.data, record.training, record.parity),
        phases=phases(run),
        moments=moments(run),
        files=kept_files(run, files),
        recipe=recipe(run.run_id, summary.code, files, bool(run.command)),
    )


def _read_record(summary: Summary) -> Record:
    run = summary.run
    data, training = read_part(Data, run.data), read_part(Training, run.training)
    evaluation = read_part(Evaluation, run.evaluation) if run.evaluation else None
    parity = read_part(Parity, run.parity) if run.parity else None
    found = {"data": data, "training": training, "evaluation": evaluation, "parity": parity}
    return Record(
        data=data or Data(),
        training=training or Training(),
        evaluation=evaluation,
        parity=parity,
        unreadable=tuple(name for name, part in found.items() if part is None and getattr(run, name)),
    )


def _curves(summary: Summary, training: Training, ledger: Ledger) -> Curves:
    content = ledger.file(summary.run_id, "history.csv")
    history = (parse_history(content) if content else None) or ()
    chosen = training.selection.epoch
    drawn = [learning_curve(history, quantity, chosen) for quantity in ("loss", "accuracy")] if history else []
    shown = [one for one in thinned(history, MOST_EPOCHS) if one.epoch != chosen]
    shown = sorted([*shown, *(one for one in history if one.epoch == chosen)], key=lambda one: one.epoch)
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

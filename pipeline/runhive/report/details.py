"""What the Compare page needs of one run beside its row: curves, answers, surroundings. One shard a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from runhive.errors import RunhiveError
from runhive.formats.predictions import from_csv
from runhive.report.answer_bits import Answered, answered, packed
from runhive.report.code_digest import code_digest
from runhive.report.keep import key_of
from runhive.report.quantities import Curve, quantities
from runhive.report.record import flatten
from runhive.report.shards import FOLDER, shard_script
from runhive.report.timeline import timed
from runhive.tracking.comparison import PREDICTIONS
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Run

Pairs = list[list[Any]]  # a name and its value: an object's keys would be the run's


@dataclass(frozen=True)
class Detail:
    """Where a run's shard lies in the site; `missed` are the bits of the `samples` that it got wrong, in base64."""

    run_id: str
    path: str
    samples: str | None = None
    missed: str = ""


def shard_path(run_id: str, state: str) -> str:
    """Where the shard of a run lies in the site, by all that the ledger holds of the run and the code that reads it."""
    return f"{FOLDER}/{run_id}-{key_of('details', code_digest(), state)[:16]}.js"


def details_of(run: Run, ledger: Ledger, path: str) -> tuple[Detail, bytes]:
    """What the run's shard is of, and its bytes, which go to *path* in the site."""
    answers = kept_answers(run.run_id, ledger)
    script = shard_script(run.run_id, _content(run, ledger, answers))
    if answers is None:
        return Detail(run.run_id, path), script
    return Detail(run.run_id, path, answers.digest, packed(~answers.right)), script


def _content(run: Run, ledger: Ledger, answers: Answered | None) -> dict[str, Any]:
    return {
        **_curves(quantities(partial(ledger.file, run.run_id))),
        "answers": _answers(answers) if answers else None,
        "environment": _pairs(run.environment),
        "data": _pairs(run.data),
        "phases": _pairs({name: round(seconds, 3) for name, seconds in timed(run).items()}, plain=True),
    }


def kept_answers(run_id: str, ledger: Ledger) -> Answered | None:
    """The answers that the ledger keeps of a run; None where it keeps none that can be read."""
    content = ledger.file(run_id, PREDICTIONS)
    try:
        predictions = from_csv(content, PREDICTIONS) if content is not None else None
    except RunhiveError:
        return None
    return answered(predictions) if predictions is not None and predictions.paths else None


def _curves(curves: Sequence[Curve]) -> dict[str, Any]:
    """The curves, each with the number of its pair of axes: most curves of a run share one."""
    axes: dict[tuple[tuple[float, ...], tuple[float, ...]], int] = {}
    told = [
        [one.name, one.axis, axes.setdefault((tuple(one.at), tuple(one.seconds)), len(axes)), one.values]
        for one in curves
    ]
    return {"axes": [*axes], "curves": told}


def _answers(answers: Answered) -> dict[str, Any]:
    wrong = [predicted for predicted, right in zip(answers.predicted, answers.right, strict=True) if not right]
    named = {name: index for index, name in enumerate(dict.fromkeys(wrong))}
    return {
        "samples": answers.digest,
        "count": len(answers.samples),
        "right": packed(answers.right),
        "named": [*named],
        "wrong": [named[name] for name in wrong],
    }


def _pairs(told: dict[str, Any], plain: bool = False) -> Pairs:
    return [[name, value] for name, value in (told if plain else flatten(told)).items() if value not in ("", "null")]

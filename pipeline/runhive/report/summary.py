"""The few facts of a run that a table of many runs shows."""

from dataclasses import dataclass, field

from runhive.report.numerals import epoch_of
from runhive.report.record import Code, Comparison, flatten, last_named, read_part
from runhive.report.score import Score, score_of, shown_change
from runhive.report.timeline import timed
from runhive.report.verdict import Verdict, judge
from runhive.tracking.ledger.run import Run, run_folder
from runhive.tracking.ledger.states import STATES

ENDINGS = {
    "running": "Still running",
    "completed": "Completed",
    "failed": "Failed",
    "canceled": "Canceled",
    "lost": "Lost: its process is gone",
}


@dataclass(frozen=True)
class Summary:
    """`change` is the score minus the baseline's on the same images; `seconds` is None while nothing was timed."""

    run: Run
    score: Score | None
    verdict: Verdict
    comparison: Comparison | None
    change: float | None
    code: Code
    parameters: dict[str, str] = field(repr=False)
    seconds: float | None

    @property
    def run_id(self) -> str:
        return self.run.run_id

    @property
    def state(self) -> str:
        """The run's state, or `unknown` where a record names another than there are."""
        return self.run.state if self.run.state in STATES else "unknown"

    @property
    def ending(self) -> str:
        """The state as a headline."""
        return ENDINGS.get(self.state, "In a state that this Runhive does not know")

    @property
    def shown_change(self) -> str:
        return "" if self.change is None or self.score is None else shown_change(self.score.metric, self.change)

    def parameter(self, name: str) -> str | None:
        """The value of the first parameter whose last key is *name*."""
        return last_named(self.parameters, name)


def summarize(run: Run) -> Summary:
    """Gather the facts of *run*. Raises RunhiveError where its id is none."""
    run_folder(run.run_id)
    comparison = read_part(Comparison, run.comparison) if run.comparison else None
    score = score_of(run)
    return Summary(
        run=run,
        score=score,
        verdict=judge(comparison),
        comparison=comparison,
        change=_change(score, comparison),
        code=read_part(Code, run.code) or Code(),
        parameters=flatten(run.params),
        seconds=_seconds(run),
    )


def _change(score: Score | None, comparison: Comparison | None) -> float | None:
    """Of accuracy, from the images won and lost: both models answered the same ones."""
    if score is None or score.name != "accuracy" or comparison is None or not comparison.comparable or score.images < 1:
        return None
    return (comparison.won - comparison.lost) / score.images


def _seconds(run: Run) -> float | None:
    if spent := timed(run):
        return sum(spent.values())
    start, end = epoch_of(run.started_at), epoch_of(run.ended_at)
    return None if start is None or end is None or end < start else end - start

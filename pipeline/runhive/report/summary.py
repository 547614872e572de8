"""The few facts of a run that a table of many runs shows."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

from pydantic import TypeAdapter

from runhive.report.numerals import epoch_of
from runhive.report.record import Code, Collected, Comparison, flatten, last_named, read_part
from runhive.report.score import Score, score_of, shown_change
from runhive.report.tryit.onnx_file import Onnx, onnx_of
from runhive.report.verdict import Verdict, judge
from runhive.tracking.ledger.run import Run, run_folder
from runhive.tracking.ledger.states import STATES

TABLED = ("arch", "mode", "epochs", "lr")
LONGEST_NOTES = 1000
LONGEST_CAUSE = 200
ENDINGS = {
    "running": "Still running",
    "completed": "Completed",
    "failed": "Failed",
    "canceled": "Canceled",
    "lost": "Lost: its process is gone",
}


@dataclass(frozen=True)
class Facts:
    """`change` is the score minus the baseline's on the same images; `seconds` are from start to end.

    `named` are the parameters of TABLED that the run has, by the last part of their name. `kept` are the names of the
    files that the ledger keeps of it, where that is known. `cause` is how what ended it is told, clipped.
    """

    run_id: str
    state: str
    experiment: str
    name: str
    tags: tuple[str, ...]
    notes: str
    archived: bool
    started_at: str
    score: Score | None
    verdict: Verdict
    comparison: Comparison | None
    change: float | None
    code: Code
    named: dict[str, str]
    seconds: float | None
    data_digest: str | None
    has_fetched: bool
    onnx: Onnx | None
    kept: tuple[str, ...] = ()
    cause: str = ""


FACTS = TypeAdapter(Facts)


@dataclass(frozen=True)
class Summary(Facts):
    """The facts, and the way to the whole run."""

    read: Callable[[], Run] = field(repr=False, compare=False, kw_only=True)

    @cached_property
    def run(self) -> Run:
        """The whole record: read anew where the facts were at hand already."""
        return self.read()

    @cached_property
    def parameters(self) -> dict[str, str]:
        return flatten(self.run.params)

    @cached_property
    def collected(self) -> Collected:
        """What the collector knows of it: empty for a run that no workflow made."""
        return read_part(Collected, self.run.collected) or Collected()

    @property
    def ending(self) -> str:
        """The state as a headline."""
        return ENDINGS.get(self.state, "In a state that this Runhive does not know")

    @property
    def shown_change(self) -> str:
        return "" if self.change is None or self.score is None else shown_change(self.score.metric, self.change)


def summarize(run: Run) -> Summary:
    """Gather the facts of *run*. Raises RunhiveError where its id is none."""
    return with_run(facts_of(run), lambda: run)


def with_run(facts: Facts, read: Callable[[], Run]) -> Summary:
    """The summary of the run that *read* gives and *facts* are of."""
    return Summary(**vars(facts), read=read)


def facts_of(run: Run, kept: Iterable[str] = ()) -> Facts:
    """Gather the facts of *run*. Raises RunhiveError where its id is none."""
    run_folder(run.run_id)
    comparison = read_part(Comparison, run.comparison) if run.comparison else None
    score, parameters = score_of(run), flatten(run.params)
    named = {name: last_named(parameters, name) for name in TABLED}
    digest = run.data.get("digest")
    return Facts(
        run_id=run.run_id,
        state=run.state if run.state in STATES else "unknown",
        experiment=str(run.experiment),
        name=str(run.name),
        tags=run.tags,
        notes=run.notes[:LONGEST_NOTES],
        archived=run.archived,
        started_at=str(run.started_at),
        score=score,
        verdict=judge(comparison),
        comparison=comparison,
        change=_change(score, comparison),
        code=read_part(Code, run.code) or Code(),
        named={name: value for name, value in named.items() if value is not None},
        seconds=_seconds(run),
        data_digest=digest if isinstance(digest, str) else None,
        has_fetched=any(event.type == "fetched" for event in run.events),
        onnx=onnx_of(run),
        kept=tuple(kept),
        cause=(run.cause or "")[:LONGEST_CAUSE],
    )


def _change(score: Score | None, comparison: Comparison | None) -> float | None:
    """Of accuracy, from the images won and lost: both models answered the same ones."""
    if score is None or score.name != "accuracy" or comparison is None or not comparison.comparable or score.images < 1:
        return None
    return (comparison.won - comparison.lost) / score.images


def _seconds(run: Run) -> float | None:
    start, end = epoch_of(run.started_at), epoch_of(run.ended_at)
    return None if start is None or end is None or end < start else end - start

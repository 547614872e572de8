"""Why the latest run of an experiment is worse than its best one: the images it lost, and what it did otherwise."""

from dataclasses import dataclass

from runhive.errors import RunhiveError
from runhive.report.other_code import has_other_code
from runhive.report.parameters import Row, rows
from runhive.report.record import Comparison, read_part
from runhive.report.score import is_better, shown_change
from runhive.report.summary import Summary
from runhive.report.verdict import judge
from runhive.tracking.comparison import compare_runs
from runhive.tracking.ledger.ledger import Ledger

MOST_DIFFERENCES = 5


@dataclass(frozen=True)
class Gap:
    """`change` is the latest's score minus the best's; `detail` tells the images won and lost, where that is known.

    `differing` are the first parameters whose values differ, `more` counts the others; `is_other_code` and
    `is_other_data` say whether the two were made by other code and from other images.
    """

    best: Summary
    latest: Summary
    change: str
    tone: str
    detail: str
    differing: tuple[Row, ...]
    more: int
    is_other_code: bool
    is_other_data: bool


def gap(latest: Summary, best: Summary, ledger: Ledger) -> Gap | None:
    """Compare the two, which may be compared; None where *latest* is not behind."""
    assert latest.score and best.score
    if not is_better(best.score.metric, best.score.value, latest.score.value):
        return None
    differing = [row for row in rows(latest.parameters, best.parameters) if row.differs]
    found = _by_image(latest, best, ledger)
    verdict = judge(found) if found and found.comparable else None
    return Gap(
        best=best,
        latest=latest,
        change=shown_change(latest.score.metric, latest.score.value - best.score.value),
        tone=verdict.tone if verdict else "none",
        detail=verdict.detail if verdict else "",
        differing=tuple(differing[:MOST_DIFFERENCES]),
        more=max(0, len(differing) - MOST_DIFFERENCES),
        is_other_code=has_other_code(latest, best, ledger),
        is_other_data=latest.run.data.get("digest") != best.run.data.get("digest"),
    )


def _by_image(latest: Summary, best: Summary, ledger: Ledger) -> Comparison | None:
    try:
        return read_part(Comparison, vars(compare_runs(ledger, best.run, latest.run)))
    except RunhiveError:  # one of the two tables is damaged
        return None

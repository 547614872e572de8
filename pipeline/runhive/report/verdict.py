"""What a run's comparison with its baseline comes to, in one line."""

from dataclasses import dataclass

from runhive.report.numerals import p_value
from runhive.report.record import Comparison
from runhive.tracking.ledger.row import tone
from runhive.tracking.ledger.run import RUN_ID

HEADLINES = {
    "same": "No clear difference to its baseline",
    "better": "Better than its baseline",
    "worse": "Worse than its baseline",
}


@dataclass(frozen=True)
class Verdict:
    """`tone` is better, worse, same or none. `detail` and `choice`, why it is that baseline, are the run's words."""

    tone: str
    headline: str
    detail: str = ""
    baseline: str | None = None
    choice: str = ""


def judge(comparison: Comparison | None) -> Verdict:
    """Put *comparison* in words."""
    if comparison is None:
        return Verdict("none", "Not compared", "no comparison with a baseline was recorded")
    baseline = comparison.baseline if RUN_ID.fullmatch(comparison.baseline or "") else None
    if not comparison.comparable or comparison.baseline is None:
        headline = "Nothing to compare with yet" if comparison.baseline is None else "Not comparable with its baseline"
        return Verdict("none", headline, comparison.reason, baseline)
    return Verdict(*_weigh(comparison), baseline=baseline, choice=comparison.reason)


def _weigh(comparison: Comparison) -> tuple[str, str, str]:
    won, lost = comparison.won, comparison.lost
    if not won and not lost:
        return "same", "Same answers as its baseline", "every image was answered as before"
    detail = f"{images(won)} won, {lost:,} lost"
    if comparison.p is None:
        return "same", "Changed against its baseline", detail
    detail += f", McNemar {p_value(comparison.p)}"
    found = tone(won, lost, comparison.p)
    return found, HEADLINES[found], detail


def images(count: int) -> str:
    return f"{count:,} image" + ("" if count == 1 else "s")

"""The images of a run's page: its mistakes, some right answers, and what changed against the baseline."""

from dataclasses import dataclass
from pathlib import Path

from runhive.report.answers import Answers, answers_of, changed, doubtful_hits, mistakes
from runhive.report.gallery import SHOWN, Gallery, gallery, pictured
from runhive.report.measures import is_comparable
from runhive.report.summary import Summary
from runhive.tracking.ledger.ledger import Ledger

MOST_HITS = 200  # the least sure right answers, looked at for those that have a picture


@dataclass(frozen=True)
class Pictures:
    """`won` and `lost` are None where the run was not compared image by image; `hits` are some right answers."""

    mistakes: Gallery | None
    hits: Gallery | None
    won: Gallery | None
    lost: Gallery | None


def pictures(
    summary: Summary, answers: Answers | None, baseline: Summary | None, ledger: Ledger, site: Path
) -> Pictures:
    """Choose them; their thumbnails are written below *site*."""
    if answers is None:
        return Pictures(None, None, None, None)
    wrong = gallery(mistakes(answers), ledger, site)
    right = pictured(doubtful_hits(answers)[:MOST_HITS], ledger, site, SHOWN)
    before = answers_of(baseline.run_id, ledger) if baseline and is_comparable(summary, baseline) else None
    if before is None:
        return Pictures(wrong, right, None, None)
    won, lost = (gallery(answer, ledger, site) for answer in changed(answers, before))
    return Pictures(wrong, right, won, lost)

"""Which runs a site shows."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from runhive.errors import RunhiveError
from runhive.mistakes import one_line
from runhive.report.numerals import epoch_of
from runhive.tracking import fields
from runhive.tracking.ledger.snapshot import Snapshot

AGO = re.compile(r"(\d{1,5})([dhw])")
UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@dataclass(frozen=True)
class Choice:
    """All runs, unless there is a `filter` expression, or a time `since` which the run has started."""

    filter: str = ""
    since: datetime | None = None


def chosen_ids(ledger: Snapshot, choice: Choice) -> set[str] | None:
    """The ids of the chosen runs; None where all are. Raises RunhiveError for a mistake in the filter."""
    if not choice.filter and choice.since is None:
        return None
    rows = ledger.rows()
    rows = fields.select(rows, choice.filter) if choice.filter else rows
    earliest = choice.since.timestamp() if choice.since else float("-inf")
    return {row["run_id"] for row in rows if (epoch_of(row["started_at"]) or 0.0) >= earliest}


def parse_since(text: str, now: datetime) -> datetime:
    """A date or time in UTC, or how long before *now*: `30d`, `12h`, `2w`. Raises RunhiveError for anything else."""
    if found := AGO.fullmatch(text):
        return now - int(found[1]) * UNITS[found[2]]
    try:
        time = datetime.fromisoformat(text)
        return time if time.tzinfo else time.replace(tzinfo=UTC)
    except ValueError:
        raise RunhiveError(
            f"--since {one_line(text)[:60]!r} is no time: write a date such as 2026-11-23, or 30d, 12h, 2w for an age"
        ) from None

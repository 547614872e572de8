"""Which runs keep what they made in the DVC cache and its remotes."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from runhive.tracking.ledger.folders import read_run, run_folders
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.objects import commit_at, tree_of
from runhive.tracking.ledger.run import Run


@dataclass(frozen=True)
class Retention:
    """Runs are let go that are archived, or older than *older_than* and in one of *states*, unless one of *tags* is on.

    With neither age nor states, only archived runs are let go. A running one never is.
    """

    older_than: timedelta | None = None
    states: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def lets_go(self, run: Run, now: datetime) -> bool:
        """Say whether the run no longer keeps its files."""
        if run.state == "running" or set(run.tags) & set(self.tags):
            return False
        if run.archived:
            return True
        if self.older_than is None and not self.states:
            return False
        old = self.older_than is None or datetime.fromisoformat(run.started_at) < now - self.older_than
        return old and (not self.states or run.state in self.states)


def kept_runs(ledger: Ledger, retention: Retention) -> list[Run]:
    """Return the runs that keep their files. Raises RunhiveError for one that cannot be read: it may keep some."""
    now = datetime.now(UTC)
    runs = (read_run(path, folder) for path, folder in run_folders(tree_of(commit_at(ledger.repository))))
    return [run for run in runs if not retention.lets_go(run, now)]

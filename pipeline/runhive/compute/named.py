"""The workflow run that a person means: by its number, its address, a submission, or a run of the ledger."""

import re
from datetime import timedelta

from runhive.actions.github import GitHub
from runhive.compute.workflow_runs import SUBMISSION, WorkflowRun, find_submission, read_workflow_run
from runhive.errors import RunhiveError
from runhive.tracking.fields import seconds_between
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Run
from runhive.tracking.naming import find

NUMBER = re.compile(r"[0-9]{9,20}")  # longer than the date that a run id begins with
SKEW = timedelta(hours=1)  # of two clocks
ADDRESS = re.compile(r".*/actions/runs/([0-9]{1,20})(?:/.*)?")


def named_workflow_run(github: GitHub, ledger: Ledger, word: str) -> WorkflowRun:
    """Return the workflow run that *word* names. Raises RunhiveError where there is none."""
    if NUMBER.fullmatch(word):
        return read_workflow_run(github, int(word))
    if match := ADDRESS.fullmatch(word):
        return read_workflow_run(github, int(match[1]))
    if SUBMISSION.fullmatch(word):
        found = find_submission(github, word)
        if found is None:
            raise RunhiveError(f"{github.repository} has no workflow run of {word}: see `gh run list`")
        return found
    run = find(ledger, word)
    numbers = [match[1] for url in urls_of(run) if (match := ADDRESS.fullmatch(url))]
    if not numbers:
        raise RunhiveError(f"run {run.run_id} was not made by GitHub Actions: it ends where it was started")
    return read_workflow_run(github, int(numbers[-1]))


def urls_of(run: Run) -> list[str]:
    """Return the addresses of the workflow runs that made *run*, oldest first."""
    told = [event.data.get("launcher") for event in run.events if event.type in ("started", "resumed")]
    return [str(one["url"]) for one in told if isinstance(one, dict) and one.get("url")]


def record_of(ledger: Ledger, workflow_run: WorkflowRun) -> Run | None:
    """Return the newest run in the ledger that the workflow run made; None while there is none."""
    since = workflow_run.began - SKEW
    for row in ledger.rows():  # newest first
        if row["ended_at"] is None or (seconds_between(since.isoformat(), row["ended_at"]) or -1) >= 0:
            run = ledger.run(row["run_id"])
            if workflow_run.url in urls_of(run):
                return run
    return None

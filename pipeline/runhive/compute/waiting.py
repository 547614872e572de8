"""A submission on the terminal, from its start to its record."""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from runhive.actions.github import GitHub
from runhive.compute.following import Follower, Look
from runhive.compute.live import Live, live_of
from runhive.compute.named import record_of
from runhive.compute.workflow_runs import WorkflowRun
from runhive.errors import RunhiveError
from runhive.mistakes import one_line
from runhive.report import numerals
from runhive.report.summary import summarize
from runhive.terminal.output import print_line
from runhive.terminal.page import print_verdict
from runhive.tracking.ledger.exchange import pull_runs
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.run import Run

COLLECTOR = "collect.yml"
RECORD_SECONDS = 600.0  # for the collector to put the run into the ledger


def follow(github: GitHub, root: Path, run: WorkflowRun, every: float) -> int:
    """Print what happens to the workflow run until its record is here, looking *every* seconds; return the exit code.

    Ctrl-C ends the looking alone.
    """
    live = live_of(root)
    if isinstance(live, str):
        print_line(f"no live lines: {live}. GitHub serves a log after the job's end, so steps are shown")
    try:
        look = _until_over(Follower(github, run.number, live if isinstance(live, Live) else None), every)
        record = _record(github, root, look.run, every)
    except KeyboardInterrupt:
        print_line(_goes_on(run))
        return 130
    except RunhiveError:
        print_line(_goes_on(run))
        raise
    if isinstance(live, Live) and live.fault:
        print_line(f"no live lines: {live.fault}")
    return _conclude(look, record)


def _until_over(follower: Follower, every: float) -> Look:
    while True:
        look = follower.look()
        for line in look.news:
            print_line(line)
        sys.stdout.flush()
        if look.run.is_over:
            return look
        time.sleep(every)


def _record(github: GitHub, root: Path, run: WorkflowRun, every: float) -> Run | None:
    """The run's record, once the collector has pushed it; None where it ended without one."""
    deadline = time.monotonic() + RECORD_SECONDS
    while True:
        over = _collector_is_over(github, run)  # before the pull, which then sees what it pushed
        pull_runs(None, restore=False, root=root)
        record = record_of(open_ledger(root), run)
        if record is not None and record.state != "running":
            return record
        if over or time.monotonic() > deadline:
            return record
        time.sleep(every)


def _collector_is_over(github: GitHub, run: WorkflowRun) -> bool:
    """Say whether the collector of this workflow run, whose title holds its number, has ended.

    Raises RunhiveError where it ended badly, or there is none.
    """
    told = github.find(f"actions/workflows/{COLLECTOR}/runs", event="workflow_run", per_page=100)
    if told is None:
        raise RunhiveError(f"{github.repository} has no workflow {COLLECTOR}, so the ledger will not hear of this run")
    own = [one for one in told["workflow_runs"] if str(run.number) in str(one.get("display_title", "")).split()]
    if not own or own[0]["status"] != "completed":
        return False
    if own[0]["conclusion"] != "success":
        raise RunhiveError(
            f"the collector refused or failed, so the ledger has no record: see {one_line(str(own[0]['html_url']))}"
        )
    return True


def _conclude(look: Look, record: Run | None) -> int:
    """Print phases and outcome; the exit code is 0 for a good end."""
    now = datetime.now(UTC)
    print_line(", ".join(f"{phase.name} {numerals.seconds(phase.seconds(now))}" for phase in look.phases))
    good = look.run.conclusion == "success"
    if record is None:
        told = "nothing was trained that was not there before" if good else "no record of it"
        print_line(f"{look.run.conclusion}: {told}: {look.run.url}", "bold")
        return int(not good)
    print_line(f"run {record.run_id} {record.state}: `runhive runs show {record.run_id}`", "bold")
    print_verdict(summarize(record))
    return int(not good or record.state != "completed")


def _goes_on(run: WorkflowRun) -> str:
    return f"the run goes on: `runhive watch {run.number}` follows it again, `runhive cancel {run.number}` ends it"

"""What is new about a workflow run since the last look: phases, steps, live lines."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC

from runhive.actions.github import GitHub
from runhive.compute.live import Live
from runhive.compute.phases import Phase, node_job, phases_of
from runhive.compute.workflow_runs import Job, WorkflowRun, read_jobs, read_workflow_run
from runhive.tracking.life.broadcast import Broadcast

BLOCKED = {"waiting": "it waits for a reviewer of the environment", "pending": "it waits for a run before it"}


@dataclass(frozen=True)
class Look:
    """The state at one look. *news* are lines to show."""

    run: WorkflowRun
    phases: list[Phase]
    news: list[str]


class Follower:
    """Looks at one workflow run again and again."""

    def __init__(self, github: GitHub, number: int, live: Live | None) -> None:
        self._github, self._number, self._live = github, number, live
        self._phases: list[str] = []
        self._steps: set[tuple[str, str]] = set()
        self._blocked = ""
        self._heard: Broadcast | None = None
        self._printed: dict[tuple[int, str], int] = {}

    def look(self) -> Look:
        """Ask GitHub and the DVC remote. Raises RunhiveError where GitHub does not answer."""
        run = read_workflow_run(self._github, self._number)
        jobs = read_jobs(self._github, run)
        phases = phases_of(run, jobs)
        news = [*self._blocked_news(run), *self._phase_news(phases)]
        live = list(self._live_news(self._live, run)) if self._live and len(phases) > 1 else []
        return Look(run, phases, [*news, *self._step_news(jobs), *live])

    def _blocked_news(self, run: WorkflowRun) -> Iterator[str]:
        if run.status != self._blocked and run.status in BLOCKED:
            yield BLOCKED[run.status]
        self._blocked = run.status

    def _phase_news(self, phases: Sequence[Phase]) -> Iterator[str]:
        for phase in phases:
            if phase.name not in self._phases:
                self._phases.append(phase.name)
                yield f"{phase.name} since {phase.began.astimezone(UTC):%H:%M:%S} UTC"

    def _step_news(self, jobs: Sequence[Job]) -> Iterator[str]:
        node = node_job(jobs)
        for step in node.steps if node else ():
            if step.status == "completed" and step.conclusion != "skipped" and ("end", step.name) not in self._steps:
                self._steps.add(("end", step.name))
                yield f"  step {step.name}: {step.conclusion}"
            elif step.status == "in_progress" and ("start", step.name) not in self._steps:
                self._steps.add(("start", step.name))
                yield f"  step {step.name}"

    def _live_news(self, live: Live, run: WorkflowRun) -> Iterator[str]:
        heard = live.hear(self._number)
        if heard is None or heard == self._heard or heard.time < run.began:  # the word of an attempt before
            return
        if self._heard is None or self._heard.run_id != heard.run_id:
            yield f"  run {heard.run_id}"
        numbers = {} if self._heard is None else self._heard.metrics
        self._heard = heard
        place = (heard.attempt, heard.phase)
        missed = heard.printed - self._printed.get(place, 0)
        self._printed[place] = heard.printed
        if missed > len(heard.lines):
            yield f"  {heard.phase} | … {missed - len(heard.lines)} lines before these"
        yield from (f"  {heard.phase} | {line}" for line in heard.lines[-missed:] if missed > 0)
        if heard.metrics and heard.metrics != numbers:
            yield f"  {heard.phase} = {', '.join(f'{name} {value:.4g}' for name, value in heard.metrics.items())}"

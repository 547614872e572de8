"""What is missing before a target can take a run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from runhive.actions.github import GitHub, GitHubError
from runhive.compute.runners import Runner, fitting, is_hosted, list_runners
from runhive.compute.targets import refusals
from runhive.errors import RunhiveError
from runhive.params import Params, Target

WORKFLOW = "train.yml"
RENDEZVOUS = "RUNHIVE_RENDEZVOUS"  # the variable of the repository
LABELS_SHOWN = 3  # runners whose labels are told


@dataclass(frozen=True)
class Report:
    """*problems* keep a run from being made, each with what to do; *notes* do not. *runners* fit the target."""

    problems: list[str]
    notes: list[str] = field(default_factory=list)
    runners: list[Runner] = field(default_factory=list)


def check_target(github: GitHub, name: str, target: Target, params: Params) -> Report:
    """Return what is missing for the run that *params* describes on *target*."""
    problems = refusals(name, target, params)
    try:
        problems += workflow_problems(github, params)
    except RunhiveError as error:  # without an answer to this, none to the next question
        return Report([*problems, str(error)])
    found = check_runners(github, name, target, params.train.distributed.node_counts[-1])
    return Report([*problems, *found.problems], found.notes, found.runners)


def check_runners(github: GitHub, name: str, target: Target, nodes: int) -> Report:
    """Return what the runners behind *target* lack for a run of *nodes* machines."""
    if is_hosted(target):
        return Report([], [f"{name}: GitHub has these machines itself"])
    try:
        listed = list_runners(github, target)
    except RunhiveError as error:
        return Report([f"{name}: {error}"])
    fit = fitting(listed, target)
    problems = list(_runner_problems(name, target, listed, fit))
    notes = list(_notes(name, target, fit, nodes)) if fit or not listed else []
    return Report(problems, notes, fit)


def workflow_problems(github: GitHub, params: Params) -> list[str]:
    """Return why the workflow that trains cannot be started, if it cannot."""
    workflow = github.find(f"actions/workflows/{WORKFLOW}")
    if workflow is None:
        return [
            f"{github.repository} has no workflow {WORKFLOW}: push .github/workflows to its default branch, and see "
            "with `gh repo view` that gh may read the repository"
        ]
    if workflow.get("state") != "active":
        return [f"the workflow {WORKFLOW} is switched off: run `gh workflow enable {WORKFLOW}`"]
    return _rendezvous_problems(github, params)


def _rendezvous_problems(github: GitHub, params: Params) -> list[str]:
    distributed = params.train.distributed
    if distributed.node_counts[-1] == 1 or distributed.rendezvous:
        return []
    try:
        known = github.find(f"actions/variables/{RENDEZVOUS}")
    except GitHubError as error:
        if error.status == 403:  # who may not read variables hears of it from the workflow
            return []
        raise
    if known:
        return []
    return [
        f"{distributed.node_counts[-1]} nodes need a place to meet: set train.distributed.rendezvous, or run "
        f"`gh variable set {RENDEZVOUS} --body HOST:PORT` with the first one's"
    ]


def _runner_problems(name: str, target: Target, listed: Sequence[Runner], fit: Sequence[Runner]) -> Iterator[str]:
    if listed and not fit:
        for runner in listed[:LABELS_SHOWN]:
            yield (
                f"{name}: runner {runner.name} lacks {', '.join(runner.lacks(target))} (it has "
                f"{', '.join(runner.labels) or 'none'}): give it to the runner, or mend compute.targets.{name}.labels"
            )
    online = sum(runner.online for runner in fit)
    if online < max(1, target.min_nodes):
        yield from _offline(name, fit)
    if online < target.min_nodes:
        yield (
            f"{name}: {online} of the {target.min_nodes} runners that compute.targets.{name}.min_nodes promises "
            f"{'is' if online == 1 else 'are'} online: start the others, or lower it"
        )


def _offline(name: str, fit: Sequence[Runner]) -> Iterator[str]:
    for runner in fit:
        if not runner.online:
            yield f"{name}: runner {runner.name} is offline: start it there with `systemctl start runhive-runner`"


def _notes(name: str, target: Target, fit: Sequence[Runner], nodes: int) -> Iterator[str]:
    online = sum(runner.online for runner in fit)
    if online >= max(1, target.min_nodes):
        yield from _offline(name, fit)
    if not fit and target.min_nodes == 0:
        yield (
            f"{name}: no runner is there now, and min_nodes is 0: a scale set starts one when a job comes, a single "
            "box has to be switched on"
        )
    elif online < nodes:
        yield f"{name}: {nodes} runners are needed and {online} {'is' if online == 1 else 'are'} online: jobs wait"
    elif online and all(runner.busy for runner in fit if runner.online):
        yield f"{name}: every runner is busy: a job waits for its turn"

"""A run as it is sent: checked by the same rules as params.yaml before anything leaves this machine."""

import time
from dataclasses import dataclass
from pathlib import Path

from runhive.actions.github import GitHub
from runhive.compute.pushed import Pushed
from runhive.compute.targets import changes_for_nodes
from runhive.compute.workflow_runs import WorkflowRun, dispatch, find_submission, new_submission
from runhive.errors import RunhiveError
from runhive.mistakes import one_line
from runhive.params import Params, load_params, parse_params
from runhive.presets import with_changes

APPEAR_SECONDS = 120.0  # within which GitHub lists what it was asked to start
LOOK_SECONDS = 2.0


@dataclass(frozen=True)
class Submission:
    """What goes to GitHub."""

    id: str
    target: str
    nodes: int | None
    changes: tuple[str, ...]
    pushed: Pushed

    def inputs(self) -> dict[str, str]:
        """The inputs of the workflow."""
        return {
            "compute": self.target,
            "nodes": "" if self.nodes is None else str(self.nodes),
            "set": "\n".join(self.changes),
            "submission": self.id,
            "resume": "",
        }


@dataclass(frozen=True)
class Wanted:
    """What is to be run: the parameters, the `key=value` changes that make them, and params.yaml with these."""

    params: Params
    changes: tuple[str, ...]
    text: str


def wanted(path: Path, changes: tuple[str, ...], nodes: int | None) -> Wanted:
    """Return what *changes* and *nodes* make of the file. Raises RunhiveError with one line for each mistake."""
    for change in changes:
        if one_line(change) != change:
            raise RunhiveError(f"{change!r}: a value goes to the runner on one line: write it without breaks")
    params = load_params(path)
    text = path.read_text(encoding="utf-8")
    if changes:
        text = with_changes(text, changes)
        params = parse_params(text, f"{path} with -S")
    more = changes_for_nodes(params, nodes)
    if more:
        text = with_changes(text, more)
        params = parse_params(text, f"{path} with --nodes {nodes}")
    return Wanted(params, (*changes, *more), text)


def submit(github: GitHub, target: str, nodes: int | None, changes: tuple[str, ...], pushed: Pushed) -> Submission:
    """Start the workflow. Raises RunhiveError where GitHub refuses; then nothing was started."""
    submission = Submission(new_submission(), target, nodes, changes, pushed)
    dispatch(github, pushed.branch, submission.inputs())
    return submission


def wait_for_workflow_run(github: GitHub, submission: Submission) -> WorkflowRun:
    """Return the workflow run that GitHub made of *submission*. Raises RunhiveError where it lists none in time."""
    deadline = time.monotonic() + APPEAR_SECONDS
    while time.monotonic() < deadline:
        if found := find_submission(github, submission.id):
            return found
        time.sleep(LOOK_SECONDS)
    raise RunhiveError(
        f"GitHub took {submission.id} and lists no workflow run of it: look with `gh run list`, then "
        f"`runhive watch {submission.id}`"
    )

"""Commands that send runs away, follow them, end them and send them again."""

import sys
from typing import TYPE_CHECKING

import click

from runhive.commands.root import enter_root
from runhive.errors import RunhiveError

if TYPE_CHECKING:  # so that other commands start quickly
    from runhive.actions.github import GitHub
    from runhive.compute.submission import Wanted
    from runhive.compute.workflow_runs import WorkflowRun

EVERY = click.option(
    "--every", type=click.FloatRange(min=0.1), default=10.0, show_default=True, metavar="SECONDS",
    help="Between two looks.",
)  # fmt: skip
WAIT = click.option("--wait", is_flag=True, help="Follow it to its end; the exit code is then the run's.")


@click.command()
@click.option("--compute", metavar="TARGET", help="A target of params.yaml, or local; compute.default without it.")
@click.option("--nodes", type=click.IntRange(min=1), metavar="N", help="On N machines instead of those of params.yaml.")
@click.option("-S", "--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change a parameter for this run.")
@WAIT
@EVERY
def submit(compute: str | None, nodes: int | None, changes: tuple[str, ...], wait: bool, every: float) -> None:
    """Train what is committed and pushed on the runners of a target; on `local`, here.

    All is checked before anything is sent. Example: runhive submit --compute gpu -S train.lr=0.01 --wait
    """
    from runhive.compute.here import PARAMS, run_here
    from runhive.compute.submission import wanted
    from runhive.compute.targets import find_target, refusals

    enter_root()
    asked = wanted(PARAMS, changes, nodes)
    name, target = find_target(asked.params.compute, compute)
    if target is None:
        if nodes is not None and nodes > 1:
            raise RunhiveError("local is one machine: leave --nodes out, or take another target")
        sys.exit(run_here(asked.text))
    if problems := refusals(name, target, asked.params):
        raise RunhiveError("\n".join(problems))
    _send(name, nodes, asked, wait, every)


@click.command()
@click.argument("run")
@EVERY
def watch(run: str, every: float) -> None:
    """Follow RUN to its end: phases, steps, live lines, its record; the exit code is the run's.

    RUN is what `submit` printed, the number or address of a workflow run, or a run of the ledger.
    """
    from runhive.compute.waiting import follow
    from runhive.tracking.repository import main_root

    github, found = _named(run)
    sys.exit(follow(github, main_root(), found, every))


@click.command()
@click.argument("run")
def cancel(run: str) -> None:
    """End RUN on its runner; it keeps its last checkpoint. RUN is as for `watch`."""
    from runhive.compute import workflow_runs

    github, found = _named(run)
    workflow_runs.cancel(github, found)
    click.echo(f"GitHub is asked to end workflow run {found.number}: `runhive watch {found.number}` shows its end")


@click.command()
@click.argument("run")
@WAIT
@EVERY
def resubmit(run: str, wait: bool, every: float) -> None:
    """Start RUN, which has ended, once more: the same commit, target and parameters. RUN is as for `watch`."""
    from runhive.compute.waiting import follow
    from runhive.compute.workflow_runs import read_workflow_run, start_again
    from runhive.tracking.repository import main_root

    github, found = _named(run)
    start_again(github, found)
    again = read_workflow_run(github, found.number)
    click.echo(f"attempt {again.attempt} of workflow run {found.number}: {found.url}")
    if wait:
        sys.exit(follow(github, main_root(), again, every))
    click.echo(f"`runhive watch {found.number}` follows it")


def _send(name: str, nodes: int | None, asked: "Wanted", wait: bool, every: float) -> None:
    """Send what was checked; the state of the runners is told, and does not keep it from being sent."""
    from runhive.compute.check import check_runners, workflow_problems
    from runhive.compute.here import github_here
    from runhive.compute.pushed import pushed_branch
    from runhive.compute.submission import submit, wait_for_workflow_run
    from runhive.compute.waiting import follow
    from runhive.terminal.output import print_line
    from runhive.tracking.repository import main_root, open_repository

    root, github = main_root(), github_here()
    pushed = pushed_branch(open_repository(root))
    if problems := workflow_problems(github, asked.params):
        raise RunhiveError("\n".join(problems))
    machines = asked.params.train.distributed.node_counts[-1]
    state = check_runners(github, name, asked.params.compute.targets[name], machines)
    for line in (*state.problems, *state.notes):
        click.echo(f"runhive: {line}", err=True)
    sent = submit(github, name, nodes, asked.changes, pushed)
    try:
        to = f"{name}, {machines} node{'s' * (machines > 1)}"
        print_line(f"{sent.id}: {pushed.branch} at {pushed.commit[:8]} to {to}")
        sys.stdout.flush()
        run = wait_for_workflow_run(github, sent)
    except KeyboardInterrupt:
        print_line(f"it was sent: `runhive watch {sent.id}` follows it, `runhive cancel {sent.id}` ends it")
        sys.exit(130)
    print_line(run.url)
    if wait:
        sys.exit(follow(github, root, run, every))
    print_line(f"`runhive watch {run.number}` follows it, `runhive cancel {run.number}` ends it")


def _named(word: str) -> tuple["GitHub", "WorkflowRun"]:
    from runhive.compute.here import github_here
    from runhive.compute.named import named_workflow_run
    from runhive.tracking.life.liveness import settled_ledger

    github = github_here()
    return github, named_workflow_run(github, settled_ledger(), word)

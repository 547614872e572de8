"""Commands of the workflows train and resume."""

from pathlib import Path

import click

EVENT = click.option(
    "--event", "event_file", required=True, metavar="FILE", type=click.Path(path_type=Path),
    help="The event that started the workflow.",
)  # fmt: skip
OUTPUTS = click.option(
    "--outputs", required=True, metavar="FILE", type=click.Path(path_type=Path), help="Where outputs of a step go."
)


@click.command()
@EVENT
@OUTPUTS
@click.option("--sha", required=True, metavar="COMMIT", help="The commit of the event.")
@click.option("--workflow-run", required=True, metavar="ID", help="The workflow run that asks.")
@click.option(
    "--asked", "asked_file", required=True, metavar="FILE", type=click.Path(path_type=Path),
    help="Where to keep what was asked, for `resume`.",
)  # fmt: skip
@click.option("--submission", default="", metavar="ID", help="The client's own id of the submission.")
@click.option("--compute", default="", metavar="NAME", help="One of compute.targets.")
@click.option("--nodes", default="", metavar="N", help="Machines.")
@click.option("--set", "changes", default="", metavar="LINES", help="KEY=VALUE changes of params.yaml, one a line.")
@click.option("--resume", default="", metavar="RUN", help="The run to go on with.")
@click.option("--image", default="", metavar="IMAGE", help="The container to train in, with its digest.")
@click.option("--rendezvous", default="", metavar="HOST:PORT", help="Where several machines meet.")
def plan(
    event_file: Path,
    outputs: Path,
    sha: str,
    workflow_run: str,
    asked_file: Path,
    submission: str,
    compute: str,
    nodes: str,
    changes: str,
    resume: str,
    image: str,
    rendezvous: str,
) -> None:
    """Check what is asked of the workflow train, and write its plan as outputs: runners, machines, time-outs."""
    from runhive.actions.checkpoints import ARTIFACT, find_checkpoint
    from runhive.actions.event import read_event, repository_of
    from runhive.actions.github import GitHub
    from runhive.actions.outputs import write_outputs
    from runhive.actions.plan import Asked, commit_of, lines, make_plan, require_remote
    from runhive.actions.resume import keep_asked
    from runhive.terminal.output import print_line
    from runhive.tracking.repository import main_root

    event = read_event(event_file)
    commit = commit_of(event, sha)
    require_remote(main_root())
    text = Path("params.yaml").read_text(encoding="utf-8")
    made = make_plan(text, Asked(compute, nodes, lines(changes), image, rendezvous))
    found = find_checkpoint(GitHub(repository_of(event)), resume, commit) if resume else ""
    checkpoint = {"checkpoint": ARTIFACT + resume if resume else "", "checkpoint_from": found}
    keep_asked(asked_file, {"compute": compute, "nodes": nodes, "set": changes, "submission": submission})
    write_outputs(outputs, {"commit": commit, **made.outputs(workflow_run), **checkpoint})
    print_line(made.summary())


@click.command("set")
@click.argument("changes", metavar="JSON")
def set_parameters(changes: str) -> None:
    """Set the plan's changes in params.yaml: JSON is a list of KEY=VALUE."""
    import json

    from runhive.errors import RunhiveError
    from runhive.files import write_atomic
    from runhive.params import parse_params
    from runhive.presets import with_changes

    path = Path("params.yaml")
    try:
        listed = json.loads(changes)
    except ValueError:
        listed = None
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise RunhiveError(f"{changes!r} is no JSON list of KEY=VALUE: give the output of `runhive actions plan`")
    if listed:
        text = with_changes(path.read_text(encoding="utf-8"), listed)
        parse_params(text, str(path))
        write_atomic(path, text.encode())


@click.command()
@OUTPUTS
def checkpoint(outputs: Path) -> None:
    """Write, as output, the name for the checkpoint of the run that was cut off here, if it has one."""
    from runhive.actions.checkpoints import ARTIFACT, unfinished_run
    from runhive.actions.outputs import write_outputs
    from runhive.terminal.output import print_line
    from runhive.tracking.life.liveness import settled_ledger
    from runhive.tracking.repository import main_root

    run_id = unfinished_run(settled_ledger(), main_root())
    print_line(f"run {run_id} can go on" if run_id else "there is no run that could go on")
    write_outputs(outputs, {"artifact": ARTIFACT + run_id} if run_id else {})


@click.command()
@EVENT
@click.option(
    "--asked", required=True, metavar="FILE", type=click.Path(path_type=Path), help="What was asked of the train."
)
def resume(event_file: Path, asked: Path) -> None:
    """Dispatch a train that was cut off again, from its last checkpoint: at most five times, and never a fork's."""
    from runhive.actions.event import read_event, repository_of
    from runhive.actions.github import GitHub
    from runhive.actions.resume import resume as go_on
    from runhive.terminal.output import print_line

    event = read_event(event_file)
    print_line(go_on(GitHub(repository_of(event)), event, asked))


TRAINING = (plan, set_parameters, checkpoint, resume)

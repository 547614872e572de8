"""Any command as a run."""

import sys

import click


@click.command(context_settings={"allow_interspersed_args": False})
@click.option("--experiment", help="The experiment; otherwise that of params.yaml, or the script's name.")
@click.option("--name", default="", help="A name to show.")
@click.option("--tag", "tags", multiple=True, help="A tag; may be given more than once.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(experiment: str | None, name: str, tags: tuple[str, ...], command: tuple[str, ...]) -> None:
    """Run COMMAND as it is, and record it: output, exit code, samples of the machine, files in outputs/ and logs/.

    Example: runhive run --tag try -- python train.py --lr 0.1
    """
    from runhive.tracking.life.command import run_command

    sys.exit(run_command(command, experiment, name, tags))

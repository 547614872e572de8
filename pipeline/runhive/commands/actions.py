"""Commands that GitHub's workflows call."""

from pathlib import Path

import click

from runhive.commands.actions_publish import PUBLISHING
from runhive.commands.actions_train import TRAINING

OUTCOMES = ("success", "failure", "cancelled", "skipped")


@click.group()
def actions() -> None:
    """What GitHub's workflows call; by hand they are of use for tests alone."""


@actions.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--outcome", type=click.Choice(OUTCOMES), default="success", show_default=True,
    help="How the step that ran the pipeline ended; only after success the working tree's model is that of the run.",
)  # fmt: skip
def bundle(folder: Path, outcome: str) -> None:
    """Write what this job made into the new folder DIR: its runs as in the ledger, the model, dvc.lock, results.

    The collector reads it. It is written also where training failed, or where there is no run at all. In a workflow
    the job's summary gets what it says of its run: its own word, which is not checked yet.
    """
    from runhive.actions.packing import pack
    from runhive.actions.pairing import word_of_the_job
    from runhive.actions.summary import write_summary
    from runhive.terminal.output import print_line
    from runhive.tracking.life.liveness import settled_ledger
    from runhive.tracking.repository import main_root

    ledger, root = settled_ledger(), main_root()
    made = pack(ledger, root, folder, outcome == "success")
    print_line(f"{folder}: {', '.join(made.runs) or 'no run'}; {len(made.files)} files")
    write_summary(word_of_the_job(ledger, made.run, root))


@actions.command()
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--event", envvar="GITHUB_EVENT_PATH", metavar="FILE", type=click.Path(path_type=Path),
    help="The event of the workflow run's end; by default the file that GITHUB_EVENT_PATH names.",
)  # fmt: skip
@click.option("--remote", metavar="NAME", help="The Git remote with the ledger; origin.")
@click.option(
    "--site", metavar="URL", help="The site, where every reviewer can read it: links and pictures lead there."
)
@click.option("--preview", metavar="URL", help="Where the site of this run can be downloaded.")
@click.option(
    "--author", metavar="LOGIN", default="github-actions[bot]", show_default=True,
    help="Who comments: only a comment of this login is changed.",
)  # fmt: skip
def collect(
    folder: Path | None, event: Path | None, remote: str | None, site: str | None, preview: str | None, author: str
) -> None:
    """Take the bundle DIR into the ledger, push it, and answer the pull request, with the base branch's code.

    The model is scored again on gate.evaluation_sets, whose images have to be here. Without DIR, or where it is not
    there, the run is recorded as its workflow ended. Again, it adds nothing. A bundle that is not what it says is
    refused: the ledger stays as it is. In a workflow the answer is the job's summary, too.
    """
    if event is None:
        raise click.UsageError("name the file of the workflow run's event: --event FILE")
    from runhive.actions.collecting import Order
    from runhive.actions.collecting import collect as collect_run
    from runhive.actions.summary import address, write_summary
    from runhive.terminal.output import print_line
    from runhive.tracking.repository import main_root

    order = Order(event, folder, remote, address(site, "--site"), address(preview, "--preview"), author)
    done = collect_run(main_root(), order)
    for line in done.lines:
        print_line(line)
    write_summary(done.text)


for command in (*TRAINING, *PUBLISHING):
    actions.add_command(command)

"""The command line. A stage is imported only when it runs, so that `runhive --help` is quick."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click

from runhive.errors import RunhiveError

EXTRAS = {
    "train": "torch torchvision onnx onnxruntime onnxscript safetensors sklearn dvc",
    "report": "jinja2 mkdocs material",
}


def main() -> NoReturn:
    """Run the command line; a RunhiveError becomes its message and exit code 1, a bug its traceback."""
    try:
        commands(prog_name="runhive", standalone_mode=False)
    except RunhiveError as error:
        sys.exit("\n".join(f"runhive: {line}" for line in str(error).splitlines()))
    except ModuleNotFoundError as error:
        sys.exit(_missing(error))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(0)


def _missing(error: ModuleNotFoundError) -> str:
    for extra, modules in EXTRAS.items():
        if error.name and error.name.partition(".")[0] in modules.split():
            return f"runhive: {error.name} is not installed: run `pip install 'runhive[{extra}]'`"
    raise error


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="runhive", prog_name="runhive")
def commands() -> None:
    """Train, record and report image classifiers with Git, DVC and a static site.

    `dvc repro` runs the stages fetch, train, evaluate, export, record and report in their order.
    """


@commands.command()
@click.argument("preset", required=False)
@click.argument("changes", nargs=-1, metavar="[KEY=VALUE]...")
def use(preset: str | None, changes: tuple[str, ...]) -> None:
    """Write params.yaml from PRESET, with some keys changed; alone, list the presets.

    Example: runhive use hymenoptera train.mode=frozen
    """
    from runhive import presets

    if preset is None:
        click.echo(presets.describe())
    else:
        presets.use(preset, changes, Path("params.yaml"))
        click.echo(f"params.yaml holds {preset} now: run `dvc repro`")


@commands.command()
def schema() -> None:
    """Print the JSON schema of params.yaml, for editors."""
    from runhive.params import json_schema

    click.echo(json_schema(), nl=False)


def _stage(name: str, run: Callable[[], None], help_text: str) -> None:
    """Add the command of one stage: it runs, and its time is kept."""

    @commands.command(name, help=help_text)
    def command() -> None:
        from runhive.stages.phase import Timer
        from runhive.tracking.process import die_with_parent

        timer = Timer()
        if "DVC_STAGE" in os.environ:
            die_with_parent()  # a killed dvc would leave its stage running
        # Waiting threads sleep: spinning ones starve those that work wherever the cores are shared.
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        run()
        timer.write(name)


def _params() -> Any:
    from runhive.params import load_params

    return load_params(Path("params.yaml"))


def _fetch() -> None:
    from runhive.stages.fetch import fetch

    data = _params().data
    fetch(data.source, data.url, data.on_bad)


def _train() -> None:
    params = _params()
    from runhive.stages.train import train

    train(params)


def _evaluate() -> None:
    params = _params()
    from runhive.stages.evaluate import evaluate
    from runhive.stages.opened import failure_told

    with failure_told("evaluate"):
        evaluate(params)


def _export() -> None:
    params = _params()
    from runhive.stages.export import export
    from runhive.stages.opened import failure_told

    with failure_told("export"):
        export(params)


def _record() -> None:
    from runhive.stages.record import record

    record()


def _report() -> None:
    from runhive.stages.report import report

    report()


_stage("fetch", _fetch, "Gather the images, check each, list them in data/manifest.csv.")
_stage("train", _train, "Train the classifier; goes on from the last epoch after a crash.")
_stage("evaluate", _evaluate, "Score the model on the evaluation set.")
_stage("export", _export, "Write the ONNX file and prove that it computes the same.")
_stage("record", _record, "Close the run in the ledger, refs/runs/main.")
_stage("report", _report, "Render the ledger as a static site in site/.")


@commands.group()
def runs() -> None:
    """Read the history of runs."""


@runs.command("list")
def list_runs() -> None:
    """List the runs, newest first."""
    from runhive.terminal import print_runs

    print_runs()


@runs.command("show")
@click.argument("run_id")
def show_run(run_id: str) -> None:
    """Show one run: numbers, parameters, code, environment. RUN_ID may be the start of one."""
    from runhive.terminal import print_run

    print_run(run_id)


@commands.command()
@click.argument("run_ids", nargs=-1)
def compare(run_ids: tuple[str, ...]) -> None:
    """Compare two runs side by side: the last two completed ones, or RUN_IDS."""
    from runhive.terminal import print_comparison

    print_comparison(run_ids)

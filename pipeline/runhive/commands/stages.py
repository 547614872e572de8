"""The commands of the stages, which dvc.yaml calls."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import click


def _stage(name: str, run: Callable[..., None], help_text: str) -> click.Command:
    """The command of one stage: it runs, and its time is kept."""

    @click.command(name, help=help_text)
    def command(**options: Any) -> None:
        from runhive.commands.root import enter_root
        from runhive.stages.leftovers import remove_leftovers
        from runhive.stages.output import kept_output
        from runhive.stages.phase import Timer
        from runhive.tracking.life.process import end_with, launcher

        timer = Timer()
        enter_root()
        if "DVC_STAGE" in os.environ:
            end_with(launcher())
        # Waiting threads sleep: spinning ones starve those that work wherever the cores are shared.
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        with _filling_cache(), kept_output(name):
            remove_leftovers()
            run(**options)
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


def _report(
    static: bool, or_static: bool, expression: str, since: str | None, out: Path | None, serve: bool, port: int
) -> None:
    from runhive.stages.report import Wanted, plan_of, report, serve_report

    wanted = Wanted(plan_of(static, expression, since), out, or_static)
    if serve:
        serve_report(wanted, port)
    else:
        report(wanted)


def _report_stage() -> click.Command:
    command = _stage("report", _report, "Render the ledger as a static site in site/.")
    for option in REPORT_OPTIONS:
        option(command)
    return command


REPORT_OPTIONS = (
    click.option("--static", is_flag=True, help="Without the front-end libraries that npm brings."),
    click.option("--or-static", is_flag=True, help="Static where npm or its registry is missing, and say so."),
    click.option("--runs", "expression", metavar="FILTER", default="", help="Only the runs that FILTER holds for."),
    click.option("--since", metavar="WHEN", help="Only runs started since a date, or in the last 30d, 12h, 2w."),
    click.option(
        "--out", type=click.Path(file_okay=False, resolve_path=True, path_type=Path), help="Another folder than site/."
    ),
    click.option("--serve", is_flag=True, help="Serve it on 127.0.0.1 and build it again whenever something changes."),
    click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="For --serve."),
)

STAGES = (
    _stage("fetch", _fetch, "Gather the images, check each, list them in data/manifest.csv."),
    _stage("train", _train, "Train the classifier; goes on from the last epoch after a crash."),
    _stage("evaluate", _evaluate, "Score the model on the evaluation set."),
    _stage("export", _export, "Write the ONNX file and prove that it computes the same."),
    _stage("record", _record, "Close the run in the ledger, refs/runs/main."),
    _report_stage(),
)

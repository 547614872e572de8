"""Predictions of a model for many images."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from runhive.scoring.model import Model


@click.command()
@click.argument("model")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="A .csv, .jsonl or .parquet."
)
@click.option(
    "--batch", type=click.IntRange(1, 4096), default=8, show_default=True, metavar="N", help="Images at once."
)
@click.option("--top", type=click.IntRange(min=1), default=1, show_default=True, metavar="K", help="Labels a row.")
@click.option(
    "--variant", type=click.Choice(["fp32", "fp16", "int8"]), default="fp32", show_default=True,
    help="Which of the files of a run or version.",
)  # fmt: skip
def predict(model: str, paths: tuple[str, ...], out: Path | None, batch: int, top: int, variant: str) -> None:
    """Predict the labels of images with MODEL: an ONNX file, a run, a version or an alias.

    A PATH is an image, a folder, a quoted glob, or a zip or tar archive. Prints CSV, or writes FILE; the same command
    goes on with a FILE that it was stopped at. An image that cannot be read is a row with an error, and the exit code
    is then 1.

    Example: runhive predict hymenoptera#prod photos/ --out answers.csv
    """
    from runhive.scoring.images import check_paths
    from runhive.scoring.model import Model

    check_paths(paths)
    loaded = Model.load(model, variant)
    done, errors = _print(loaded, paths, batch, top) if out is None else _write(loaded, paths, batch, top, out)
    if errors or not done:
        said = f"{errors:,} of {done:,} images could not be read: see the column error"
        sys.exit(f"runhive: {said if done else 'no image was found: folders and archives are searched by name'}")


def _print(model: "Model", paths: tuple[str, ...], batch: int, top: int) -> tuple[int, int]:
    """Rows to stdout as they come; returns how many there were, and how many of them are errors."""
    from runhive.scoring.images import find_images
    from runhive.scoring.rows import columns_of, predict_rows
    from runhive.scoring.tables import csv_header, csv_text

    columns, done, errors = columns_of(model, top), 0, 0
    click.echo(csv_header(columns), nl=False)
    for row in predict_rows(model, find_images(paths), batch, top):
        click.echo(csv_text(columns, [row]), nl=False)
        done, errors = done + 1, errors + (row["error"] is not None)
    return done, errors


def _write(model: "Model", paths: tuple[str, ...], batch: int, top: int, out: Path) -> tuple[int, int]:
    """Rows to a file, with progress; returns the same."""
    from runhive.scoring.images import count_images, find_images
    from runhive.scoring.job import open_job, remaining, write_rows
    from runhive.scoring.progress import show_progress
    from runhive.scoring.rows import columns_of, predict_rows

    columns = columns_of(model, top)
    what = {"model_sha256": model.sha256, "version": model.version, "paths": list(paths)}
    with open_job(out, columns, what) as job, show_progress(lambda: count_images(paths)) as after:
        items = remaining(job, find_images(paths))
        write_rows(job, predict_rows(model, items, batch, top), after)
    click.echo(f"{out}: {job.done:,} images, {job.errors:,} of them unreadable", err=True)
    return job.done, job.errors

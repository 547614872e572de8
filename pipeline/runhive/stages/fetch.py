"""fetch: a source of images to `data/images`, its manifest and a report of what was left out."""

import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from runhive.data.collect import collect, in_several_splits
from runhive.data.images import find_images
from runhive.data.progress import download_progress
from runhive.data.sources import SPLITS, gather, without_secrets
from runhive.errors import RunhiveError
from runhive.files import sync_folder
from runhive.formats.data_report import DataReport, LeftOut
from runhive.formats.manifest import Image, class_names, content_digest, split_of, write_manifest
from runhive.stages import paths

WORKSPACE = ".fetch-"
MOST_LINES = 10


def fetch(source: str, url: str | None, on_bad: str) -> DataReport:
    """Bring the images of *source* here and return the report on them.

    *on_bad* is what a file that is no image does: "error" stops, "skip" reports it and goes on. A fetch that
    fails or is killed leaves the images that were there, or none, never a part.
    """
    with workspace() as folder:
        with download_progress() as progress:
            found = gather(source, url, folder, repository_root(), progress)
        images, left_out = find_images(found)
        if left_out and on_bad == "error":
            raise RunhiveError(
                f"{left_out[0].path}: {left_out[0].reason} ({len(left_out)} such in all): "
                "mend the data or set data.on_bad to skip"
            )
        size = collect(images, found, folder / "images", owned=found.is_relative_to(folder))
        report = describe(source, url, images, left_out, size)
        put_in_place(folder, images, report)
    tell(report, images)
    return report


@contextmanager
def workspace() -> Iterator[Path]:
    """Make a temporary folder beside the outs; those of processes that died are removed."""
    parent = paths.IMAGES.parent
    parent.mkdir(parents=True, exist_ok=True)
    for old in sorted(parent.glob(f"{WORKSPACE}*")):
        pid = old.name.removeprefix(WORKSPACE)
        if pid == str(os.getpid()) or not (pid.isdecimal() and psutil.pid_exists(int(pid))):
            shutil.rmtree(old, ignore_errors=True)
    folder = parent / f"{WORKSPACE}{os.getpid()}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def repository_root() -> Path:
    """Return the folder that relative paths start at: DVC may run the stage in a copy elsewhere."""
    return Path(os.environ.get("DVC_ROOT", ".")).absolute()


def describe(source: str, url: str | None, images: Sequence[Image], left_out: list[LeftOut], size: int) -> DataReport:
    """Return the report on *images*, without what is secret in *url*."""
    counts = {split: Counter(image.label for image in split_of(images, split)) for split in SPLITS}
    return DataReport(
        source=without_secrets(url) if url and source != "digits" else source,
        digest=content_digest(images),
        classes=class_names(images),
        counts={split: dict(sorted(labels.items())) for split, labels in counts.items() if labels},
        left_out=left_out,
        bytes=size,
    )


def put_in_place(folder: Path, images: Sequence[Image], report: DataReport) -> None:
    """Replace the outs; a manifest is only ever beside the images that it lists."""
    paths.DATA_REPORT.unlink(missing_ok=True)
    paths.MANIFEST.unlink(missing_ok=True)
    if paths.IMAGES.exists():
        paths.IMAGES.rename(folder / "replaced")
    (folder / "images").rename(paths.IMAGES)
    sync_folder(paths.IMAGES.parent)
    write_manifest(paths.MANIFEST, images)
    report.write(paths.DATA_REPORT)


def tell(report: DataReport, images: Sequence[Image]) -> None:
    """Print what was left out to stderr and what there is to stdout."""
    for one in report.left_out[:MOST_LINES]:
        print(f"left out: {one.path}: {one.reason}", file=sys.stderr)
    if len(report.left_out) > MOST_LINES:
        print(f"… and {len(report.left_out) - MOST_LINES} more: {paths.DATA_REPORT}", file=sys.stderr)
    if twice := in_several_splits(images):
        print(f"warning: {twice} images are in more than one split, so scores will flatter", file=sys.stderr)
    splits = " + ".join(f"{sum(labels.values())} {split}" for split, labels in report.counts.items())
    print(f"{splits} images of {len(report.classes)} classes, {len(report.left_out)} left out")
